"""The payment API: create, read, capture, cancel and refund."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from payment_sandbox import bodies, model, payments
from payment_sandbox.context import (
    EXTENSION,
    Sandbox,
    bears_token,
    here,
    json_response,
    ok,
    refused,
    require_token,
    wrap,
)
from payment_sandbox.control import control
from payment_sandbox.errors import Refusal
from payment_sandbox.page import page
from payment_sandbox.store import Answer

log = logging.getLogger("payment_sandbox")

MAX_BODY_BYTES = 64 * 1024

api = Blueprint("api", __name__, url_prefix="/api/v1/payments")


def create_app(sandbox: Sandbox) -> Flask:
    """The WSGI application over an open sandbox."""
    app = Flask(__name__)
    app.extensions[EXTENSION] = sandbox
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.register_blueprint(api)
    app.register_blueprint(page)
    app.register_blueprint(control)
    app.add_url_rule("/health", view_func=health)
    app.register_error_handler(Refusal, refused)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, broken)
    return app


def health() -> Response:
    """The process answers and its file can be read."""
    with here().store.reading() as connection:
        connection.execute("SELECT 1 FROM payments LIMIT 1").fetchone()
    return ok({"status": "healthy"})


def http_error(error: HTTPException) -> Response:
    """Answers of the framework (404, 405, 413) in the contract's shape."""
    code = error.name.upper().replace(" ", "_")
    response = refused(Refusal(error.code or 500, code, f"{error.name}."))
    for name, value in error.get_headers():
        if name.lower() == "allow":
            response.headers["Allow"] = value
    return response


def broken(error: Exception) -> Response:
    """A fault of our own: logged whole, answered without detail."""
    log.error("unexpected failure", exc_info=error)
    return refused(Refusal(500, "INTERNAL_ERROR", "The payment module failed."))


@api.before_request
def suffer_before() -> None:
    """Every call to the API misbehaves as told; only reading one payment is open to all."""
    if request.method == "GET":
        g.is_merchant = bears_token()
    else:
        require_token()
    g.fault = here().behaviour.draw()
    if g.fault.at == "before":
        here().behaviour.suffer(g.fault)


@api.after_request
def suffer_after(response: Response) -> Response:
    """The effect has happened; the caller does not get to know."""
    fault = g.get("fault")
    if fault is None or fault.at == "before":
        return response
    try:
        here().behaviour.suffer(fault)
    except Refusal as refusal:
        return refused(refusal)
    return response


@api.post("")
def create() -> Response:
    """A new payment and the session to pay it in."""
    if request.mimetype != "application/json":
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", "The body must be application/json.")
    order = bodies.read_order(request.get_data())
    settings, told = here().settings, here().told

    def effect(tx: sqlite3.Connection) -> tuple[str, Answer]:
        payment = payments.create(
            tx, order, capture_mode=settings.capture_mode, session_ms=settings.session_minutes * 60_000
        )
        if told.auto_pay == "decline":
            payments.fail(tx, told, payment.id, "declined")
        elif told.auto_pay:
            payments.pay(tx, told, payment.id, told.auto_pay)
        return payment.id, Answer(201, wrap(model.created_json(payment, settings.public_url)))

    return once(effect)


@api.get("/<uuid:payment_id>")
def read(payment_id: UUID) -> Response:
    """The payment as of now: whole for the merchant, the bare facts for a payer's browser."""
    with here().store.transaction() as tx:
        payment = payments.current(tx, here().told, str(payment_id))
        refunds = model.refunds_of(tx, payment.id)
    if not g.is_merchant:
        return ok(model.public_json(payment))
    return ok(model.full_json(payment, refunds, here().settings.public_url))


@api.post("/<uuid:payment_id>/capture")
def capture(payment_id: UUID) -> Response:
    """Take the authorised money."""
    amount = bodies.read_capture(request.get_data())
    told = here().told

    def effect(tx: sqlite3.Connection) -> tuple[str, Answer]:
        if told.refuse_capture == "temporary":
            raise Refusal(503, "TEMPORARILY_UNAVAILABLE", "The bank does not answer. Try again later.")
        if told.refuse_capture == "permanent":
            payments.known(tx, str(payment_id))
            raise Refusal(422, "CAPTURE_REFUSED", "The bank refuses to pay out this authorisation.")
        return changed(tx, payments.capture(tx, told, str(payment_id), amount))

    return once(effect)


@api.post("/<uuid:payment_id>/cancel")
def cancel(payment_id: UUID) -> Response:
    """Give up a payment that is not captured."""
    bodies.read_object(request.get_data(), {"reason"})
    told = here().told
    return once(lambda tx: changed(tx, payments.cancel(tx, told, str(payment_id))))


@api.post("/<uuid:payment_id>/refunds")
def refund(payment_id: UUID) -> Response:
    """Pay back a part of what was captured, or all of it."""
    order = bodies.read_refund(request.get_data())

    def effect(tx: sqlite3.Connection) -> tuple[str, Answer]:
        payment, made = payments.refund(tx, str(payment_id), order)
        return payment.id, Answer(201, wrap(model.refund_json(made, payment.currency)))

    return once(effect)


def changed(tx: sqlite3.Connection, payment: model.Payment) -> tuple[str, Answer]:
    """The answer that shows a changed payment."""
    shown = model.full_json(payment, model.refunds_of(tx, payment.id), here().settings.public_url)
    return payment.id, Answer(200, wrap(shown))


def once(effect: Callable[[sqlite3.Connection], tuple[str, Answer]]) -> Response:
    """Do it once per Idempotency-Key, then let the webhooks go. Raises Refusal 400 or 422."""
    key = request.headers.get("Idempotency-Key", "")
    if not key:
        raise Refusal(400, "IDEMPOTENCY_KEY_REQUIRED", "The Idempotency-Key header is missing.")
    if not 16 <= len(key) <= 64 or not all("!" <= character <= "~" for character in key):
        raise Refusal(400, "IDEMPOTENCY_KEY_INVALID", "Idempotency-Key must be 16 to 64 visible characters.")
    touched: list[str] = []

    def keep(tx: sqlite3.Connection) -> Answer:
        payment_id, answer = effect(tx)
        touched.append(payment_id)
        return answer

    answer = here().store.once(key, fingerprint(), keep)
    for payment_id in touched:
        here().notify(payment_id)
    return json_response(answer.status, answer.body)


def fingerprint() -> str:
    """What the key stands for: the route and the body, spaces and the order of fields aside."""
    body = bodies.canonical(request.get_data())
    return hashlib.sha256(f"{request.method} {request.path}\n{body}".encode()).hexdigest()
