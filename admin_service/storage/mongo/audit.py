"""The audit trail: a chain of documents that is only ever added to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from admin_service.domain.audit import FIRST_HASH, AuditEntry, AuditEvent, Origin, Seal, chained
from admin_service.storage.mongo import schema
from admin_service.storage.mongo.schema import ONLY
from admin_service.storage.ports.audit import AuditQuery
from common.auth.policy import ACCESS_KIND, GUEST_KIND
from common.database.cursors import number_cursor, page_from
from common.mongo.database import MongoDatabase
from common.mongo.failures import Conflict
from common.mongo.transaction import Transaction
from common.mongo.values import Document, instant, ms
from common.mongo.writing import Write
from common.pages import Page

_audit, _head = schema.audit, schema.audit_head


def append(tx: Transaction, event: AuditEvent) -> AuditEntry:
    """Add the event at the end of the chain, within the commit of what it tells of.

    Of two transactions that add to the chain the later one is refused, and run again: so call it as soon as
    the event is known, before much is done in vain. All verbs that are audited are thereby one after the
    other, and none decides by what another one is just changing.
    """
    head = tx.one(_head, {"_id": ONLY})
    number, previous = (0, FIRST_HASH) if head is None else (head["number"], bytes(head["hash"]))
    entry = chained(number + 1, event, previous)
    end = {"number": entry.number, "hash": entry.hash}
    if head is None:
        moved: int = tx.insert_new(_head, {"_id": ONLY, **end})
    else:
        moved = tx.update(_head, {"_id": ONLY, "number": number}, {"$set": end})
    if not moved:
        raise Conflict(_head.name)
    tx.insert(_audit, [_document(entry)])
    return entry


def erase_user(tx: Transaction, user_id: UUID) -> int:
    """Take out from where the user did something, and what named the user; says of how many entries."""
    erased = _erase_addresses(tx, {"actor": f"{ACCESS_KIND}:{user_id}"})
    erased += erase_subjects(tx, (str(user_id),))
    named = {"subject": str(user_id), "personal_salt": {"$ne": None}}
    return erased + tx.update_all(_audit, named, {"$set": {"personal": None, "personal_salt": None}})


def erase_subjects(tx: Transaction, subjects: Collection[str]) -> int:
    """Take out from where somebody who was not signed in did something to one; says of how many entries."""
    return _erase_addresses(tx, {"subject": {"$in": sorted(subjects)}, "actor": GUEST_KIND})


def _erase_addresses(tx: Transaction, which: dict[str, Any]) -> int:
    known = {**which, "address_salt": {"$ne": None}}
    return tx.update_all(_audit, known, {"$set": {"address": None, "address_salt": None}})


class MongoAudit:
    """The `AuditStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, write: Write) -> None:
        self._database, self._write = database, write

    def append(self, event: AuditEvent) -> AuditEntry:
        """See AuditStore."""
        return self._write(lambda tx: append(tx, event))

    def erase(self, subjects: Collection[str], event: AuditEvent) -> AuditEntry:
        """See AuditStore."""

        def verb(tx: Transaction) -> AuditEntry:
            erased = erase_subjects(tx, subjects)
            return append(tx, replace(event, after={**event.after, "entries": erased}))

        return self._write(verb)

    def after(self, number: int, limit: int) -> tuple[AuditEntry, ...]:
        """See AuditStore."""
        with self._database.read() as tx:
            found = tx.find(_audit, {"_id": {"$gt": number}}, sort=[("_id", 1)], limit=limit)
        return tuple(map(_entry_of, found))

    def page(self, query: AuditQuery) -> Page[AuditEntry]:
        """See AuditStore."""
        with self._database.read() as tx:
            found = tx.find(_audit, _condition(query), sort=[("_id", -1)], limit=query.limit + 1)
        return page_from([_entry_of(each) for each in found], query.limit, lambda entry: (entry.number,))

    def end(self) -> tuple[int, bytes]:
        """See AuditStore."""
        with self._database.read() as tx:
            head = tx.one(_head, {"_id": ONLY})
        return (0, FIRST_HASH) if head is None else (head["number"], bytes(head["hash"]))

    def counted(self, actions: tuple[str, ...], since: datetime) -> dict[str, int]:
        """See AuditStore."""
        stages: list[dict[str, Any]] = [
            {"$match": {"action": {"$in": list(actions)}, "at": {"$gte": ms(since)}}},
            {"$group": {"_id": "$action", "number": {"$sum": 1}}},
        ]
        with self._database.read() as tx:
            found = {each["_id"]: each["number"] for each in tx.aggregate(_audit, stages)}
        return {action: found.get(action, 0) for action in actions}


def _condition(query: AuditQuery) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    if query.actor is not None:
        wanted["actor"] = query.actor
    if query.subject is not None:
        wanted["subject"] = query.subject
    if query.action is not None:
        # a resource's actions are those between its name with a dot and its name with what follows a dot
        of_resource = {"$gte": f"{query.action}.", "$lt": f"{query.action}/"}
        wanted["action"] = query.action if "." in query.action else of_resource
    at = {"$gte": ms(query.at_from), "$lt": ms(query.at_to)}
    if query.at_from is not None or query.at_to is not None:
        wanted["at"] = {name: value for name, value in at.items() if value is not None}
    if query.cursor is not None:
        wanted["_id"] = {"$lt": number_cursor(query.cursor)}
    return wanted


def _document(entry: AuditEntry) -> Document:
    event = entry.event
    return {
        "_id": entry.number,
        "at": ms(event.at),
        "actor": event.origin.actor,
        "address": event.origin.address,
        **_seal_fields("address", entry.address_seal),
        "request_id": event.origin.request_id,
        "action": event.action,
        "subject": event.subject,
        "before": _text(event.before),
        "after": _text(event.after),
        "personal": _text(event.personal()) if event.personal() else None,
        **_seal_fields("personal", entry.personal_seal),
        "previous_hash": entry.previous_hash,
        "hash": entry.hash,
    }


def _text(facts: Mapping[str, Any]) -> str:
    return orjson.dumps(dict(facts)).decode()


def _seal_fields(name: str, seal: Seal | None) -> dict[str, bytes | None]:
    if seal is None:
        return {f"{name}_salt": None, f"{name}_digest": None}
    return {f"{name}_salt": seal.salt, f"{name}_digest": seal.digest}


def _seal_of(salt: bytes | None, digest: bytes | None) -> Seal | None:
    return None if digest is None else Seal(bytes(digest), None if salt is None else bytes(salt))


def _entry_of(found: Document) -> AuditEntry:
    personal = orjson.loads(found["personal"]) if found["personal"] else {}
    event = AuditEvent(
        at=instant(found["at"]),
        origin=Origin(actor=found["actor"], address=found["address"], request_id=found["request_id"]),
        action=found["action"],
        subject=found["subject"],
        before=orjson.loads(found["before"]),
        after=orjson.loads(found["after"]),
        personal_before=personal.get("before", {}),
        personal_after=personal.get("after", {}),
    )
    return AuditEntry(
        number=found["_id"],
        event=event,
        previous_hash=bytes(found["previous_hash"]),
        hash=bytes(found["hash"]),
        address_seal=_seal_of(found["address_salt"], found["address_digest"]),
        personal_seal=_seal_of(found["personal_salt"], found["personal_digest"]),
    )
