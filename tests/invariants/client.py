"""A client process: threads that hold, pay, change, extend, cancel and repeat, straight on the store.

python -m tests.invariants.client configuration.json
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO
from uuid import UUID

import orjson
import pytest
from sqlalchemy import bindparam, update

from common.database import StoreUnavailable
from common.database.prepared import Prepared
from common.identifiers import uuid7
from common.web.idempotency import Answer, Idempotency, KeyReused, Replayed, fingerprint_of, hashed_key
from tests.contract.builders import make_admissions
from tests.counts import at_full_counts, counts
from tests.invariants.checker import KEY_PREFIX
from tests.invariants.client_process import read_configuration, run_threads
from tests.invariants.destination import Destination, local_now, order_of, pricing_of
from tests.invariants.records import OK, REFUSED, UNKNOWN, Record
from tests.servers.secantus import patient
from ticketing_service.domain.bookings import Booking, Customer, Observation, PaymentState
from ticketing_service.domain.claims import GuestLimits
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.orders import ItemOrder
from ticketing_service.domain.refunds import plan_cancellation
from ticketing_service.domain.resellers import Reseller
from ticketing_service.storage.mongo import counters as mongo_counters
from ticketing_service.storage.opening import open_store
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.bookings import Amendment, Cancellation
from ticketing_service.storage.ports.payments import PaymentSession
from ticketing_service.storage.sql import counters, schema

LIMITS = GuestLimits(per_address=10, per_email=3)
SHORT_HOLD, LONG_HOLD = timedelta(seconds=0.3), timedelta(minutes=10)
MOST_EXTENSIONS = 2
GIVE_UP_SECONDS = counts(90, 600)
NETWORKS, GUESTS = 3, 30

Verb = Callable[[Idempotency], Booking]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A hold that this process was promised, to be repeated and steered by any of its threads."""

    booking_id: UUID
    key: str
    params: dict[str, Any]
    items: tuple[ItemOrder, ...]
    voucher: str | None
    reseller: Reseller | None = None


class Client:
    """One thread's share: `operations` of them, chosen by its own seeded chance."""

    def __init__(self, name: str, store: Store, destination: Destination, pool: list[Held], out: BinaryIO):
        self.name = name
        self._store = store
        self._destination = destination
        self._pool = pool
        self._out = out
        self._resellers = [store.resellers.get(UUID(each)) for each in destination.resellers]

    def run(self, chance: random.Random, operations: int) -> None:
        moves = [
            (self._hold, 45),
            (self._confirm, 22),
            (self._cancel, 8),
            (self._cancel_part, 6),
            (self._extend, 5),
            (self._amend, 8),
            (self._repeat, 4),
            (self._reuse, 2),
            (self._sweep, 1),
        ]
        for _ in range(operations):
            (move,) = chance.choices([move for move, _ in moves], [weight for _, weight in moves])
            if move == self._hold or self._pool:
                move(chance)

    def _hold(self, chance: random.Random) -> None:
        key = uuid7().hex
        items = self._destination.items(chance)
        voucher = chance.choice(self._destination.vouchers) if chance.random() < 0.25 else None
        guest = chance.randrange(GUESTS) if chance.random() < 0.2 else None
        lifetime = SHORT_HOLD if chance.random() < 0.4 else LONG_HOLD
        reseller = chance.choice(self._resellers) if guest is None and chance.random() < 0.3 else None
        params = {"people": sum(line.quantity for item in items for line in item.units), "voucher": voucher}
        verb = self._hold_verb(key, items, voucher, guest, lifetime, reseller)
        record = self._settle("hold", key, params, verb)
        if record.booking_id is not None:
            held = Held(
                booking_id=record.booking_id,
                key=key,
                params=params,
                items=items,
                voucher=voucher,
                reseller=reseller,
            )
            self._pool.append(held)

    def _hold_verb(
        self,
        key: str,
        items: tuple[ItemOrder, ...],
        voucher: str | None,
        guest: int | None,
        lifetime: timedelta,
        reseller: Reseller | None = None,
    ) -> Verb:
        def verb(idempotency: Idempotency) -> Booking:
            now = local_now()
            email = f"{key}@example.org" if guest is None else f"guest{guest}@example.org"
            order = order_of(
                items,
                customer=Customer(name=KEY_PREFIX + key, email=email),
                voucher_code=voucher,
                guest_network=None if guest is None else f"192.0.2.{guest % NETWORKS}",
                reseller=reseller,
            )
            price = pricing_of(items, now, reseller)
            return self._store.bookings.hold(
                order, price, LIMITS, now + lifetime, now, idempotency=idempotency
            )

        return verb

    def _confirm(self, chance: random.Random) -> None:
        held = chance.choice(self._pool)
        wrong = chance.random() < 0.05

        def verb(idempotency: Idempotency) -> Booking:
            bookings, now = self._store.bookings, local_now()
            booking = bookings.get(held.booking_id)
            assert booking is not None, f"{held.booking_id} was acknowledged and cannot be read"
            if booking.to_pay == 0:
                return bookings.confirm_free(
                    booking.id, make_admissions, "client", now, idempotency=idempotency
                )
            return self._pay(booking, wrong, chance)

        self._settle("confirm", uuid7().hex, {"of": str(held.booking_id)}, verb)

    def _pay(self, booking: Booking, wrong: bool, chance: random.Random) -> Booking:
        """As the payer, the module and its webhooks do: in steps, each of them repeatable."""
        payments, now = self._store.payments, local_now()
        payment = payments.open_attempt(booking.id, "http://localhost/", now)
        provider_id = f"pay-{payment.id}"
        session = PaymentSession(
            provider_id=provider_id,
            redirect_url="http://localhost/pay",
            session_ends_at=now + timedelta(minutes=30),
        )
        payments.opened(payment.id, session, now)
        amount = payment.amount - wrong
        steps = [PaymentState.AUTHORIZED, PaymentState.CAPTURED]
        if chance.random() < 0.2:
            steps.reverse()
        for state in steps:
            observation = Observation(
                provider_id=provider_id,
                resource_id=str(booking.id),
                state=state,
                amount=amount,
                currency=payment.currency,
                captured=amount if state is PaymentState.CAPTURED else 0,
                refunded=0,
            )
            booking = payments.observe(booking.id, observation, {}, make_admissions, "module", local_now())
        return booking

    def _cancel(self, chance: random.Random, part: bool = False) -> None:
        held = chance.choice(self._pool)
        booking = self._store_get(held)
        living = [unit.id for unit in booking.unit_items if unit.status.value in ("on_hold", "confirmed")]
        chosen = (chance.choice(living),) if part and living else None

        def verb(idempotency: Idempotency) -> Booking:
            now = local_now()
            return self._store.bookings.cancel(
                held.booking_id,
                lambda found: plan_cancellation(found, chosen, now),
                Cancellation(actor="client", reason="changed plans"),
                now,
                idempotency=idempotency,
            )

        self._settle("cancel part" if part else "cancel", uuid7().hex, {"of": str(held.booking_id)}, verb)

    def _cancel_part(self, chance: random.Random) -> None:
        self._cancel(chance, part=True)

    def _extend(self, chance: random.Random) -> None:
        held = chance.choice(self._pool)

        def verb(idempotency: Idempotency) -> Booking:
            now = local_now()

            def end(booking: Booking) -> Any:
                if booking.extensions >= MOST_EXTENSIONS:
                    raise Refused(Code.EXTENSION_LIMIT)
                return booking.expires_at + SHORT_HOLD

            return self._store.bookings.extend(held.booking_id, end, now, idempotency=idempotency)

        self._settle("extend", uuid7().hex, {"of": str(held.booking_id)}, verb)

    def _amend(self, chance: random.Random) -> None:
        held, items = chance.choice(self._pool), self._destination.items(chance)

        def verb(idempotency: Idempotency) -> Booking:
            now = local_now()
            change = Amendment(items=items, issue=make_admissions)
            return self._store.bookings.amend(
                held.booking_id,
                change,
                pricing_of(items, now, held.reseller),
                "client",
                now,
                idempotency=idempotency,
            )

        self._settle("amend", uuid7().hex, {"of": str(held.booking_id)}, verb)

    def _repeat(self, chance: random.Random) -> None:
        """A hold sent once more under its key: the first answer, whatever became of the booking."""
        held = chance.choice(self._pool)
        verb = self._hold_verb(held.key, held.items, held.voucher, None, LONG_HOLD)
        record = self._settle("hold", held.key, held.params, verb)
        assert record.replayed, f"{held.key} was answered and had an effect again: {record}"

    def _reuse(self, chance: random.Random) -> None:
        """Another request under a key that was used."""
        held = chance.choice(self._pool)
        items = self._destination.items(chance)
        params = {**held.params, "other": True}
        verb = self._hold_verb(held.key, items, held.voucher, None, LONG_HOLD)
        record = self._settle("reuse", held.key, params, verb)
        assert record.code == "KEY_REUSED", f"another request under {held.key}: {record}"

    def _sweep(self, chance: random.Random) -> None:
        try:
            self._store.bookings.expire_due(local_now(), 20)
        except StoreUnavailable:
            return

    def _store_get(self, held: Held) -> Booking:
        while True:
            try:
                booking = self._store.bookings.get(held.booking_id)
            except StoreUnavailable:
                time.sleep(0.05)
                continue
            assert booking is not None, f"{held.booking_id} was acknowledged and cannot be read"
            return booking

    def _settle(self, operation: str, key: str, params: dict[str, Any], verb: Verb) -> Record:
        """Try until the outcome is known, each time under the same key; every try is one line of history."""
        idempotency = Idempotency(
            scope="client",
            key=hashed_key(key),
            fingerprint=fingerprint_of("POST", "/bookings", [params]),
            created_at=local_now(),
            render=_render,
        )
        give_up = time.monotonic() + GIVE_UP_SECONDS
        while True:
            record = self._try(operation, key, params, lambda: verb(idempotency))
            self._out.write(record.to_line())
            if record.kind != UNKNOWN:
                return record
            assert time.monotonic() < give_up, f"{operation} {key} stays unknown"
            time.sleep(0.05)

    def _try(self, operation: str, key: str, params: dict[str, Any], call: Callable[[], Booking]) -> Record:
        start = time.time()
        told: dict[str, Any]
        try:
            told = {"kind": OK, **_told(_render(call()).body)}
        except Replayed as replayed:
            told = {"kind": OK, "replayed": True, **_told(replayed.answer.body)}
        except KeyReused:
            told = {"kind": REFUSED, "code": "KEY_REUSED"}
        except Refused as refused:
            told = {"kind": REFUSED, "code": refused.code.name}
        except StoreUnavailable as error:
            told = {"kind": UNKNOWN, "code": str(error)[:200]}
        return Record(
            client=self.name,
            operation=operation,
            key=key,
            params=params,
            start=start,
            end=time.time(),
            **told,
        )


def _render(booking: Booking) -> Answer:
    body = {
        "booking": str(booking.id),
        "status": booking.status.value,
        "total": booking.price.total,
        "expiresAt": booking.expires_at,
    }
    return Answer(201, orjson.dumps(body), ())


def _told(body: bytes) -> dict[str, Any]:
    answer = orjson.loads(body)
    return {"booking": answer["booking"], "status": answer["status"], "body": body.decode()}


def remove_the_guard() -> None:
    """What the negative control runs with: a counter that takes whatever is asked of it."""
    table = schema.counters
    counters._TAKE = Prepared(
        update(table)
        .where(table.c.id == bindparam("counter"))
        .values(held=table.c.held + bindparam("wanted"))
    )
    mongo_counters._room = lambda wanted: {}


def main() -> None:
    configuration = read_configuration()
    if not configuration["guard"]:
        remove_the_guard()
    if at_full_counts():
        patient(pytest.MonkeyPatch())
    store = open_store(configuration["url"], threads=configuration["threads"])
    destination = Destination.of(configuration["destination"])
    pool: list[Held] = []

    def work(name: str, chance: random.Random, out: BinaryIO) -> None:
        Client(name, store, destination, pool, out).run(chance, configuration["operations"])

    status = run_threads(configuration, work)
    store.close()
    sys.exit(status)


if __name__ == "__main__":
    main()
