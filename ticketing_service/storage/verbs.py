"""Which verbs of a store change something that others follow, and what."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from common.database.unavailable import StoreUnavailable
from ticketing_service.domain.history import HistoryRow
from ticketing_service.domain.slots import Slot
from ticketing_service.storage.changes import Change, booking_change, refused_change
from ticketing_service.storage.port import Store

Given = Mapping[str, Any]
"""The arguments of a verb by name."""

log = logging.getLogger(__name__)

_Told = Callable[[str, Given, Any, Store], Change | None]


def tells(operation: str) -> bool:
    """Whether anything is to be told of `operation`, such as `bookings.hold`."""
    return operation in _TOLD


def change_of(operation: str, given: Given, result: Any, store: Store) -> Change | None:
    """What `operation` did; `store` is asked only where its answer does not say enough."""
    return _TOLD[operation](operation, given, result, store)


def refusal_of(operation: str, given: Given) -> Change | None:
    """What is told of a verb that was refused for want of places."""
    order = given.get("order")
    if order is not None and order.is_test:
        return None
    return refused_change(operation, () if order is None else (item.slot_id for item in order.items))


def _of_booking(operation: str, given: Given, booking: Any, _: Store) -> Change:
    return booking_change(operation, booking, given["now"])


def _of_amended(operation: str, given: Given, booking: Any, _: Store) -> Change | None:
    if given["amendment"].items is None:
        return None
    # The answer says which places are taken now, and nothing of those that were given back for them.
    return replace(booking_change(operation, booking, given["now"]), anywhere=True)


def _of_observed(operation: str, given: Given, booking: Any, store: Store) -> Change:
    # one commit may do anything here, or nothing at all
    history: tuple[HistoryRow, ...] = ()
    try:
        history = store.bookings.history(booking.id)
    except StoreUnavailable:
        # What it did is not counted then. Whose places it may have changed is known all the same.
        log.warning("what became of a payment cannot be counted", exc_info=True)
    return booking_change(operation, booking, given["now"], history)


def _of_payment(operation: str, given: Given, _: Any, store: Store) -> Change | None:
    payment = store.payments.get(given["payment_id"])
    booking = None if payment is None else store.bookings.get(payment.booking_id)
    if booking is None:
        return None
    return booking_change(operation, booking, given["now"], store.bookings.history(booking.id))


def _of_slot(operation: str, _: Given, slot: Slot, __: Store) -> Change:
    return Change(
        verb=operation,
        ticket_ids=frozenset({slot.ticket_id}),
        slot_ids=frozenset({slot.id}),
        slots_changed=1,
    )


def _of_schedule(operation: str, given: Given, outcome: Any, _: Store) -> Change:
    changed = outcome.created + outcome.changed + outcome.removed
    return Change(
        verb=operation, ticket_ids=frozenset({given["ticket"].id}), slots_changed=changed, anywhere=True
    )


def _of_ticket(operation: str, _: Given, ticket: Any, __: Store) -> Change:
    return Change(verb=operation, ticket_ids=frozenset({ticket.id}))


def _of_pois(operation: str, _: Given, count: int, __: Store) -> Change | None:
    return Change(verb=operation, anywhere=True) if count else None


_TOLD: Mapping[str, _Told] = {
    "catalogue.create": _of_ticket,
    "catalogue.replace": _of_ticket,
    "catalogue.put_pois": _of_pois,
    "slots.put_schedule": _of_schedule,
    "slots.change": _of_slot,
    "slots.cancel": _of_slot,
    "bookings.hold": _of_booking,
    "bookings.amend": _of_amended,
    "bookings.confirm_free": _of_booking,
    "bookings.cancel": _of_booking,
    "payments.observe": _of_observed,
    "payments.capture_refused": _of_payment,
}
