"""Slots, their schedules and their counters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from common.web.idempotency import Idempotency
from ticketing_service.domain.catalogue import Ticket
from ticketing_service.domain.orders import Offer
from ticketing_service.domain.slots import (
    PlannedSlot,
    Schedule,
    ScheduleOutcome,
    Slot,
    SlotChange,
)


@dataclass(frozen=True, slots=True)
class CountedAgain:
    """`drifted` counters are not what their bookings add up to. `last`: go on after it; None at the end."""

    drifted: tuple[UUID, ...]
    last: UUID | None


class SlotReads(Protocol):
    """What of slots is shown."""

    def between(
        self, ticket_id: UUID, day_from: date, day_to: date, option_id: UUID | None = None
    ) -> tuple[Slot, ...]:
        """The slots that start on the local days, both included, in the order of start and option."""
        ...


class SlotStore(SlotReads, Protocol):
    def offers(self, slot_ids: Iterable[UUID]) -> dict[UUID, Offer]: ...

    def put_schedule(
        self,
        ticket: Ticket,
        schedule: Schedule,
        planned: Sequence[PlannedSlot],
        now: datetime,
        *,
        extending: bool = False,
        idempotency: Idempotency | None = None,
    ) -> ScheduleOutcome:
        """Replace the ticket's schedule and bring its future slots in line with it. A slot keeps its id by
        (option, local start). One with seats held or sold is never removed: it is closed and reported as a
        conflict. A capacity never falls below what is taken (it is set to what is taken, and the slot is a
        conflict).

        `extending` only adds the slots that are missing, and nothing at all when `schedule` is not the
        ticket's any more: time alone must not undo what staff have closed or changed.
        """
        ...

    def schedule(self, ticket_id: UUID) -> Schedule | None: ...

    def schedules(self, ticket_ids: Iterable[UUID]) -> dict[UUID, Schedule]:
        """Of each of the tickets that has one."""
        ...

    def schedules_to_extend(self, extended_before: datetime, limit: int) -> tuple[UUID, ...]:
        """Tickets with an open-ended schedule whose slots were last made before that instant."""
        ...

    def change(
        self, slot_id: UUID, change: SlotChange, now: datetime, *, idempotency: Idempotency | None = None
    ) -> Slot:
        """Refuses SLOT_NOT_FOUND, SLOT_CANCELLED, CAPACITY_BELOW_TAKEN."""
        ...

    def cancel(
        self,
        slot_id: UUID,
        reason: str,
        actor: str,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Slot:
        """No more sales; the outbox gets a `slot-cancelled` task that cancels its bookings. Repeatable."""
        ...

    def bookings_on(self, slot_id: UUID, after: UUID | None, limit: int) -> tuple[UUID, ...]:
        """Bookings with a live unit on the slot, by id."""
        ...

    def count_again(self, after: UUID | None, limit: int) -> CountedAgain:
        """The next `limit` capacity counters by id, held against what bookings take of them."""
        ...
