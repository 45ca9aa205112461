"""Admissions and their redemption at a gate."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from common.texts import Texts
from ticketing_service.domain.catalogue import TicketType


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """The scannable right of one unit item; one scan lets its `pax_count` people in.

    `valid_from` and `valid_until` are instants; `first_day` and `valid_days` are local days of `time_zone`
    and say on which days a multi-day ticket admits. `code` is the signed text in the QR.
    """

    id: UUID
    booking_id: UUID
    item_id: UUID
    unit_item_id: UUID
    ticket_id: UUID
    ticket_type: TicketType
    title: Texts
    unit_title: Texts
    poi_ids: tuple[UUID, ...]
    pax_count: int
    time_zone: str
    first_day: date
    valid_days: int
    valid_from: datetime
    valid_until: datetime
    code: str
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """One scan at a gate. `scan_id` is made by the scanner: the same one always gets its first answer."""

    scan_id: UUID
    admission_id: UUID
    poi_id: UUID
    scanned_at: datetime
    gate: str
    offline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """One use of an entry right; unique on (admission, entry key)."""

    scan_id: UUID
    admission_id: UUID
    entry_key: str
    poi_id: UUID
    gate: str
    redeemed_at: datetime
    pax_count: int
    title: Texts
    unit_title: Texts
