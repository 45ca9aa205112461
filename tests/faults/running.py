"""A running service with sandbox and worker, a place that is for sale, and a payer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from common.clock import system_clock
from common.database import StoreUnavailable
from common.identifiers import uuid7
from tests.beneath import Beneath, open_beneath
from tests.contract.builders import make_option, make_schedule, plain_unit
from tests.contract.world import World
from tests.migrated import with_tables
from tests.servers.process import eventually
from tests.servers.stack import ServiceStack
from ticketing_service.storage.opening import migrate, open_store

PRICE = 1000
PLACES = 100_000
HANG_SECONDS = 120
HURRY_SECONDS = 0.5


class Running:
    """`with Running(folder, url) as service`; its calls are repeated while something of it is down."""

    def __init__(self, folder: Path, url: str, **stack: Any) -> None:
        with_tables(url, migrate)
        self.database = open_beneath(url)
        self.slot, self.unit = _place(url)
        self.stack = ServiceStack(folder / "data", database_url=url, **stack)

    def behave(self, **behaviour: Any) -> None:
        """Tell the sandbox how to behave from now on."""
        headers = {"Authorization": f"Bearer {self.stack.env['PAYMENT_API_TOKEN']}"}
        url = f"{self.stack.payment_url}/sandbox/behaviour"
        httpx.put(url, json=behaviour, headers=headers).raise_for_status()

    def call(
        self, method: str, path: str, body: Any = None, key: str | None = None, allowed: Sequence[str] = ()
    ) -> dict[str, Any]:
        """The answer as JSON, once there is one; AssertionError for a refusal but those `allowed`."""
        headers = self.stack.bearer("support") | ({"Idempotency-Key": key} if key else {})
        url = f"{self.stack.ticketing_url}/api/v1{path}"
        give_up = time.monotonic() + HANG_SECONDS
        while True:
            try:
                answer = httpx.request(method, url, json=body, headers=headers, timeout=15)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code not in (502, 503):
                document = dict(answer.json())
                assert answer.status_code < 300 or document["code"] in allowed, f"{path}: {document}"
                return document
            assert time.monotonic() < give_up, f"{method} {path} stays without answer"
            time.sleep(0.05)

    def hold(self, quantity: int = 1) -> dict[str, Any]:
        body = {
            "items": [{"slotId": self.slot, "units": [{"unitId": self.unit, "quantity": quantity}]}],
            "customer": {"name": "Ann", "email": "ann@example.org", "language": "en"},
        }
        return self.call("POST", "/bookings", body, uuid7().hex)

    def open_payment(self, booking: dict[str, Any]) -> dict[str, Any]:
        """A repetition may find that it was paid already."""
        path = f"/bookings/{booking['id']}/payment"
        return self.call("POST", path, allowed=("BOOKING_NOT_ON_HOLD",))

    def booking(self, booking: dict[str, Any]) -> dict[str, Any]:
        """As it is now."""
        return self.call("GET", f"/bookings/{booking['id']}")

    def reset(self, breaker: str) -> None:
        """Close it in all processes, as an operator does who knows that the dependency is back."""
        url = f"{self.stack.ticketing_url}/api/v1/monitoring/circuit-breakers/{breaker}/reset"
        with suppress(httpx.TransportError):  # the web workers are being killed
            httpx.post(url, headers=self.stack.bearer("operator"), timeout=15)

    def kill_worker(self) -> None:
        """Kill -9 and start anew; the lease of the dead one ends at once, as it does after ten seconds."""
        self.stack.worker.kill()
        eventually(self._lease_is_ended, seconds=HANG_SECONDS, what="the dead worker's lease being free")
        self.stack.worker.start()

    def _lease_is_ended(self) -> bool:
        try:
            self.database.end_leases(system_clock())
        except StoreUnavailable:
            return False  # MongoDB keeps for some seconds what the dead one had not committed
        return True

    def wait_until_settled(self) -> None:
        """Until nothing is open with the module and no task is left. What is put off comes up at once."""
        wait_until_settled(self.database)

    def __enter__(self) -> Running:
        self.stack.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.stack.close()
        self.database.close()


def wait_until_settled(database: Beneath) -> None:
    """Until no payment is open with the module and no task is left. What is put off comes up at once."""
    hurried_at = 0.0

    def is_settled() -> bool:
        nonlocal hurried_at
        if _is_settled(database):
            return True
        if time.monotonic() >= hurried_at + HURRY_SECONDS:
            database.hurry(system_clock())
            hurried_at = time.monotonic()
        return False

    eventually(is_settled, seconds=HANG_SECONDS, every=0.1, what="everything being settled")


def _is_settled(database: Beneath) -> bool:
    tables = database.tables("payments", "outbox")
    return not tables["outbox"] and all(row.next_look_at is None for row in tables["payments"])


def _place(url: str) -> tuple[str, str]:
    store = open_store(url, threads=1)
    world, now = World(store), system_clock()
    unit = plain_unit(PRICE)
    ticket = world.ticket(options=(make_option(unit),))
    first_day = now.date().replace(year=now.year + 1, day=1)
    world.put(ticket, make_schedule(ticket, first_day=first_day, capacity=PLACES), now)
    (slot,) = world.slots(ticket, first_day, 1)
    store.close()
    return str(slot.id), str(unit.id)
