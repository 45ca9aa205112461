"""Admissions, their redemptions and their documents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.admissions import Admission, Redemption, Scan


class AdmissionStore(Protocol):
    def of_booking(self, booking_id: UUID) -> tuple[Admission, ...]: ...

    def get(self, admission_id: UUID) -> Admission | None: ...

    def redeem(
        self,
        scan: Scan,
        check: Callable[[Admission], str],
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Redemption:
        """Use the entry right that `check` names (it raises `Refused`). A `scan_id` that is known gets its
        first answer. Refuses ADMISSION_NOT_FOUND, ALREADY_REDEEMED with when and where the first scan was.
        """
        ...

    def revocations(self, since: datetime | None, limit: int, cursor: str | None) -> Page[Admission]:
        """Cancelled admissions in the order of their cancellation."""
        ...

    def document(self, booking_id: UUID, booking_version: int) -> bytes | None:
        """The PDF of the booking's admissions, when it is made for that version or a later one."""
        ...

    def put_document(self, booking_id: UUID, booking_version: int, pdf: bytes, now: datetime) -> None: ...
