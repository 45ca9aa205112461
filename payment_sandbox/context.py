"""What every route needs: the open sandbox, the bearer token, the answers' common shape."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from typing import Any, cast

from flask import Response, current_app, request

from payment_sandbox import payments
from payment_sandbox.behaviour import Behaviour, BehaviourSwitch
from payment_sandbox.errors import Refusal
from payment_sandbox.settings import Settings
from payment_sandbox.store import Store
from payment_sandbox.webhooks import Deliverer

EXTENSION = "payment_sandbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """The parts of a running sandbox."""

    settings: Settings
    store: Store
    behaviour: BehaviourSwitch
    deliverer: Deliverer

    @property
    def told(self) -> Behaviour:
        """How to behave right now."""
        return self.behaviour.current

    def notify(self, payment_id: str) -> None:
        """After a commit: let webhooks go out, before the answer if told so."""
        if self.told.webhooks.before_answer:
            with self.store.transaction() as tx:
                payments.settle_refunds(tx, self.told, payment_id)
            self.deliverer.deliver_payment(payment_id)
        self.deliverer.wake()


def open_sandbox(settings: Settings) -> Sandbox:
    """Open the store and prepare the delivery thread (not yet started)."""
    store = Store(settings.database_path)
    behaviour = BehaviourSwitch(store)

    def sweep() -> None:
        with store.transaction() as tx:
            payments.settle_refunds(tx, behaviour.current)
            payments.expire_due(tx, behaviour.current)

    return Sandbox(
        settings=settings, store=store, behaviour=behaviour, deliverer=Deliverer(store, settings, sweep)
    )


def here() -> Sandbox:
    """The sandbox that serves this request."""
    return cast(Sandbox, current_app.extensions[EXTENSION])


def bears_token() -> bool:
    """Whether the call carries the service token. Raises Refusal 401 when it carries a wrong one."""
    header = request.headers.get("Authorization")
    if header is None:
        return False
    scheme, _, given = header.partition(" ")
    known = [
        hmac.compare_digest(given.strip().encode(), token.encode()) for token in here().settings.api_tokens
    ]
    if scheme.lower() != "bearer" or not any(known):
        raise Refusal(401, "UNAUTHORIZED", "The service token is wrong.")
    return True


def require_token() -> None:
    """Raises Refusal 401 unless the call carries the service token."""
    if not bears_token():
        raise Refusal(401, "UNAUTHORIZED", "This call needs the service token.")


def wrap(data: Any) -> str:
    """The body of a success."""
    return json.dumps({"success": True, "data": data}, separators=(",", ":"))


def ok(data: Any) -> Response:
    """200 with `data`."""
    return json_response(200, wrap(data))


def refused(refusal: Refusal) -> Response:
    """The answer to a refused call."""
    error = {"code": refusal.code, "message": refusal.message}
    response = json_response(refusal.status, json.dumps({"success": False, "error": error}))
    if refusal.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if refusal.status == 503:
        response.headers["Retry-After"] = "1"
    return response


def json_response(status: int, body: str) -> Response:
    """A JSON answer that nobody keeps."""
    response = Response(body, status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response
