"""Vouchers."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.vouchers import Voucher


class VoucherStore(Protocol):
    def create(self, voucher: Voucher, *, idempotency: Idempotency | None = None) -> Voucher:
        """Refuses VOUCHER_CODE_TAKEN."""
        ...

    def replace(
        self, voucher: Voucher, expected_version: int, *, idempotency: Idempotency | None = None
    ) -> Voucher:
        """Refuses VOUCHER_NOT_FOUND, VERSION_CONFLICT, VOUCHER_BELOW_USED."""
        ...

    def get(self, voucher_id: UUID) -> Voucher | None: ...

    def by_code(self, code: str) -> Voucher | None: ...

    def page(self, limit: int, cursor: str | None) -> Page[Voucher]: ...
