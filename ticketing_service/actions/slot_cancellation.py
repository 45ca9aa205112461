"""After the destination has cancelled a slot: every booking on it is ended and refunded whole.

Only the worker runs this.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from uuid import UUID

from ticketing_service.actions.ports import Ports
from ticketing_service.domain.bookings import Booking, BookingStatus
from ticketing_service.domain.errors import Refused
from ticketing_service.domain.refunds import CancellationPlan, plan_cancellation
from ticketing_service.storage.ports.bookings import Cancellation

log = logging.getLogger(__name__)

KIND = "slot-cancelled"
BOOKINGS_A_TASK = 20
_CANCELLABLE = (BookingStatus.ON_HOLD, BookingStatus.CONFIRMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelBookingsOnSlot:
    """`after` is the last booking that an earlier task of this cancellation has dealt with."""

    slot_id: UUID
    reason: str
    actor: str
    after: UUID | None = None


def cancel_bookings_on_slot(command: CancelBookingsOnSlot, ports: Ports) -> None:
    """Cancel the next bookings on the slot, and leave a task for those that follow.

    Whoever runs it again finds the cancelled ones gone. Customers are told by the store's verb.
    """
    page = ports.store.slots.bookings_on(command.slot_id, command.after, BOOKINGS_A_TASK)
    for booking_id in page:
        _cancel(booking_id, command, ports)
    if len(page) == BOOKINGS_A_TASK:
        payload = {
            "slotId": str(command.slot_id),
            "reason": command.reason,
            "actor": command.actor,
            "after": str(page[-1]),
        }
        ports.store.outbox.add(KIND, payload, ports.clock())


def _cancel(booking_id: UUID, command: CancelBookingsOnSlot, ports: Ports) -> None:
    now = ports.clock()

    def plan(booking: Booking) -> CancellationPlan:
        on_slot = tuple(
            unit.id
            for item in booking.items
            if item.slot_id == command.slot_id
            for unit in item.units
            if unit.status in _CANCELLABLE
        )
        # What is not paid yet ends as a whole: the rest can be booked anew.
        chosen = None if booking.status is BookingStatus.ON_HOLD else on_slot
        return plan_cancellation(booking, chosen, now, by_destination=True)

    cancellation = Cancellation(actor=command.actor, reason=command.reason, by_destination=True)
    try:
        ports.store.bookings.cancel(booking_id, plan, cancellation, now)
    except Refused as refused:
        # It ended, or was used, since we asked for the list.
        log.info("booking %s on the cancelled slot %s: %s", booking_id, command.slot_id, refused)
