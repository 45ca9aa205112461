"""`/sandbox/...`: tests tell the sandbox how to behave and look inside. Never routed by the gateway."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from payment_sandbox import bodies, model, payments
from payment_sandbox.behaviour import as_json, parse_behaviour
from payment_sandbox.context import here, ok, require_token
from payment_sandbox.errors import invalid
from payment_sandbox.webhooks import list_deliveries, release_withheld

control = Blueprint("control", __name__, url_prefix="/sandbox")

control.before_request(require_token)


@control.get("/behaviour")
def read_behaviour() -> Response:
    """How the sandbox behaves now."""
    return ok(as_json(here().told))


@control.put("/behaviour")
def change_behaviour() -> Response:
    """Behave like this from now on; what is left out is normal, so {} ends all misbehaviour."""
    here().behaviour.tell(parse_behaviour(request.get_data()))
    return ok(as_json(here().told))


@control.get("/payments")
def list_all_payments() -> Response:
    """The newest payments, of one resource or of all."""
    limit = read_limit()
    with here().store.reading() as connection:
        found = model.list_payments(connection, request.args.get("resourceId"), limit)
        refunds = {payment.id: model.refunds_of(connection, payment.id) for payment in found}
    url = here().settings.public_url
    return ok([model.full_json(payment, refunds[payment.id], url) for payment in found])


@control.post("/payments/<uuid:payment_id>/outcome")
def force_outcome(payment_id: UUID) -> Response:
    """Pay, decline or expire a payment as if the payer had done it, a wrong amount included."""
    outcome = bodies.read_outcome(request.get_data())
    with here().store.transaction() as tx:
        payment = payments.force(tx, here().told, str(payment_id), outcome)
    here().notify(payment.id)
    return ok(model.full_json(payment, [], here().settings.public_url))


@control.get("/deliveries")
def read_deliveries() -> Response:
    """The newest webhook deliveries and what became of them."""
    arguments, limit = request.args, read_limit()
    with here().store.reading() as connection:
        return ok(list_deliveries(connection, arguments.get("paymentId"), arguments.get("state"), limit))


@control.post("/deliveries/flush")
def flush_deliveries() -> Response:
    """Send now whatever was withheld, given up or is waiting; the newest first."""
    with here().store.transaction() as tx:
        released = release_withheld(tx)
    here().deliverer.wake()
    return ok({"released": released})


def read_limit() -> int:
    """`?limit=`, 1 to 1000, 100 by default. Raises Refusal 422."""
    text = request.args.get("limit", "100")
    if not (len(text) <= 4 and text.isascii() and text.isdigit() and 1 <= int(text) <= 1000):
        raise invalid("limit must be a whole number from 1 to 1000.")
    return int(text)
