"""Other places for what was sold on account: a cancellation and a sale in one, which costs nobody more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from ticketing_service.domain.bookings import Booking, BookingItem, BookingStatus, Price, UnitItem
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.pricing import PricedBooking, included_taxes
from ticketing_service.domain.refunds import refundable_percent
from ticketing_service.domain.resale import ResoldUnit
from ticketing_service.domain.resale_changes import called, living

_WHOLE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """`void` are the unit items whose admissions let nobody in any more, `admitted` those that need new ones.
    So much (minor units) is owed less: `given_back`.
    """

    before: Booking
    after: Booking
    void: tuple[UUID, ...]
    admitted: frozenset[UUID]
    given_back: int


def require_exchangeable(booking: Booking, now: datetime) -> None:
    """Refuse unless all that is left of the booking was sold on account, and could be given back for nothing.

    Raises BOOKING_CANCELLED, BOOKING_EXPIRED, BOOKING_NOT_ON_HOLD, UNIT_ITEM_NOT_CANCELLABLE (used) or
    CANCELLATION_CLOSED.
    """
    if booking.status is BookingStatus.CANCELLED:
        raise Refused(Code.BOOKING_CANCELLED)
    if booking.status is BookingStatus.EXPIRED:
        raise Refused(Code.BOOKING_EXPIRED)
    if not booking.on_account or len(booking.items) != 1:
        raise Refused(Code.BOOKING_NOT_ON_HOLD)
    if {unit.status for unit in booking.unit_items} - {BookingStatus.CONFIRMED, BookingStatus.CANCELLED}:
        raise Refused(Code.UNIT_ITEM_NOT_CANCELLABLE, "Some of it was used.")
    item = booking.items[0]
    if refundable_percent(item.terms.refund_policy, item.notice_counts_to, now) != _WHOLE:
        raise Refused(Code.CANCELLATION_CLOSED, "It can be given back for nothing no more.")


def exchanged(
    before: Booking, amended: Booking, priced: PricedBooking, names: Sequence[ResoldUnit] | None
) -> Exchange:
    """`amended` with what is `priced` in the place of what is left of `before`. A unit item goes on as the
    one of the same name, and keeps its admission if slot and unit are the same; others are cancelled.
    `names`: what its reseller calls the unit items that there are to be.

    Raises BOOKING_NOT_ON_HOLD (several items), MIXED_CURRENCIES or TOTAL_RISES.
    """
    if len(priced.items) != 1:
        raise Refused(Code.BOOKING_NOT_ON_HOLD)
    old, new = before.items[0], priced.items[0]
    if priced.price.currency != before.price.currency:
        raise Refused(Code.MIXED_CURRENCIES, f"It was sold in {before.price.currency}.")
    left = {unit.id: unit for unit in old.units if unit.status is BookingStatus.CONFIRMED}
    _check_total(left.values(), new.units)
    wanted = _named(before, new.units, names)
    successors = _successors(before, left, wanted)
    staying, units, void, admitted = old.slot_id == new.slot_id, [], [], set()
    for (unit, _), earlier_id in zip(wanted, successors, strict=True):
        earlier = None if earlier_id is None else left[earlier_id]
        unit = replace(unit, status=BookingStatus.CONFIRMED)
        if earlier is not None:
            unit = replace(unit, id=earlier.id, admission_id=earlier.admission_id)
        units.append(unit)
        if earlier is not None and staying and _same(earlier, unit):
            continue
        admitted.add(unit.id)
        if earlier is not None:
            void.append(earlier.id)
    gone = [unit_id for unit_id in left if unit_id not in successors]
    ended = [
        replace(unit, status=BookingStatus.CANCELLED)
        for unit in old.units
        if unit.id in gone or unit.status is BookingStatus.CANCELLED
    ]
    item = replace(new, id=old.id, units=(*ended, *units))
    after = replace(amended, items=(item,), price=_price(item, before.price.currency))
    return Exchange(
        before=before,
        after=_with_names(after, before, [name for _, name in wanted]),
        void=(*void, *gone),
        admitted=frozenset(admitted),
        given_back=_due(left.values()) - _due(units),
    )


Sold = tuple[BookingItem, UnitItem]


def changed_units(exchange: Exchange) -> list[tuple[Sold | None, Sold | None]]:
    """What was sold and what is sold instead, where that is not the same in the books."""
    old, new = exchange.before.items[0], exchange.after.items[0]
    had = {unit.id: unit for unit in old.units if unit.status is BookingStatus.CONFIRMED}
    has = {unit.id: unit for unit in new.units if unit.status is BookingStatus.CONFIRMED}
    pairs: list[tuple[Sold | None, Sold | None]] = []
    for unit_id in dict.fromkeys((*had, *has)):
        earlier, later = had.get(unit_id), has.get(unit_id)
        both = (None if earlier is None else (old, earlier), None if later is None else (new, later))
        if both[0] is None or both[1] is None or _in_books(*both[0]) != _in_books(*both[1]):
            pairs.append(both)
    return pairs


def _in_books(item: BookingItem, unit: UnitItem) -> tuple[object, ...]:
    return item.ticket_id, unit.unit_type, unit.due, unit.commission


def _check_total(left: Iterable[UnitItem], wanted: Iterable[UnitItem]) -> None:
    had, has = list(left), list(wanted)
    if sum(unit.paid for unit in has) > sum(unit.paid for unit in had) or _due(has) > _due(had):
        raise Refused(Code.TOTAL_RISES)


def _due(units: Iterable[UnitItem]) -> int:
    return sum(unit.due for unit in units)


def _named(
    before: Booking, units: Sequence[UnitItem], names: Sequence[ResoldUnit] | None
) -> list[tuple[UnitItem, ResoldUnit]]:
    """Each unit with the next name of its kind, in the order of the names."""
    if names is None:
        names = _names_kept(before, units)
    waiting: dict[UUID, list[UnitItem]] = {}
    for unit in units:
        waiting.setdefault(unit.unit_id, []).append(unit)
    return [(waiting[name.unit_id].pop(0), name) for name in names]


def _names_kept(before: Booking, units: Sequence[UnitItem]) -> list[ResoldUnit]:
    """What there is goes on under its name: as what it was, else as something else."""
    left = list(living(before).values())
    names: list[ResoldUnit | None] = []
    for unit in units:
        found = next((name for name in left if name.unit_id == unit.unit_id), None)
        names.append(found)
        if found is not None:
            left.remove(found)
    return [
        name
        or (
            replace(left.pop(0), unit_id=unit.unit_id)
            if left
            else ResoldUnit(uuid=uuid4(), unit_id=unit.unit_id)
        )
        for name, unit in zip(names, units, strict=True)
    ]


def _successors(
    before: Booking, left: dict[UUID, UnitItem], wanted: Sequence[tuple[UnitItem, ResoldUnit]]
) -> list[UUID | None]:
    """For each that is wanted, which unit item it goes on as: of its name, else of those nobody names."""
    by_name = {name.uuid: unit_id for unit_id, name in living(before).items() if unit_id in left}
    found = [by_name.get(name.uuid) for _, name in wanted]
    free = [unit_id for unit_id in left if unit_id not in found]
    return [each if each is not None or not free else free.pop(0) for each in found]


def _same(earlier: UnitItem, unit: UnitItem) -> bool:
    return (earlier.unit_id, earlier.pax_count) == (unit.unit_id, unit.pax_count)


def _price(item: BookingItem, currency: str) -> Price:
    """Of all that was ever sold with it, as it is when unit items are cancelled."""
    return Price(
        currency=currency,
        items=sum(unit.price for unit in item.units),
        discount=sum(unit.discount for unit in item.units),
        fee=0,
        included_taxes=included_taxes((item,)),
    )


def _with_names(after: Booking, before: Booking, wanted: Sequence[ResoldUnit]) -> Booking:
    """The names in the order of the unit items, those of cancelled ones first."""
    if after.resale is None:
        return after
    known = called(before)
    names = [known[unit.id] for unit in after.unit_items if unit.status is BookingStatus.CANCELLED]
    return replace(after, resale=replace(after.resale, units=(*names, *wanted)))
