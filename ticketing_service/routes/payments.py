"""Paying a booking, and what the payment module has to say."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from flask import Response, request

from common.auth.policy import Caller, proven_by
from common.web.api import Api
from common.web.problems import problem
from ticketing_service.actions import payments
from ticketing_service.actions.payments import ConfirmBooking, Notice, OpenPayment, PayByLink
from ticketing_service.routes.booking import HOLDERS, shown_booking
from ticketing_service.routes.calling import PREFIX, PortsSource, access_of
from ticketing_service.schemas.booking_answers import BookingOut, PaymentOut, payment_document
from ticketing_service.schemas.bookings import PayQuery
from ticketing_service.schemas.documents import rendered

MAX_WEBHOOK_BYTES = 64 * 1024
SIGNATURE = "X-Signature"
_PAYING = (
    "BOOKING_NOT_FOUND", "BOOKING_EXPIRED", "BOOKING_CANCELLED", "BOOKING_NOT_ON_HOLD", "PAYMENT_NOT_NEEDED",
    "PAYMENT_UNAVAILABLE",
)  # fmt: skip
_CONFIRMING = (
    "BOOKING_NOT_FOUND", "BOOKING_EXPIRED", "BOOKING_CANCELLED", "PAYMENT_PENDING", "PAYMENT_REQUIRED",
    "PAYMENT_UNAVAILABLE",
)  # fmt: skip


def payments_api(ports: PortsSource) -> Api:
    api = Api("payments", PREFIX)

    @api.route(
        "GET", "/bookings/<uuid:booking_id>/pay", who=proven_by("t", "query"), query=PayQuery, status=303,
        problems=_PAYING, produces="text/plain", summary="Go and pay: redirects to the payment session",
    )  # fmt: skip
    def pay(booking_id: UUID, query: dict[str, Any]) -> Response:
        payment = payments.pay_by_link(PayByLink(booking_id=booking_id, token=query["t"]), ports())
        return Response("", 303, {"Location": payment.redirect_url or ""}, content_type="text/plain")

    @api.route(
        "POST", "/bookings/<uuid:booking_id>/payment", who=HOLDERS, answer=PaymentOut, problems=_PAYING,
        summary="The payment session; a new one after a decline",
    )  # fmt: skip
    def open_session(booking_id: UUID, caller: Caller) -> bytes:
        command = OpenPayment(booking_id=booking_id, access=access_of(caller))
        return rendered(payment_document(payments.open_payment(command, ports())))

    @api.route(
        "POST", "/bookings/<uuid:booking_id>/confirm", who=HOLDERS, answer=BookingOut, problems=_CONFIRMING,
        summary="Confirm a booking that is paid or costs nothing; any number of times",
    )  # fmt: skip
    def confirm(booking_id: UUID, caller: Caller) -> bytes:
        command = ConfirmBooking(booking_id=booking_id, access=access_of(caller))
        return shown_booking(payments.confirm_booking(command, ports()), ports(), caller)

    @api.route(
        "POST", "/webhooks/payment", who=proven_by(SIGNATURE), body=bytes, max_body_bytes=MAX_WEBHOOK_BYTES,
        problems=("SIGNATURE_INVALID", "PAYMENT_UNAVAILABLE"),
        summary="The payment module says that something happened to a payment",
    )  # fmt: skip
    def webhook(body: bytes) -> dict[str, str]:
        payments.check_signature(body, request.headers.get(SIGNATURE), ports())
        payments.heed(_notice(body), ports())
        return {"status": "received"}

    return api


def _notice(body: bytes) -> Notice:
    try:
        event = orjson.loads(body)
        provider_id, resource_id = event["paymentId"], event["resourceId"]
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise problem("MALFORMED_JSON", "Neither paymentId nor resourceId can be found.") from error
    if not isinstance(provider_id, str) or not isinstance(resource_id, str):
        raise problem("MALFORMED_JSON", "paymentId and resourceId are texts.")
    return Notice(provider_id[:200], resource_id[:200])
