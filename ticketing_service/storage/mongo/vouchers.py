"""Vouchers; how often one was used is counted as seats are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
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
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.slot_records import fits, new_counter
from ticketing_service.storage.mongo.writing import Writer


def voucher_in(tx: Transaction, code: str) -> Voucher | None:
    """The voucher of that code, in whatever letter case it is written."""
    return _with_uses(tx, tx.one(schema.vouchers, {"code": _normal(code)}))


class MongoVouchers:
    """The `VoucherStore` on MongoDB. Codes are kept in capital letters."""

    def __init__(self, database: MongoDatabase, writer: Writer) -> None:
        self._database, self._write = database, writer

    def create(self, voucher: Voucher, *, idempotency: Idempotency | None = None) -> Voucher:
        voucher = replace(voucher, code=_normal(voucher.code), used=0, version=1)

        def verb(tx: Transaction) -> Voucher:
            _require_free(tx, voucher)
            tx.insert_or_lose(schema.vouchers, [{"_id": voucher.id, **_fields(voucher)}])
            tx.insert(schema.counters, [new_counter(voucher.id, voucher.max_uses)])
            return voucher

        return self._write(verb, idempotency, [voucher.code])

    def replace(
        self, voucher: Voucher, expected_version: int, *, idempotency: Idempotency | None = None
    ) -> Voucher:
        """Besides the port's refusals: VOUCHER_CODE_TAKEN."""
        return self._write(lambda tx: _replace(tx, voucher, expected_version), idempotency, [voucher.id])

    def get(self, voucher_id: UUID) -> Voucher | None:
        return self._database.at_one_moment(lambda tx: _voucher(tx, voucher_id))

    def by_code(self, code: str) -> Voucher | None:
        return self._database.at_one_moment(lambda tx: voucher_in(tx, code))

    def page(self, limit: int, cursor: str | None) -> Page[Voucher]:
        """Newest first."""
        condition: Document = {} if cursor is None else {"_id": {"$lt": id_cursor(cursor)}}

        def reader(tx: Transaction) -> list[Voucher]:
            found = tx.find(schema.vouchers, condition, sort=[("_id", -1)], limit=limit + 1)
            counters = _counters(tx, [each["_id"] for each in found])
            return [_voucher_of(each, counters[each["_id"]]) for each in found]

        vouchers = self._database.at_one_moment(reader)
        return page_from(vouchers, limit, lambda voucher: (str(voucher.id),))


def _replace(tx: Transaction, voucher: Voucher, expected_version: int) -> Voucher:
    voucher = replace(voucher, code=_normal(voucher.code), version=expected_version + 1)
    current = tx.one(schema.vouchers, {"_id": voucher.id})
    if current is None:
        raise Refused(Code.VOUCHER_NOT_FOUND)
    if current["version"] != expected_version:
        raise Refused(Code.VERSION_CONFLICT, facts={"version": current["version"]})
    _require_free(tx, voucher)
    changed = {**_fields(voucher), "created_at": current["created_at"]}
    if tx.update(schema.vouchers, {"_id": voucher.id, "version": expected_version}, {"$set": changed}) == 0:
        raise Conflict(schema.vouchers.name)
    limit = voucher.max_uses
    guarded = {"_id": voucher.id, **fits(limit)}
    if tx.update(schema.counters, guarded, {"$set": {"capacity": limit}}) == 0:
        counter = _counters(tx, [voucher.id])[voucher.id]
        facts = {"used": counter["held"] + counter["sold"]}
        raise Refused(Code.VOUCHER_BELOW_USED, pointer="/maxUses", facts=facts)
    found = _voucher(tx, voucher.id)
    if found is None:
        raise Refused(Code.VOUCHER_NOT_FOUND)
    return found


def _require_free(tx: Transaction, voucher: Voucher) -> None:
    """Nobody else has its code. Of two that want it at the same time one loses, and comes back to this."""
    other = tx.one(schema.vouchers, {"code": voucher.code}, ["_id"])
    if other is not None and other["_id"] != voucher.id:
        raise Refused(Code.VOUCHER_CODE_TAKEN, pointer="/code")


def _voucher(tx: Transaction, voucher_id: UUID) -> Voucher | None:
    return _with_uses(tx, tx.one(schema.vouchers, {"_id": voucher_id}))


def _with_uses(tx: Transaction, found: Document | None) -> Voucher | None:
    if found is None:
        return None
    return _voucher_of(found, _counters(tx, [found["_id"]])[found["_id"]])


def _counters(tx: Transaction, ids: Iterable[UUID]) -> dict[UUID, Document]:
    return {each["_id"]: each for each in tx.with_ids(schema.counters, ids)}


def _normal(code: str) -> str:
    return code.strip().upper()


def _fields(voucher: Voucher) -> Document:
    return {
        "code": voucher.code,
        "percent_basis_points": voucher.percent_basis_points,
        "amount": voucher.amount,
        "currency": voucher.currency,
        "valid_from": ms(voucher.valid_from),
        "valid_until": ms(voucher.valid_until),
        "max_uses_per_customer": voucher.max_uses_per_customer,
        "ticket_ids": list(voucher.ticket_ids),
        "active": voucher.active,
        "version": voucher.version,
        "created_at": ms(voucher.created_at),
    }


def _voucher_of(document: Mapping[str, Any], counter: Mapping[str, Any]) -> Voucher:
    return Voucher(
        id=document["_id"],
        code=document["code"],
        percent_basis_points=document["percent_basis_points"],
        amount=document["amount"],
        currency=document["currency"],
        valid_from=instant(document["valid_from"]),
        valid_until=instant(document["valid_until"]),
        max_uses=counter["capacity"],
        max_uses_per_customer=document["max_uses_per_customer"],
        ticket_ids=tuple(document["ticket_ids"]),
        active=document["active"],
        used=counter["held"] + counter["sold"],
        version=document["version"],
        created_at=instant(document["created_at"]),
    )
