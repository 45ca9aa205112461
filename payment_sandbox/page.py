"""The page on which a payer pays, declines or walks away."""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from sqlite3 import Connection
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from payment_sandbox import payments
from payment_sandbox.context import here
from payment_sandbox.errors import Refusal
from payment_sandbox.model import Payment
from payment_sandbox.store import iso, now_ms

# ISO 4217: currencies that do not have two digits of minor units.
MINOR_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
ACTIONS = ("pay", "decline", "expire")


@dataclass(frozen=True, slots=True)
class Notice:
    """What the page says about a payment: tone (colour and mark), heading, one sentence."""

    tone: str
    heading: str
    sentence: str


NOTICES = {
    "pending": Notice("open", "Complete your payment", "Check the details, then pay or decline."),
    "authorized": Notice("good", "Payment authorised", "The amount is reserved. The seller will collect it."),
    "captured": Notice("good", "Payment complete", "Thank you. The amount has been paid."),
    "cancelled": Notice("quiet", "Payment cancelled", "The seller cancelled it. Nothing is taken from you."),
    "refunded": Notice("quiet", "Payment refunded", "The whole amount has been paid back."),
    "partially_refunded": Notice("quiet", "Payment partly refunded", "A part has been paid back."),
    "declined": Notice("bad", "Payment declined", "Nothing was taken. You can try again from the shop."),
    "expired": Notice("bad", "Payment session ended", "The time to pay is over. Nothing was taken."),
}
UNKNOWN = Notice("bad", "Payment not found", "There is no such payment. Please go back to the shop.")
FORBIDDEN = Notice("bad", "This link does not fit", "Please open the payment again from the shop.")

page = Blueprint("page", __name__, url_prefix="/api/v1/payments", template_folder="templates")


@page.get("/<uuid:payment_id>/page")
def show(payment_id: UUID) -> Response:
    """What is to be paid, or how it ended."""
    with here().store.transaction() as tx:
        payment = payments.current(tx, here().told, str(payment_id))
    require_session(payment, request.args.get("session", ""))
    here().deliverer.wake()
    return show_payment(payment)


@page.post("/<uuid:payment_id>/page")
def act(payment_id: UUID) -> AnyResponse:
    """One of the three buttons. A payment that is finished stays as it is."""
    action = request.form.get("action", "")
    with here().store.transaction() as tx:
        payment = payments.current(tx, here().told, str(payment_id))
        require_session(payment, request.form.get("session", ""))
        if payment.status == "pending":
            payment = press(tx, payment, action)
    here().notify(payment.id)
    target = back_to_shop(payment) or f"page?{urlencode({'session': payment.session_id})}"
    return redirect(target, 303)


@page.errorhandler(Refusal)
def refuse(refusal: Refusal) -> Response:
    """A refusal for people: the same status, as a page."""
    notice = FORBIDDEN if refusal.status == 403 else UNKNOWN
    if refusal.status not in (403, 404):
        notice = Notice("bad", "That did not work", refusal.message)
    return render(refusal.status, notice=notice, payment=None)


def press(tx: Connection, payment: Payment, action: str) -> Payment:
    """Do what the button says. Raises Refusal 422 for a button that is not there."""
    told = here().told
    if action == "pay":
        return payments.pay(tx, told, payment.id, payment.capture_mode)
    if action not in ACTIONS:
        raise Refusal(422, "VALIDATION_FAILED", "Please use one of the buttons.")
    return payments.fail(tx, told, payment.id, "declined" if action == "decline" else "expired")


def require_session(payment: Payment, given: str) -> None:
    """Raises Refusal 403 unless the session is this payment's."""
    if not hmac.compare_digest(given.encode("utf-8", "replace"), payment.session_id.encode()):
        raise Refusal(403, "WRONG_SESSION", "The session does not belong to this payment.")


def back_to_shop(payment: Payment) -> str | None:
    """The shop's address with `paymentId` and `status` added; None when the shop gave none."""
    if payment.return_url is None:
        return None
    parts = urlsplit(payment.return_url)
    query = [*parse_qsl(parts.query, keep_blank_values=True), ("paymentId", payment.id)]
    return urlunsplit(parts._replace(query=urlencode([*query, ("status", payment.status)])))


def show_payment(payment: Payment) -> Response:
    """The page of a payment in whatever state it is."""
    notice = NOTICES[payment.failure or "declined" if payment.status == "failed" else payment.status]
    metadata = json.loads(payment.metadata)
    seconds_left = max(0, payment.expires_at - now_ms()) // 1000
    response = render(
        200,
        notice=notice,
        payment=payment,
        amount=money(payment.amount, payment.currency),
        details=[
            ("For", plain_text(metadata.get("description")) or "Tickets"),
            ("Booking", plain_text(metadata.get("reference")) or payment.resource_id),
            ("Payment reference", payment.reference),
        ],
        minutes_left=-(-seconds_left // 60),
        ends_at=iso(payment.expires_at),
        ends_at_text=datetime.fromtimestamp(payment.expires_at / 1000, UTC).strftime("%H:%M UTC"),
        back=back_to_shop(payment),
    )
    if payment.status == "pending":
        # The page tells by itself, without a script, that the time is over.
        response.headers["Refresh"] = str(seconds_left + 1)
    return response


def render(status: int, *, payment: Payment | None, **values: object) -> Response:
    """The page with its headers: no script, no frame, nothing kept, no session in a referrer."""
    nonce = secrets.token_urlsafe(16)
    response = Response(render_template("page.html", nonce=nonce, payment=payment, **values), status=status)
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self'{form_target(payment)}"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def form_target(payment: Payment | None) -> str:
    """The shop's origin: browsers hold the redirect after a form to `form-action` too."""
    if payment is None or payment.return_url is None:
        return ""
    parts = urlsplit(payment.return_url)
    origin = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    # A host with such characters would end the directive; the browser then stays on this page.
    return "" if any(character in origin for character in ";, '\"") else f" {origin}"


def plain_text(value: object) -> str:
    """A text of the merchant's that can be shown, else nothing."""
    return value[:200] if isinstance(value, str) and value.isprintable() else ""


def money(amount: int, currency: str) -> str:
    """Minor units for people: 123450 EUR is 1,234.50 EUR."""
    digits = next((digits for digits, listed in MINOR_DIGITS.items() if currency in listed.split()), 2)
    whole, part = divmod(amount, 10**digits)
    return f"{whole:,}.{part:0{digits}d} {currency}" if digits else f"{whole:,} {currency}"
