"""A small destination behind the real app: real store, real payment sandbox, a clock that the test owns."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from marshmallow import Schema
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from common.auth.standing import KeyUses
from common.settings import load
from common.web.api import operations_of
from common.web.operations import Operation
from tests.migrated import with_tables
from tests.sandbox.running import SECRET, TOKEN, SandboxProcess
from tests.servers.issuer import Issuer
from ticketing_service import wiring
from ticketing_service.actions.known_resellers import KnownResellers
from ticketing_service.app import create_app
from ticketing_service.domain.catalogue import Poi, Point
from ticketing_service.storage.opening import migrate

API = "/api/v1"
TOWER, MUSEUM, UNKNOWN = (uuid.UUID(int=number) for number in (1, 2, 3))
START = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
TODAY = "2026-07-01"
CUSTOMER = {"name": "Ann Example", "email": "ann@example.org", "language": "nl"}


class Reply(TestResponse):
    """An answer whose JSON a test takes as it comes."""

    json: Any


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


class Shop:
    """The app with a client. Every answer is held to what its route declares.

    Several on one folder and database are the processes of one service. `settings`: more of them.
    """

    def __init__(
        self, folder: Path, database_url: str, payment_url: str, clock: Clock | None = None, **settings: str
    ) -> None:
        self.clock = clock or Clock()
        self.issuer = Issuer(folder, clock=self.clock)
        environ = {
            "DATA_DIR": str(folder),
            "TICKETING_DATABASE_URL": database_url,
            "PAYMENT_API_URL": payment_url,
            "PAYMENT_API_TOKEN": TOKEN,
            "PAYMENT_WEBHOOK_SECRET": SECRET,
            "PUBLIC_URL": "http://shop.test:3001",
            "POI_DIRECTORY": str(folder / "none.geojson"),
            **self.issuer.settings,
            **settings,
        }
        self.settings = load("ticketing", environ)
        with_tables(database_url, migrate)
        running = wiring.run_web(self.settings)
        of_all = running.ports.known_resellers.signal
        store, seconds = running.ports.store.resellers, lambda: self.clock().timestamp()
        known = KnownResellers(store, of_all, monotonic=seconds)
        # what is noted here is not written down behind a test's back
        self.ports = replace(
            running.ports, clock=self.clock, known_resellers=known, reseller_key_uses=KeyUses()
        )
        # Nothing is written in the middle of a look at the store; whom it concerns calls it.
        beside = tuple(each for each in running.beside if each.name != "reseller-key-uses")
        self.running = replace(running, ports=self.ports, beside=beside)
        running.parts.caches.use_clock(self.clock)
        self.app = create_app(self.settings, self.running)
        self.client = self.app.test_client()
        self._declared = {(each.name, each.method): each for each in operations_of(self.app)}
        self.ports.store.catalogue.put_pois([_poi(TOWER, "Tower"), _poi(MUSEUM, "Museum")])

    def close(self) -> None:
        self.app.extensions["process"].end()

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: str | None = None,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        **how: Any,
    ) -> Reply:
        """One request below /api/v1; `role` or `token` says who sends it."""
        sent = dict(headers or {})
        if role is not None:
            token = self.issuer.issue(role, ttl=timedelta(days=400))
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            how["json"] = body
        answer = cast(Reply, self.client.open(API + path, method=method, headers=sent, **how))
        self._hold_to_declaration(answer)
        return answer

    def _hold_to_declaration(self, answer: Reply) -> None:
        operation = self._operation(answer.request.path, answer.request.method)
        assert answer.status_code < 500 or answer.status_code == 503, answer.get_data(as_text=True)
        if operation is None or answer.status_code != operation.status or not answer.is_json:
            return
        if isinstance(operation.answer, Schema):
            faults = operation.answer.validate(answer.json)
            assert not faults, f"{operation.method} {operation.rule} answers {faults}"

    def _operation(self, path: str, method: str) -> Operation | None:
        try:
            endpoint, _ = self.app.url_map.bind("shop.test").match(path, method)
        except HTTPException:
            return None
        return self._declared.get((endpoint, method))

    def ticket(self, **changes: Any) -> dict[str, Any]:
        """A new ticket, on sale."""
        answer = self.call("POST", "/tickets", ticket(**changes), role="ticket_manager")
        assert answer.status_code == 201, answer.json
        return dict(answer.json)

    def slots(self, ticket: dict[str, Any], capacity: int | None = 10, **rule: Any) -> list[dict[str, Any]]:
        """The ticket's slots after it was given a schedule, one a day."""
        rules = [{**_rule(ticket, capacity), **rule}]
        path = f"/tickets/{ticket['id']}"
        answer = self.call("PUT", f"{path}/schedule", {"rules": rules}, role="ticket_manager")
        assert answer.status_code == 200, answer.json
        return list(self.call("GET", f"{path}/availability").json["data"])

    def hold(self, *items: dict[str, Any], key: str | None = None, **more: Any) -> Reply:
        """POST /bookings, as a guest unless `role` says otherwise."""
        who = {name: more.pop(name) for name in ("role", "token") if name in more}
        body = {"items": list(items), "customer": CUSTOMER, **more}
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        return self.call("POST", "/bookings", body, headers=headers, **who)

    def paid(self, sandbox: SandboxProcess, *items: dict[str, Any]) -> dict[str, Any]:
        """A confirmed booking, with its access token."""
        booking = self.hold(*items).json
        session = self.call("POST", f"/bookings/{booking['id']}/payment", token=booking["accessToken"])
        assert session.status_code == 200, session.json
        payment = self.ports.store.payments.of_booking(uuid.UUID(booking["id"]))[0]
        settle(sandbox, payment.provider_id, "capture")
        answer = self.call("POST", f"/bookings/{booking['id']}/confirm", token=booking["accessToken"])
        assert answer.status_code == 200, answer.json
        return {**answer.json, "accessToken": booking["accessToken"]}

    def webhook(self, body: dict[str, Any], secret: str = SECRET, late: float = 0) -> Reply:
        """A webhook signed `late` seconds ago."""
        raw = json.dumps(body).encode()
        stamp = str(int(self.clock.now.timestamp() - late))
        code = hmac.new(secret.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
        headers = {"X-Signature": f"t={stamp},v1={code}", "Content-Type": "application/json"}
        return self.call("POST", "/webhooks/payment", headers=headers, data=raw)


def ticket(**changes: Any) -> dict[str, Any]:
    """A body for POST /tickets that is accepted: day admission to the tower."""
    unit = {
        "type": "ADULT",
        "title": {"en": "Adult", "nl": "Volwassene"},
        "price": {"amount": 1000, "currency": "EUR"},
    }
    option = {"title": {"en": "Standard"}, "default": True, "units": [unit]}
    return {
        "poiId": str(TOWER),
        "type": "single",
        "status": "active",
        "availabilityType": "OPENING_HOURS",
        "title": {"en": "Tower", "nl": "Toren"},
        "description": {"en": "High.\nVery high."},
        "options": [option],
        **changes,
    }


def item(slot: dict[str, Any], quantity: int = 1) -> dict[str, Any]:
    """An item of a booking: so many of the slot's first unit."""
    unit_id = slot["units"][0]["unitId"]
    return {"slotId": slot["id"], "units": [{"unitId": unit_id, "quantity": quantity}]}


def refusal(answer: Reply) -> tuple[int, str]:
    """Status and code of a problem document, or of what OCTO has in its place."""
    if answer.request.path.startswith(f"{API}/octo/"):
        error = answer.json["error"]
        return answer.status_code, {"UNAUTHORIZED": "UNAUTHENTICATED"}.get(error, error)
    assert answer.content_type == "application/problem+json", answer.get_data(as_text=True)
    return answer.status_code, answer.json["code"]


def pointers(answer: Reply) -> list[tuple[str, str]]:
    """Where a problem document sees the faults, and which."""
    return [(error["pointer"], error["code"]) for error in answer.json["errors"]]


def _rule(ticket: dict[str, Any], capacity: int | None) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "optionId": ticket["options"][0]["id"],
        "rrule": "FREQ=DAILY",
        "dateFrom": TODAY,
        "capacity": capacity,
    }
    if ticket["availabilityType"] == "START_TIME":
        return {**rule, "startTimes": ["14:00"], "durationMinutes": 60}
    return {**rule, "openingHours": [{"opens": "09:00", "closes": "18:00"}]}


def _poi(poi_id: uuid.UUID, name: str) -> Poi:
    return Poi(
        id=poi_id,
        names={"en": name},
        city="Delft",
        category="museum",
        point=Point(latitude=52.01, longitude=4.36),
        time_zone="Europe/Amsterdam",
        version=1,
    )


def settle(sandbox: SandboxProcess, provider_id: str | None, outcome: str) -> None:
    """Let the payer of a session pay (`capture`) or be declined (`decline`)."""
    assert provider_id is not None
    answer = sandbox.force(provider_id, outcome=outcome)
    assert answer.status_code == 200, answer.text
