"""A client process over HTTP: threads that hold, pay, change and cancel, and repeat what got no answer.

python -m tests.invariants.web_client configuration.json
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import orjson

from common.identifiers import uuid7
from tests.counts import counts
from tests.invariants.checker import KEY_PREFIX
from tests.invariants.client_process import read_configuration, run_threads
from tests.invariants.destination import Destination
from tests.invariants.records import OK, REFUSED, UNKNOWN, Record
from ticketing_service.domain.orders import ItemOrder

API = "/api/v1"
GIVE_UP_SECONDS = counts(120, 600)
PAUSE_SECONDS = 0.05
TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A hold that was acknowledged."""

    booking: str
    key: str
    body: dict[str, Any]
    total: int


class WebClient:
    """One thread's share of the load, as staff: guests' holds are limited by address."""

    def __init__(self, name: str, configuration: dict[str, Any], pool: list[Held], out: BinaryIO) -> None:
        self.name = name
        self._destination = Destination.of(configuration["destination"])
        self._pool = pool
        self._out = out
        # a load that is to go on until enough has happened to it
        self._until = Path(configuration["until"]) if "until" in configuration else None
        self._client = httpx.Client(
            base_url=configuration["base_url"] + API,
            headers=configuration["headers"],
            timeout=TIMEOUT_SECONDS,
            trust_env=False,
        )

    def run(self, chance: random.Random, operations: int) -> None:
        moves: list[tuple[Callable[[random.Random], None], int]] = [
            (self._hold, 50),
            (self._confirm, 25),
            (self._cancel, 8),
            (self._extend, 4),
            (self._amend, 5),
            (self._repeat, 8),
        ]
        done = 0
        while done < operations or (self._until is not None and not self._until.exists()):
            done += 1
            (move,) = chance.choices([move for move, _ in moves], [weight for _, weight in moves])
            if move == self._hold or self._pool:
                move(chance)
        self._client.close()

    def _hold(self, chance: random.Random) -> None:
        key = uuid7().hex
        body: dict[str, Any] = {
            "items": _items(self._destination.items(chance)),
            "customer": {"name": KEY_PREFIX + key, "email": f"{key}@example.org", "language": "en"},
        }
        if chance.random() < 0.2:
            body["voucherCode"] = chance.choice(self._destination.vouchers)
        record = self._settle("hold", key, "POST", "/bookings", body)
        if record.booking is not None and record.body is not None:
            total = orjson.loads(record.body)["price"]["total"]["amount"]
            self._pool.append(Held(booking=record.booking, key=key, body=body, total=total))

    def _repeat(self, chance: random.Random) -> None:
        held = chance.choice(self._pool)
        record = self._settle("hold", held.key, "POST", "/bookings", held.body)
        assert record.booking == held.booking, f"{held.key} made {held.booking}, then {record.booking}"

    def _confirm(self, chance: random.Random) -> None:
        held = chance.choice(self._pool)
        path = f"/bookings/{held.booking}"
        if held.total:  # the module authorises whatever is opened
            self._settle("pay", uuid7().hex, "POST", f"{path}/payment")
        self._settle("confirm", uuid7().hex, "POST", f"{path}/confirm")

    def _cancel(self, chance: random.Random) -> None:
        held = chance.choice(self._pool)
        self._settle(
            "cancel", uuid7().hex, "POST", f"/bookings/{held.booking}/cancel", {"reason": "changed plans"}
        )

    def _extend(self, chance: random.Random) -> None:
        held = chance.choice(self._pool)
        self._settle("extend", uuid7().hex, "POST", f"/bookings/{held.booking}/extend")

    def _amend(self, chance: random.Random) -> None:
        held = chance.choice(self._pool)
        body = {"items": _items(self._destination.items(chance))}
        self._settle("amend", uuid7().hex, "PATCH", f"/bookings/{held.booking}", body)

    def _settle(self, operation: str, key: str, method: str, path: str, body: Any = None) -> Record:
        """Send it, under the same key each time, until there is an answer; every try is a line of history."""
        give_up = time.monotonic() + GIVE_UP_SECONDS
        while True:
            start = time.time()
            told = self._send(operation, key, method, path, body)
            record = Record(
                client=self.name,
                operation=operation,
                key=key,
                params={"path": path},
                start=start,
                end=time.time(),
                **told,
            )
            self._out.write(record.to_line())
            if record.kind != UNKNOWN:
                return record
            assert time.monotonic() < give_up, f"{operation} {key} stays unknown: {record.code}"
            time.sleep(PAUSE_SECONDS)

    def _send(self, operation: str, key: str, method: str, path: str, body: Any) -> dict[str, Any]:
        headers = {} if method == "PATCH" or operation in ("pay", "confirm") else {"Idempotency-Key": key}
        try:
            answer = self._client.request(method, path, json=body, headers=headers)
        except httpx.TransportError as error:
            return {"kind": UNKNOWN, "code": type(error).__name__}
        if answer.status_code >= 500:
            code = answer.json()["code"]
            assert answer.status_code == 503, answer.text
            return {"kind": UNKNOWN, "code": code}
        if answer.status_code >= 400:
            return {"kind": REFUSED, "code": answer.json()["code"]}
        if operation == "pay":
            return {"kind": OK}
        document = answer.json()
        return {
            "kind": OK,
            "booking": document["id"],
            "status": document["status"],
            "body": answer.text,
        }


def _items(items: tuple[ItemOrder, ...]) -> list[dict[str, Any]]:
    return [
        {
            "slotId": str(item.slot_id),
            "units": [{"unitId": str(line.unit_id), "quantity": line.quantity} for line in item.units],
        }
        for item in items
    ]


def main() -> None:
    configuration = read_configuration()
    pool: list[Held] = []

    def work(name: str, chance: random.Random, out: BinaryIO) -> None:
        WebClient(name, configuration, pool, out).run(chance, configuration["operations"])

    sys.exit(run_threads(configuration, work))


if __name__ == "__main__":
    main()
