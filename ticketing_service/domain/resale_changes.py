"""How a reseller changes what it has booked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from ticketing_service.domain.bookings import Booking, BookingItem, BookingStatus
from ticketing_service.domain.resale import Contact, Resale, ResoldUnit, matched


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedUnit:
    """A unit item that there is to be. One without a `uuid` is the next that there is of its unit, or a new
    one. What is None stays as it is.
    """

    unit_id: UUID
    uuid: UUID | None = None
    reference: str | None = None
    contact: Contact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is None stays as it is. `units` are all that there are to be."""

    reference: str | None = None
    notes: str | None = None
    contact: Contact | None = None
    language: str | None = None
    units: tuple[NamedUnit, ...] | None = None
    ticket_id: UUID | None = None
    option_id: UUID | None = None
    slot_id: UUID | None = None
    mails: bool | None = None

    def moves(self, item: BookingItem) -> bool:
        """Whether it asks for another slot than that of `item`."""
        asked = (
            (self.ticket_id, item.ticket_id),
            (self.option_id, item.option_id),
            (self.slot_id, item.slot_id),
        )
        return any(wanted not in (None, present) for wanted, present in asked)


def called(booking: Booking) -> dict[UUID, ResoldUnit]:
    """By the id of the unit item, in their order: what the reseller calls it."""
    units = booking.resale.units if booking.resale else ()
    return matched(units, ((unit.id, unit.unit_id) for unit in booking.unit_items))


def living(booking: Booking) -> dict[UUID, ResoldUnit]:
    """The same of those that are not cancelled."""
    names = called(booking)
    alive = (unit.id for unit in booking.unit_items if unit.status is not BookingStatus.CANCELLED)
    return {item_id: names[item_id] for item_id in alive}


def named(present: Iterable[ResoldUnit], wanted: Sequence[NamedUnit]) -> tuple[ResoldUnit, ...]:
    """The units that there are to be, with what is known of those that there are."""
    by_uuid = {unit.uuid: unit for unit in present}
    claimed = {unit.uuid for unit in wanted}
    unclaimed = [unit for unit in by_uuid.values() if unit.uuid not in claimed]
    units = []
    for each in wanted:
        known = by_uuid.get(each.uuid) if each.uuid is not None else None
        if each.uuid is None:
            known = next((unit for unit in unclaimed if unit.unit_id == each.unit_id), None)
            if known is not None:
                unclaimed.remove(known)
        base = known or ResoldUnit(uuid=each.uuid or uuid4(), unit_id=each.unit_id)
        units.append(
            replace(
                base,
                unit_id=each.unit_id,
                reference=base.reference if each.reference is None else each.reference,
                contact=each.contact or base.contact,
            )
        )
    return tuple(units)


def wanted_units(booking: Booking, changes: Changes) -> tuple[ResoldUnit, ...]:
    """The unit items that live when it is changed."""
    present = living(booking).values()
    return tuple(present) if changes.units is None else named(present, changes.units)


def needs_other_places(booking: Booking, changes: Changes) -> bool:
    """Whether what is sold is to be another than it is."""
    kept = Counter(unit.unit_id for unit in living(booking).values())
    return changes.moves(booking.items[0]) or kept != Counter(
        unit.unit_id for unit in wanted_units(booking, changes)
    )


def changed(resale: Resale, changes: Changes, units: tuple[ResoldUnit, ...] | None, *, held: bool) -> Resale:
    """`resale` with the changes, and `units`, if any change, as `wanted_units` has them. Of what is sold,
    those that are not among them are cancelled, and stay what they are called.
    """
    if units is None:
        units = resale.units
    elif not held:
        latest = {unit.uuid: unit for unit in units}
        units = tuple(latest.get(unit.uuid, unit) for unit in resale.units)
    return replace(
        resale,
        reference=resale.reference if changes.reference is None else changes.reference,
        notes=resale.notes if changes.notes is None else changes.notes,
        contact=changes.contact or resale.contact,
        mails=resale.mails if changes.mails is None else changes.mails,
        units=units,
    )
