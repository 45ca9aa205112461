"""Resellers and their keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from common.database.cursors import id_cursor, page_from
from common.mongo.database import MongoDatabase
from common.mongo.failures import Conflict
from common.mongo.transaction import Transaction
from common.mongo.values import Document, instant, ms
from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.resellers import (
    Credential,
    Credit,
    Reseller,
    ResellerKey,
    Scope,
    credit_counter_id,
)
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.slot_records import fits, new_counter
from ticketing_service.storage.mongo.writing import Writer
from ticketing_service.storage.records.resellers import credit_document, with_used


class MongoResellers:
    """The `ResellerStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, writer: Writer) -> None:
        self._database, self._write = database, writer

    def create(self, reseller: Reseller, *, idempotency: Idempotency | None = None) -> Reseller:
        reseller = replace(reseller, version=1)

        def verb(tx: Transaction) -> Reseller:
            made = {"_id": reseller.id, "revision": 1, **_fields(reseller)}
            tx.insert(schema.resellers, [made])
            _grant(tx, reseller)
            return _reseller(tx, reseller.id) or reseller

        return self._write(verb, idempotency)

    def replace(
        self, reseller: Reseller, expected_version: int, *, idempotency: Idempotency | None = None
    ) -> Reseller:
        return self._write(lambda tx: _replace(tx, reseller, expected_version), idempotency, [reseller.id])

    def get(self, reseller_id: UUID) -> Reseller | None:
        return self._database.at_one_moment(lambda tx: _reseller(tx, reseller_id))

    def page(self, limit: int, cursor: str | None) -> Page[Reseller]:
        """Newest first."""
        condition: Document = {} if cursor is None else {"_id": {"$lt": id_cursor(cursor)}}

        def reader(tx: Transaction) -> list[Reseller]:
            found = tx.find(schema.resellers, condition, sort=[("_id", -1)], limit=limit + 1)
            return _resellers_of(tx, found)

        found = self._database.at_one_moment(reader)
        return page_from(found, limit, lambda each: (str(each.id),))

    def add_key(self, key: ResellerKey, *, idempotency: Idempotency | None = None) -> ResellerKey:
        def verb(tx: Transaction) -> ResellerKey:
            if not _count_up(tx, key.reseller_id):
                raise Refused(Code.RESELLER_NOT_FOUND)
            tx.insert(schema.reseller_keys, [_key_document(key)])
            return key

        return self._write(verb, idempotency, [key.reseller_id])

    def revoke_key(self, reseller_id: UUID, key_id: UUID, now: datetime) -> ResellerKey:
        this = {"_id": key_id, "reseller_id": reseller_id}

        def verb(tx: Transaction) -> ResellerKey:
            found = tx.one(schema.reseller_keys, this)
            if found is None:
                raise Refused(Code.API_KEY_NOT_FOUND)
            if found["revoked_at"] is None:
                found["revoked_at"] = ms(now)
                tx.update(schema.reseller_keys, this, {"$set": {"revoked_at": found["revoked_at"]}})
                _count_up(tx, reseller_id)
            return _key_of(found)

        return self._write(verb, None, [reseller_id])

    def keys(self, reseller_id: UUID, limit: int, cursor: str | None) -> Page[ResellerKey]:
        condition: Document = {"reseller_id": reseller_id}
        if cursor is not None:
            condition["_id"] = {"$lt": id_cursor(cursor)}
        with self._database.read() as reading:
            found = reading.find(schema.reseller_keys, condition, sort=[("_id", -1)], limit=limit + 1)
        return page_from([_key_of(each) for each in found], limit, lambda each: (str(each.id),))

    def used(self, uses: Mapping[UUID, datetime]) -> None:
        def verb(tx: Transaction) -> None:
            for key_id, moment in sorted(uses.items()):
                earlier = {"$or": [{"last_used_at": None}, {"last_used_at": {"$lt": ms(moment)}}]}
                last = {"$set": {"last_used_at": ms(moment)}}
                tx.update(schema.reseller_keys, {"_id": key_id, **earlier}, last)

        self._write(verb)

    def generation(self) -> int:
        total = {"$group": {"_id": None, "revisions": {"$sum": "$revision"}}}
        with self._database.read() as reading:
            found = reading.aggregate(schema.resellers, [total])
        return int(found[0]["revisions"]) if found else 0

    def credentials(self) -> tuple[Credential, ...]:
        def reader(tx: Transaction) -> tuple[Credential, ...]:
            resellers = {each.id: each for each in _resellers_of(tx, tx.find(schema.resellers, {}))}
            keys = tx.find(schema.reseller_keys, {"revoked_at": None})
            return tuple(Credential(_key_of(each), resellers[each["reseller_id"]]) for each in keys)

        return self._database.at_one_moment(reader)


def _replace(tx: Transaction, reseller: Reseller, expected_version: int) -> Reseller:
    current = tx.one(schema.resellers, {"_id": reseller.id})
    if current is None:
        raise Refused(Code.RESELLER_NOT_FOUND)
    if current["version"] != expected_version:
        raise Refused(Code.VERSION_CONFLICT, facts={"version": current["version"]})
    reseller = replace(reseller, version=expected_version + 1, created_at=instant(current["created_at"]))
    guard = {"_id": reseller.id, "version": expected_version}
    if tx.update(schema.resellers, guard, {"$set": _fields(reseller), "$inc": {"revision": 1}}) == 0:
        raise Conflict(schema.resellers.name)
    _grant(tx, reseller)
    return _reseller(tx, reseller.id) or reseller


def _grant(tx: Transaction, reseller: Reseller) -> None:
    """Make the counters of its accounts what its credit says. Raises CREDIT_BELOW_USED."""
    for index, credit in enumerate(reseller.credit):
        this = {"_id": credit_counter_id(reseller.id, credit.currency)}
        change = {"$set": {"capacity": credit.capacity}}
        if tx.update(schema.counters, {**this, **fits(credit.capacity)}, change):
            continue
        found = tx.one(schema.counters, this)
        if found is not None:
            facts = {"used": found["held"] + found["sold"]}
            raise Refused(Code.CREDIT_BELOW_USED, pointer=f"/credit/{index}/limit", facts=facts)
        tx.insert_or_lose(schema.counters, [new_counter(this["_id"], credit.capacity)])


def _reseller(tx: Transaction, reseller_id: UUID) -> Reseller | None:
    found = tx.one(schema.resellers, {"_id": reseller_id})
    return None if found is None else _resellers_of(tx, [found])[0]


def _resellers_of(tx: Transaction, documents: Iterable[Document]) -> list[Reseller]:
    """With what is used of their credit."""
    bare = [_reseller_of(each) for each in documents]
    wanted = [credit_counter_id(each.id, credit.currency) for each in bare for credit in each.credit]
    counters = tx.with_ids(schema.counters, wanted)
    return with_used(bare, {each["_id"]: each["held"] + each["sold"] for each in counters})


def _count_up(tx: Transaction, reseller_id: UUID) -> bool:
    """Something about the reseller is another now; False when there is no such reseller."""
    return tx.update(schema.resellers, {"_id": reseller_id}, {"$inc": {"revision": 1}}) == 1


def _fields(reseller: Reseller) -> Document:
    return {
        "name": reseller.name,
        "ticket_ids": None if reseller.ticket_ids is None else list(reseller.ticket_ids),
        "max_holds": reseller.max_holds,
        "markup_basis_points": reseller.markup_basis_points,
        "net_basis_points": reseller.net_basis_points,
        "credit": credit_document(reseller.credit),
        "active": reseller.active,
        "version": reseller.version,
        "created_at": ms(reseller.created_at),
    }


def _reseller_of(document: Mapping[str, Any]) -> Reseller:
    tickets = document["ticket_ids"]
    return Reseller(
        id=document["_id"],
        name=document["name"],
        ticket_ids=None if tickets is None else tuple(tickets),
        max_holds=document["max_holds"],
        markup_basis_points=document["markup_basis_points"],
        net_basis_points=document["net_basis_points"],
        credit=tuple(Credit(**each) for each in document["credit"]),
        active=document["active"],
        version=document["version"],
        created_at=instant(document["created_at"]),
    )


def _key_document(key: ResellerKey) -> Document:
    return {
        "_id": key.id,
        "reseller_id": key.reseller_id,
        "name": key.name,
        "start": key.start,
        "hash": key.hash,
        "scopes": [scope.value for scope in key.scopes],
        "is_test": key.is_test,
        "created_at": ms(key.created_at),
        "created_by": key.created_by,
        "expires_at": ms(key.expires_at),
        "last_used_at": ms(key.last_used_at),
        "revoked_at": ms(key.revoked_at),
    }


def _key_of(document: Mapping[str, Any]) -> ResellerKey:
    return ResellerKey(
        id=document["_id"],
        reseller_id=document["reseller_id"],
        name=document["name"],
        start=document["start"],
        hash=document["hash"],
        scopes=tuple(map(Scope, document["scopes"])),
        is_test=document["is_test"],
        created_at=instant(document["created_at"]),
        created_by=document["created_by"],
        expires_at=instant(document["expires_at"]),
        last_used_at=instant(document["last_used_at"]),
        revoked_at=instant(document["revoked_at"]),
    )
