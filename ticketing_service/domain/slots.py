"""Slots, the capacity they draw on, and the schedules that make them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

LIMITED_AT_MOST = 10
"""A slot with fewer people than this left, or under a fifth of its capacity, is shown as limited."""


class SlotStatus(StrEnum):
    """What staff decided about the slot; whether seats are left is the counters' business."""

    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """People (or uses) that may be taken, and are. A `capacity` of None never runs out."""

    id: UUID
    capacity: int | None
    held: int = 0
    sold: int = 0

    @property
    def vacancies(self) -> int | None:
        return None if self.capacity is None else max(0, self.capacity - self.held - self.sold)


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Local times of one day, `HH:MM`; an end before the start is on the next day."""

    opens: str
    closes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One option at one local start, or on one local day.

    `local_start` and `local_end` are naive local times of `time_zone`; `starts_at`, `ends_at` and
    `sales_end_at` are the instants they stand for. `multiplier` scales the unit prices.
    """

    id: UUID
    ticket_id: UUID
    option_id: UUID
    local_start: datetime
    local_end: datetime
    time_zone: str
    all_day: bool
    opening_hours: tuple[OpeningHours, ...]
    starts_at: datetime
    ends_at: datetime
    sales_end_at: datetime
    status: SlotStatus
    multiplier: Decimal
    counters: tuple[Counter, ...]
    version: int = 1

    @property
    def capacity(self) -> int | None:
        limits = [counter.capacity for counter in self.counters if counter.capacity is not None]
        return min(limits, default=None)

    @property
    def vacancies(self) -> int | None:
        """How many people still fit; None without a limit."""
        left = [counter.vacancies for counter in self.counters if counter.vacancies is not None]
        return min(left, default=None)

    @property
    def shares_places(self) -> bool:
        """Whether a sale of another slot may take places of this one."""
        return any(counter.id != self.id for counter in self.counters)

    def shown_status(self, now: datetime) -> str:
        """`available`, `limited`, `sold_out` or `closed`."""
        if self.status is not SlotStatus.OPEN or now >= self.sales_end_at:
            return "closed"
        left, capacity = self.vacancies, self.capacity
        if left is None or capacity is None:
            return "available"
        if left <= 0:
            return "sold_out"
        return "limited" if left < LIMITED_AT_MOST or left * 5 < capacity else "available"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRule:
    """Starts of one option: an RFC 5545 RRULE (without DTSTART) over local dates.

    START_TIME: one slot for each of `start_times` (`HH:MM`), each `duration_minutes` long. OPENING_HOURS: one
    slot a day with `opening_hours`. `capacity` in people (None: no limit) of each slot's own counter, or of
    the shared counters of the option's `resource_ids`.
    """

    option_id: UUID
    rrule: str
    date_from: date
    date_to: date | None
    start_times: tuple[str, ...] = ()
    duration_minutes: int = 60
    opening_hours: tuple[OpeningHours, ...] = ()
    capacity: int | None = None
    multiplier: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Closure:
    """Local dates, both included, on which nothing takes place."""

    date_from: date
    date_to: date


@dataclass(frozen=True, slots=True)
class Schedule:
    """All that makes a ticket's slots. A PUT replaces the whole of it."""

    rules: tuple[ScheduleRule, ...]
    closures: tuple[Closure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSlot:
    """A slot that a schedule asks for; the counters are named, not yet read."""

    option_id: UUID
    local_start: datetime
    local_end: datetime
    time_zone: str
    all_day: bool
    opening_hours: tuple[OpeningHours, ...]
    starts_at: datetime
    ends_at: datetime
    sales_end_at: datetime
    multiplier: Decimal
    capacity: int | None
    shared_counter_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOutcome:
    """What a schedule change did. `conflicts` are slots that hold or sold seats and that the schedule no
    longer has: they keep their id and time and are closed.
    """

    created: int
    changed: int
    removed: int
    conflicts: tuple[Slot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotChange:
    """What staff change on one slot; a field of None stays. `unlimited` sets the capacity to none."""

    capacity: int | None = None
    unlimited: bool = False
    multiplier: Decimal | None = None
    closed: bool | None = None
