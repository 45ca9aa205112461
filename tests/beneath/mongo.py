"""The collections under a MongoDB store, told as the rows that an SQL store has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import orjson

from common.database.unavailable import StoreUnavailable
from common.mongo.collections import Collection
from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.mongo.values import Document, instant, ms
from common.web.idempotency import Idempotency
from tests.beneath.port import Tables
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.storage.mongo import admissions, ledger, outbox, schema, vouchers
from ticketing_service.storage.records.entries import Entry

_INSTANTS = frozenset(
    [
        "at",
        "cancelled_at",
        "redeemed_at",
        "recorded_at",
        "starts_at",
        "ends_at",
        "sales_end_at",
        "created_at",
        "updated_at",
        "expires_at",
        "held_until",
        "admits_until",
        "due_at",
        "until",
        "beat_at",
        "next_look_at",
        "session_ends_at",
        "valid_from",
        "valid_until",
        "kept_at",
        "extended_at",
    ]
)


class MongoBeneath:
    """`Beneath` on MongoDB."""

    kind = "mongodb"

    def __init__(self, url: str) -> None:
        self.database = MongoDatabase(url, threads=2)

    def tables(self, *names: str) -> Tables:
        """See Beneath."""

        def reader(tx: Transaction) -> Tables:
            found: dict[str, list[Document]] = {}

            def read(name: str) -> list[Document]:
                if name not in found:
                    found[name] = tx.find(_BY_NAME[name], {})
                return found[name]

            return {name: [_row(each) for each in _ROWS.get(name, _plain(name))(read)] for name in names}

        return self.database.at_one_moment(reader)

    def add_tasks(
        self,
        tasks: Sequence[tuple[str, Mapping[str, Any]]],
        now: datetime,
        due_at: datetime | None = None,
    ) -> None:
        """See Beneath."""
        if due_at is None:
            self.database.write(lambda tx: outbox.add_tasks(tx, tasks, now))
            return
        ((kind, payload),) = tasks
        self.database.write(lambda tx: outbox.add_task(tx, kind, payload, now, due_at))

    def add_entries(self, entries: Sequence[Entry]) -> None:
        """See Beneath."""
        self.database.write(lambda tx: ledger.add_entries(tx, entries))

    def cancel_admissions(self, unit_item_ids: Sequence[UUID], at: datetime) -> None:
        """See Beneath."""
        self.database.write(lambda tx: admissions.cancel_admissions(tx, unit_item_ids, at))

    def voucher(self, code: str) -> Voucher | None:
        """See Beneath."""
        with self.database.read() as reading:
            return vouchers.voucher_in(reading, code)

    def answered(self, idempotency: Idempotency) -> None:
        """See Beneath."""
        document = {
            "_id": {"scope": idempotency.scope, "key": idempotency.key},
            "fingerprint": idempotency.fingerprint,
            "status": 200,
            "headers": [],
            "body": b"",
            "created_at": ms(idempotency.created_at),
            "about": None,
        }
        self.database.write(lambda tx: tx.insert(schema.idempotency, [document]))

    def miscount(self, counter_id: UUID) -> None:
        """See Beneath."""
        wrong = {"$inc": {"held": -1, "sold": 1}}
        self.database.write(lambda tx: tx.update(schema.counters, {"_id": counter_id}, wrong))

    def end_leases(self, now: datetime) -> None:
        """See Beneath."""
        ended = {"$set": {"until": ms(now)}}
        self.database.write(lambda tx: tx.update_all(schema.leases, {}, ended))

    def worker_beat(self, at: datetime) -> None:
        """See Beneath."""
        beat = {"$set": {"beat_at": ms(at)}}
        self.database.write(lambda tx: tx.update_all(schema.leases, {}, beat))

    def rename_ticket(self, title: str) -> None:
        """See Beneath."""
        renamed = {"$set": {"body.title": {"en": title}}}
        self.database.write(lambda tx: tx.update_all(schema.tickets, {}, renamed))

    def hurry(self, now: datetime) -> None:
        """See Beneath."""

        # Each in a transaction of its own, as the service writes; who loses against it comes again.
        for each in self.database.bare[schema.bookings.name].find({"next_look_at": {"$type": "long"}}):
            for payment in each["payments"]:
                payment["next_look_at"] = payment["next_look_at"] and ms(now)
            as_read = {"_id": each["_id"], "revision": each["revision"]}
            changed = {"payments": each["payments"], "next_look_at": ms(now)}
            self._try(schema.bookings, as_read, {"$set": changed, "$inc": {"revision": 1}})
        for each in self.database.bare[schema.outbox.name].find({"due_at": {"$ne": None}}, ["_id"]):
            due = {"_id": each["_id"], "due_at": {"$ne": None}}
            self._try(schema.outbox, due, {"$set": {"due_at": ms(now)}})

    def _try(self, collection: Collection, condition: Document, change: Document) -> None:
        with suppress(StoreUnavailable):
            self.database.write(lambda tx: tx.update(collection, condition, change))

    def close(self) -> None:
        """See Beneath."""
        self.database.close()


_Read = Callable[[str], list[Document]]
_BY_NAME = {each.name.removeprefix(schema.PREFIX): each for each in schema.collections.made}


def _plain(name: str) -> Callable[[_Read], Iterator[Document]]:
    def rows(read: _Read) -> Iterator[Document]:
        for each in read(name):
            yield {"id": each["_id"], **each}

    return rows


def _bookings(read: _Read) -> Iterator[Document]:
    for each in read("bookings"):
        customer, price = each["customer"], each["price"]
        yield {
            "id": each["_id"],
            **{f"customer_{name}": value for name, value in customer.items()},
            **{f"{name}_amount": price[name] for name in ("items", "discount", "fee")},
            **{name: value for name, value in each.items() if not isinstance(value, list | dict)},
            "currency": price["currency"],
        }


def _within(part: str) -> Callable[[_Read], Iterator[Document]]:
    def rows(read: _Read) -> Iterator[Document]:
        for booking in read("bookings"):
            for position, each in enumerate(booking[part]):
                yield {**each, "booking_id": booking["_id"], "position": position}

    return rows


def _units(read: _Read) -> Iterator[Document]:
    for booking in read("bookings"):
        for item in booking["items"]:
            for unit in item["units"]:
                yield {**unit, "item_id": item["id"], "booking_id": booking["_id"]}


def _links(read: _Read) -> Iterator[Document]:
    for slot in read("slots"):
        for counter_id in slot["counter_ids"]:
            yield {"slot_id": slot["_id"], "counter_id": counter_id}


def _keyed(name: str) -> Callable[[_Read], Iterator[Document]]:
    """Those whose `_id` has several parts."""

    def rows(read: _Read) -> Iterator[Document]:
        for each in read(name):
            yield {**each, **each["_id"]}

    return rows


def _tasks(read: _Read) -> Iterator[Document]:
    for each in read("outbox"):
        yield {**each, "id": each["_id"], "payload": orjson.loads(each["payload"])}


_ROWS: dict[str, Callable[[_Read], Iterator[Document]]] = {
    "bookings": _bookings,
    "booking_items": _within("items"),
    "unit_items": _units,
    "claims": _within("claims"),
    "booking_history": _within("history"),
    "payments": _within("payments"),
    "refunds": _within("refunds"),
    "slot_counters": _links,
    "idempotency": _keyed("idempotency"),
    "redemptions": _keyed("redemptions"),
    "outbox": _tasks,
}


def _row(document: Document) -> SimpleNamespace:
    values = {
        name: instant(value) if name in _INSTANTS and isinstance(value, int) else value
        for name, value in document.items()
    }
    return SimpleNamespace(**values)
