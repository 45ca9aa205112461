"""Parts of a booking as plain data, and what is worked out of one in the same way on every store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.bookings import (
    Booking,
    BookingItem,
    BookingStatus,
    PaymentStatus,
    SaleTerms,
)
from ticketing_service.domain.catalogue import RefundStep, Tax, TicketType
from ticketing_service.domain.claims import ClaimKind
from ticketing_service.domain.exchanges import Exchange
from ticketing_service.domain.history import HistoryRow
from ticketing_service.domain.orders import HoldOrder, Offer
from ticketing_service.domain.pricing import PricedBooking
from ticketing_service.domain.refunds import CancellationPlan
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.storage.ports.bookings import Amendment, Course


def terms_document(terms: SaleTerms) -> dict[str, Any]:
    """The terms as JSON values."""
    return {
        "ticketType": terms.ticket_type.value,
        "ticketTitle": dict(terms.ticket_title),
        "optionTitle": dict(terms.option_title),
        "poiIds": [str(poi_id) for poi_id in terms.poi_ids],
        "refundPolicy": [[step.hours_before, step.percent] for step in terms.refund_policy],
        "taxes": [[tax.name, tax.rate_basis_points] for tax in terms.taxes],
        "validDays": terms.valid_days,
        "allDay": terms.all_day,
    }


def terms_of(document: Mapping[str, Any]) -> SaleTerms:
    """The terms that `terms_document` has written."""
    return SaleTerms(
        ticket_type=TicketType(document["ticketType"]),
        ticket_title=document["ticketTitle"],
        option_title=document["optionTitle"],
        poi_ids=tuple(UUID(poi_id) for poi_id in document["poiIds"]),
        refund_policy=tuple(RefundStep(*step) for step in document["refundPolicy"]),
        taxes=tuple(Tax(*tax) for tax in document["taxes"]),
        valid_days=document["validDays"],
        all_day=document["allDay"],
    )


def booked(
    order: HoldOrder,
    priced: PricedBooking,
    voucher: Voucher | None,
    expires_at: datetime,
    now: datetime,
) -> Booking:
    """The booking that a new hold is."""
    return Booking(
        id=order.booking_id,
        reference=order.reference,
        status=BookingStatus.ON_HOLD,
        channel=order.channel,
        principal=order.principal,
        reseller_id=None if order.reseller is None else order.reseller.id,
        is_test=order.is_test,
        resale=order.resale,
        customer=order.customer,
        items=priced.items,
        price=priced.price,
        voucher_id=voucher.id if voucher else None,
        voucher_code=voucher.code if voucher else None,
        payment_status=PaymentStatus.NONE,
        refunds=(),
        return_url=order.return_url,
        extensions=0,
        version=1,
        created_at=now,
        expires_at=expires_at,
        updated_at=now,
    )


def status_without_payment(booking: Booking) -> tuple[PaymentStatus, str]:
    """Of a booking that is confirmed without a payment, and the reason for its history."""
    if booking.on_account and booking.price.total:
        return PaymentStatus.ON_ACCOUNT, "on account"
    return PaymentStatus.NONE, "nothing to pay"


def confirmed(booking: Booking, payment_status: PaymentStatus, now: datetime) -> Booking:
    """The booking with its places taken for good."""
    return with_statuses(
        replace(
            booking,
            status=BookingStatus.CONFIRMED,
            payment_status=payment_status,
            version=booking.version + 1,
            updated_at=now,
        ),
        {unit.id: BookingStatus.CONFIRMED for unit in booking.unit_items},
    )


def with_statuses(booking: Booking, statuses: Mapping[UUID, BookingStatus]) -> Booking:
    """The booking with other unit item statuses."""
    items = tuple(
        replace(item, units=tuple(replace(u, status=statuses.get(u.id, u.status)) for u in item.units))
        for item in booking.items
    )
    return replace(booking, items=items)


def is_confirmed(booking: Booking, unit_item_id: UUID) -> bool:
    """Whether the booking has that unit item, confirmed."""
    return any(u.id == unit_item_id and u.status is BookingStatus.CONFIRMED for u in booking.unit_items)


def with_admissions(exchange: Exchange, admissions: Iterable[Admission]) -> Booking:
    """The booking after the exchange; who was to be admitted anew has the new admission, or none."""
    made = {each.unit_item_id: each.id for each in admissions}
    item = exchange.after.items[0]
    units = tuple(
        replace(unit, admission_id=made.get(unit.id)) if unit.id in exchange.admitted else unit
        for unit in item.units
    )
    return replace(exchange.after, items=(replace(item, units=units),))


def living_items(booking: Booking) -> tuple[BookingItem, ...]:
    """The items with those of their unit items that are not cancelled."""
    return tuple(
        replace(item, units=tuple(u for u in item.units if u.status is not BookingStatus.CANCELLED))
        for item in booking.items
    )


def is_told(booking: Booking, *, always: bool = False) -> bool:
    """Whether the customer is written to. Nobody is about a test; a reseller may keep its customer's address
    to itself, or tell it of its own deeds itself; of what is done to it the customer is `always` told.
    """
    if booking.is_test or not booking.customer.email:
        return False
    return always or booking.resale is None or booking.resale.mails


def tasks_of_sale(booking: Booking) -> list[tuple[str, dict[str, Any]]]:
    """What follows outside when admissions are made."""
    payload = {"bookingId": str(booking.id)}
    mails = [("mail", payload | {"template": "confirmation"})] if is_told(booking) else []
    return [("document", payload), *mails]


def tasks_of_change(booking: Booking, amendment: Amendment) -> list[tuple[str, dict[str, Any]]]:
    """What follows outside when a booking that was sold is changed."""
    told = tasks_of_sale(booking)
    return told if amendment.items is not None else told[:1]


def kinds_that_end(booking: Booking) -> list[ClaimKind]:
    """What a booking that is cancelled whole takes no more: all, but that of what was sold on account there
    may be something that is owed all the same.
    """
    sold = booking.on_account and booking.status is not BookingStatus.ON_HOLD
    return [kind for kind in ClaimKind if not (sold and kind is ClaimKind.CREDIT)]


def keep_latest(admissions: dict[UUID, Admission], admission: Admission) -> None:
    """Of the admissions of a unit item the one that is good, if any is."""
    known = admissions.get(admission.unit_item_id)
    if known is None or known.cancelled_at is not None:
        admissions[admission.unit_item_id] = admission


def courses_of(
    bookings: Iterable[Booking],
    *,
    offers: Mapping[UUID, Offer],
    histories: Mapping[UUID, tuple[HistoryRow, ...]],
    admissions: Mapping[UUID, Mapping[UUID, Admission]],
    used_at: Mapping[UUID, Mapping[UUID, datetime]],
    owed: Mapping[UUID, int],
) -> dict[UUID, Course]:
    """What was found of each booking, by its id, put together; offers are by slot. Of one that is cancelled
    the books say what is still `owed` (minor units).
    """
    return {
        each.id: Course(
            offer=offers.get(each.items[0].slot_id),
            history=histories.get(each.id, ()),
            admissions=admissions.get(each.id, {}),
            used_at=used_at.get(each.id, {}),
            given_back=each.net - owed[each.id] if each.id in owed else 0,
        )
        for each in bookings
    }


def begun_ones(bookings: Iterable[Booking]) -> list[UUID]:
    """Those that are not on hold any more."""
    return [each.id for each in bookings if each.status is not BookingStatus.ON_HOLD]


def used_ones(bookings: Iterable[Booking]) -> list[UUID]:
    """Those of which any unit item was used."""
    return [each.id for each in bookings if any(u.status is BookingStatus.REDEEMED for u in each.unit_items)]


def cancelled_ones(bookings: Iterable[Booking]) -> list[UUID]:
    """Those that are cancelled whole."""
    return [each.id for each in bookings if each.status is BookingStatus.CANCELLED]


def people_by_item(booking: Booking, plan: CancellationPlan) -> dict[UUID, int]:
    """How many people of each item the plan cancels."""
    ended = set(plan.unit_ids)
    people: Counter[UUID] = Counter()
    for item in booking.items:
        people[item.id] += sum(unit.pax_count for unit in item.units if unit.id in ended)
    return people
