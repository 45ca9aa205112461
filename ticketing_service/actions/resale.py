"""What a reseller does with its bookings under its own names for them; each is one of the actions that
visitors have, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from ticketing_service.actions.bookings import (
    Access,
    AmendBooking,
    CancelBooking,
    ExtendHold,
    HoldBooking,
    amend_booking,
    cancel_booking,
    extend_hold,
    find_booking,
    hold_booking,
    shown_status,
)
from ticketing_service.actions.payments import ConfirmBooking, confirm_booking
from ticketing_service.actions.ports import Ports
from ticketing_service.domain.bookings import Booking, BookingStatus, Channel, Customer
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.orders import ItemOrder, UnitQuantity
from ticketing_service.domain.resale import Contact, Resale, ResoldUnit, quantities
from ticketing_service.domain.resale_changes import (
    Changes,
    changed,
    living,
    needs_other_places,
    wanted_units,
)
from ticketing_service.domain.resellers import Reseller
from ticketing_service.storage.ports.bookings import Amendment, BookingQuery, Course

MOST_FOUND = 1000
"""Bookings that are found at once."""

_PAGE = 100
_OVER: Mapping[BookingStatus, Code] = {
    BookingStatus.CANCELLED: Code.BOOKING_CANCELLED,
    BookingStatus.EXPIRED: Code.BOOKING_EXPIRED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """The reseller who calls, and as whom its deeds are written down."""

    reseller: Reseller
    principal: str
    is_test: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """`minutes`: how long it is to be held. The order is of this slot of this ticket and option alone, and in
    `currency` if one is named.
    """

    seller: Seller
    ticket_id: UUID
    option_id: UUID
    slot_id: UUID
    resale: Resale
    language: str
    minutes: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeResold:
    """See `domain.resale_changes.Changes`; with `confirm` it is confirmed, too."""

    seller: Seller
    uuid: UUID
    changes: Changes
    confirm: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A booking, and what has become of it."""

    booking: Booking
    course: Course


def reserve(command: Reserve, ports: Ports) -> Booking:
    """Hold the places; the same request once more answers the booking that it made.

    Raises RESALE_UUID_TAKEN (by another request), and as `hold_booking`.
    """
    resale, seller = command.resale, command.seller
    item = ItemOrder(command.slot_id, lines(resale.units), command.ticket_id, command.option_id)
    try:
        return hold_booking(
            HoldBooking(
                items=(item,),
                customer=customer_of(resale.contact, command.language),
                channel=Channel.RESELLER,
                principal=seller.principal,
                reseller=seller.reseller,
                is_test=seller.is_test,
                resale=resale,
                minutes=command.minutes,
                currency=command.currency,
            ),
            ports,
        )
    except Refused as refused:
        earlier = _called(seller, resale.uuid, ports)
        if earlier is not None and earlier.resale is not None and earlier.resale.request == resale.request:
            return earlier
        if earlier is not None:
            raise Refused(Code.RESALE_UUID_TAKEN) from refused
        raise


def find_resold(uuid: UUID, seller: Seller, ports: Ports) -> Booking:
    """By what the reseller calls it; one that has no such name is called by its id. Raises
    BOOKING_NOT_FOUND.
    """
    found = _called(seller, uuid, ports)
    if found is None:
        access = Access(actor=seller.principal, reseller_id=seller.reseller.id, is_test=seller.is_test)
        found = find_booking(uuid, access, ports)
        if found.resale is not None or len(found.items) != 1:
            raise Refused(Code.BOOKING_NOT_FOUND)
    return found


def search_resold(query: BookingQuery, seller: Seller, ports: Ports) -> tuple[Booking, ...]:
    """Newest first; those of several items have no place here. Raises INVALID_PERIOD (more than can be shown
    at once).
    """
    query = replace(query, reseller_id=seller.reseller.id, is_test=seller.is_test, limit=_PAGE)
    found: list[Booking] = []
    while True:
        page = ports.store.bookings.search(query)
        found += (booking for booking in page.items if len(booking.items) == 1)
        if len(found) > MOST_FOUND:
            raise Refused(Code.INVALID_PERIOD, f"More than {MOST_FOUND} bookings are found; ask for less.")
        if page.next_cursor is None:
            return tuple(found)
        query = replace(query, cursor=page.next_cursor)


def told(bookings: Sequence[Booking], ports: Ports) -> list[Told]:
    """Each with what its reseller is told of it."""
    courses = ports.store.bookings.courses(bookings) if bookings else {}
    return [Told(booking, courses[booking.id]) for booking in bookings]


def change_resold(command: ChangeResold, ports: Ports) -> Booking:
    """Change it, and confirm it if that is asked for. Of a confirmed one unit items may be left out, which
    are cancelled then by the policy; any other change of what is sold is one as `amend_booking` allows.

    Raises BOOKING_NOT_FOUND, BOOKING_EXPIRED, BOOKING_CANCELLED, CONTACT_REQUIRED, and as `amend_booking`,
    `cancel_booking` and `confirm_booking`.
    """
    changes, seller = command.changes, command.seller
    if command.confirm and changes.units is None:
        # what most resellers do: one look for the id is enough
        called = ports.store.bookings.resold_id(seller.reseller.id, command.uuid, is_test=seller.is_test)
        if called is not None:
            access = Access(actor=seller.principal, booking_id=called)
            amendment = _amendment(changes, confirm=True)
            return confirm_booking(
                ConfirmBooking(booking_id=called, access=access, amendment=amendment), ports
            )
    booking = find_resold(command.uuid, seller, ports)
    access = Access(actor=seller.principal, booking_id=booking.id)
    status = shown_status(booking, ports.clock())
    if command.confirm and status is not BookingStatus.ON_HOLD:
        # a repetition; or it is too late, and the action says so
        return confirm_booking(ConfirmBooking(booking_id=booking.id, access=access), ports)
    if status in _OVER:
        raise Refused(_OVER[status])
    held = booking.status is BookingStatus.ON_HOLD
    amendment = _amendment(changes, wanted_units(booking, changes), held=held)
    if command.confirm:
        _check_contact(booking, amendment)
    items = names = None
    if needs_other_places(booking, changes):
        if not held and (left_out := _left_out(booking, changes)):
            cancel = CancelBooking(
                booking_id=booking.id, access=access, reason="left out", unit_item_ids=left_out
            )
            booking = cancel_booking(cancel, ports)
        else:
            items, names = (_other_places(booking, changes),), wanted_units(booking, changes)
    if items is not None or not command.confirm:
        amend = AmendBooking(
            booking_id=booking.id,
            access=access,
            contact=amendment.contact,
            items=items,
            resale=amendment.resale,
            names=names,
        )
        booking = amend_booking(amend, ports)
        amendment = Amendment()
    if not command.confirm:
        return booking
    confirm = ConfirmBooking(booking_id=booking.id, access=access, amendment=amendment)
    return confirm_booking(confirm, ports)


def extend_resold(uuid: UUID, minutes: int | None, seller: Seller, ports: Ports) -> Booking:
    """A hold that lasts as long as is asked for already stays as it is. Raises as `extend_hold`."""
    booking = find_resold(uuid, seller, ports)
    now = ports.clock()
    is_held = shown_status(booking, now) is BookingStatus.ON_HOLD
    if minutes is not None and is_held and now + timedelta(minutes=minutes) <= booking.expires_at:
        return booking
    access = Access(actor=seller.principal, booking_id=booking.id)
    return extend_hold(ExtendHold(booking_id=booking.id, access=access, minutes=minutes), ports)


def cancel_resold(uuid: UUID, reason: str, seller: Seller, ports: Ports) -> Booking:
    """All of it that still can be. Raises as `cancel_booking`."""
    booking = find_resold(uuid, seller, ports)
    if booking.status is BookingStatus.CANCELLED:
        return booking
    if shown_status(booking, ports.clock()) is BookingStatus.EXPIRED:
        raise Refused(Code.BOOKING_EXPIRED)
    access = Access(actor=seller.principal, booking_id=booking.id)
    return cancel_booking(CancelBooking(booking_id=booking.id, access=access, reason=reason), ports)


def customer_of(contact: Contact, language: str) -> Customer:
    """Whom we know of the contact. A reseller need not tell before it confirms."""
    return Customer(name=contact.name, email=contact.email or "", phone=contact.phone, language=language)


def lines(units: Sequence[ResoldUnit]) -> tuple[UnitQuantity, ...]:
    """The units as an order has them."""
    return tuple(UnitQuantity(unit_id, count) for unit_id, count in quantities(units).items())


def _called(seller: Seller, uuid: UUID, ports: Ports) -> Booking | None:
    return ports.store.bookings.by_resale_uuid(seller.reseller.id, uuid, is_test=seller.is_test)


def _amendment(
    changes: Changes, units: tuple[ResoldUnit, ...] | None = None, *, held: bool = True, confirm: bool = False
) -> Amendment:
    contact: dict[str, str] = {}
    if changes.contact is not None:
        told = changes.contact
        known = {"name": told.name, "email": told.email, "phone": told.phone, "language": changes.language}
        contact = {name: value for name, value in known.items() if value}
    return Amendment(
        contact=contact,
        resale=lambda resale: changed(resale, changes, units, held=held),
        names_customer=confirm,
    )


def _check_contact(booking: Booking, amendment: Amendment) -> None:
    customer = replace(booking.customer, **amendment.contact)
    if not customer.name or not customer.email:
        raise Refused(Code.CONTACT_REQUIRED)


def _other_places(booking: Booking, changes: Changes) -> ItemOrder:
    item = booking.items[0]
    return ItemOrder(
        changes.slot_id or item.slot_id,
        lines(wanted_units(booking, changes)),
        changes.ticket_id or item.ticket_id,
        changes.option_id or item.option_id,
    )


def _left_out(booking: Booking, changes: Changes) -> tuple[UUID, ...]:
    """The unit items that are not named any more, where nothing else of what is sold changes."""
    present, wanted = living(booking), wanted_units(booking, changes)
    known = {(unit.uuid, unit.unit_id) for unit in present.values()}
    kept = {(unit.uuid, unit.unit_id) for unit in wanted}
    if changes.moves(booking.items[0]) or not kept or not kept <= known:
        return ()
    return tuple(item_id for item_id, unit in present.items() if (unit.uuid, unit.unit_id) not in kept)
