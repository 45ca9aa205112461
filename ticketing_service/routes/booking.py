"""What is done to a booking by whoever holds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from common.auth.policy import ACCESS_KIND, Caller, Policy, bearer, roles
from common.web.api import Api
from common.web.idempotency import Idempotency
from common.web.problems import problem
from ticketing_service.actions import bookings
from ticketing_service.actions.bookings import AmendBooking, CancelBooking, ExtendHold
from ticketing_service.actions.ports import Ports
from ticketing_service.domain.bookings import Booking
from ticketing_service.routes.calling import (
    BOOKING_KIND,
    PREFIX,
    RESELLER_KIND,
    PortsSource,
    access_of,
    keyed,
    sees_resale,
)
from ticketing_service.schemas.booking_answers import BookingOut, booking_document
from ticketing_service.schemas.bookings import BookingPatch, CancelIn
from ticketing_service.schemas.documents import rendered

HOLDERS: Policy = bearer(BOOKING_KIND, ACCESS_KIND, RESELLER_KIND) | roles("support")
"""Its token, its customer, its reseller, support. The action decides whether it is theirs: to others there is
none."""

SALE_PROBLEMS = (
    "SOLD_OUT", "SLOT_CLOSED", "CUTOFF_PASSED", "TICKET_NOT_ON_SALE", "SLOT_NOT_FOUND", "UNKNOWN_UNIT",
    "UNKNOWN_OPTION", "TOO_FEW_UNITS", "TOO_MANY_UNITS", "UNIT_RESTRICTED", "MIXED_CURRENCIES",
    "PRICE_CHANGED", "VOUCHER_UNKNOWN", "VOUCHER_NOT_VALID", "VOUCHER_EXHAUSTED", "TICKET_NOT_ALLOWED",
    "CREDIT_EXHAUSTED",
)  # fmt: skip
_HELD = ("BOOKING_NOT_FOUND", "BOOKING_EXPIRED", "BOOKING_CANCELLED", "BOOKING_NOT_ON_HOLD")
_CANCEL = ("UNIT_ITEM_UNKNOWN", "UNIT_ITEM_NOT_CANCELLABLE", "CANCELLATION_CLOSED")


def booking_api(ports: PortsSource) -> Api:
    api = Api("booking", PREFIX, tag="bookings")

    def shown(caller: Caller) -> Callable[[Booking], bytes]:
        return lambda booking: shown_booking(booking, ports(), caller)

    @api.route(
        "GET", "/bookings/<uuid:booking_id>", who=HOLDERS, answer=BookingOut, problems=("BOOKING_NOT_FOUND",),
        summary="One booking",
    )  # fmt: skip
    def read(booking_id: UUID, caller: Caller) -> bytes:
        return shown(caller)(bookings.find_booking(booking_id, access_of(caller), ports()))

    @api.route(
        "PATCH", "/bookings/<uuid:booking_id>", who=HOLDERS, body=BookingPatch, answer=BookingOut,
        problems=(
            *_HELD, *SALE_PROBLEMS, "TOTAL_RISES", "CANCELLATION_CLOSED", "UNIT_ITEM_NOT_CANCELLABLE",
        ),
        summary="Change the contact; slots and units while it is on hold, or if a reseller's costs no more",
    )  # fmt: skip
    def amend(booking_id: UUID, body: dict[str, Any], caller: Caller) -> bytes:
        command = AmendBooking(
            booking_id=booking_id,
            access=access_of(caller),
            contact=body.get("customer"),
            items=tuple(body["items"]) if "items" in body else None,
            expected_total=body.get("expected_total"),
        )
        return shown(caller)(bookings.amend_booking(command, ports()))

    @api.route(
        "POST", "/bookings/<uuid:booking_id>/extend", who=HOLDERS, answer=BookingOut, idempotency="accepted",
        problems=(*_HELD, "EXTENSION_LIMIT"), summary="Hold the places longer, at most twice",
    )  # fmt: skip
    def extend(booking_id: UUID, caller: Caller, idempotency: Idempotency | None) -> bytes:
        key = keyed(idempotency, shown(caller))
        command = ExtendHold(booking_id=booking_id, access=access_of(caller), idempotency=key)
        return shown(caller)(bookings.extend_hold(command, ports()))

    @api.route(
        "POST", "/bookings/<uuid:booking_id>/cancel", who=HOLDERS, body=CancelIn, answer=BookingOut,
        idempotency="accepted", problems=("BOOKING_NOT_FOUND", "BOOKING_EXPIRED", *_CANCEL),
        summary="Cancel all, or some unit items; gives back what the policy says",
    )  # fmt: skip
    def cancel(
        booking_id: UUID, body: dict[str, Any], caller: Caller, idempotency: Idempotency | None
    ) -> bytes:
        command = _cancel_command(booking_id, body, caller, keyed(idempotency, shown(caller)))
        return shown(caller)(bookings.cancel_booking(command, ports()))

    return api


def shown_booking(booking: Booking, ports: Ports, caller: Caller) -> bytes:
    """The booking as its holder sees it."""
    token = ports.booking_tokens.pay(booking.id)
    payment_url = f"{ports.public_url}{PREFIX}/bookings/{booking.id}/pay?t={token}"
    document = booking_document(booking, ports.clock(), payment_url, with_resale=sees_resale(caller))
    return rendered(document)


def _cancel_command(
    booking_id: UUID, body: dict[str, Any], caller: Caller, key: Idempotency | None
) -> CancelBooking:
    percent = body.get("refund_percent")
    if percent is not None and not caller.has("support"):
        raise problem("FORBIDDEN", "Only support decides what is given back.")
    unit_item_ids = body.get("unit_item_ids")
    return CancelBooking(
        booking_id=booking_id,
        access=access_of(caller),
        reason=body["reason"],
        unit_item_ids=None if unit_item_ids is None else tuple(unit_item_ids),
        refund_percent=percent,
        idempotency=key,
    )
