"""The catalogue: tickets, the words and filters by which they are found, and our copy of the POIs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.catalogue import Poi, Ticket, TicketQuery
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.ticket_records import poi_document, poi_of, ticket_document, ticket_of
from ticketing_service.storage.mongo.ticket_search import search
from ticketing_service.storage.mongo.webhook_events import tell_ticket
from ticketing_service.storage.mongo.writing import Writer


class MongoCatalogue:
    """The `CatalogueStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, writer: Writer) -> None:
        self._database, self._write = database, writer

    def create(self, ticket: Ticket, *, idempotency: Idempotency | None = None) -> Ticket:
        def verb(tx: Transaction) -> Ticket:
            tx.insert(schema.tickets, [ticket_document(ticket)])
            tell_ticket(tx, ticket)
            return ticket

        return self._write(verb, idempotency)

    def replace(
        self, ticket: Ticket, expected_version: int, *, idempotency: Idempotency | None = None
    ) -> Ticket:
        """The instant of creation stays what it was."""
        return self._write(lambda tx: _replace(tx, ticket, expected_version), idempotency, [ticket.id])

    def ticket(self, ticket_id: UUID) -> Ticket | None:
        with self._database.read() as reading:
            found = reading.one(schema.tickets, {"_id": ticket_id})
        return None if found is None else ticket_of(found)

    def search(self, query: TicketQuery) -> Page[Ticket]:
        """`words` are those of `common.words.words`. Sorting by distance, and a radius, need `near`."""
        with self._database.read() as reading:
            return search(reading, query)

    def pois(self, poi_ids: Iterable[UUID]) -> dict[UUID, Poi]:
        with self._database.read() as reading:
            found = reading.find(schema.pois, {"_id": {"$in": list(poi_ids)}})
        return {each["_id"]: poi_of(each) for each in found}

    def put_pois(self, pois: Iterable[Poi]) -> int:
        """A ticket that shows something new of its POI gets its next version: what it shows has changed."""
        ordered = sorted(pois, key=lambda poi: poi.id)
        return self._write(lambda tx: sum(_put_poi(tx, poi) for poi in ordered), None, [schema.pois.name])


def _replace(tx: Transaction, ticket: Ticket, expected_version: int) -> Ticket:
    kept = tx.one(schema.tickets, {"_id": ticket.id})
    if kept is None:
        raise Refused(Code.TICKET_NOT_FOUND)
    if kept["version"] != expected_version:
        raise Refused(Code.VERSION_CONFLICT, facts={"version": kept["version"]})
    document = ticket_document(ticket)
    document |= {"version": expected_version + 1, "created_at": kept["created_at"]}
    tx.replace(schema.tickets, {"_id": ticket.id, "version": expected_version}, document)
    replaced = ticket_of(document)
    tell_ticket(tx, replaced)
    return replaced


def _put_poi(tx: Transaction, poi: Poi) -> int:
    """1 when the POI is new or newer than our copy, else 0."""
    document = poi_document(poi)
    if not tx.insert_new(schema.pois, document):
        older = {"_id": poi.id, "version": {"$lt": poi.version}}
        if tx.replace(schema.pois, older, document) == 0:
            return 0
    shown = {name: document[name] for name in ("city", "category", "latitude", "longitude")}
    differs = [{name: {"$ne": value}} for name, value in shown.items()]
    for stale in tx.find(schema.tickets, {"poi_id": poi.id, "$or": differs}):
        _copy_onto(tx, stale, shown)
    return 1


def _copy_onto(tx: Transaction, document: dict[str, Any], shown: dict[str, Any]) -> None:
    changed = {**document, **shown, "version": document["version"] + 1}
    changed["words"] = ticket_document(ticket_of(changed))["words"]
    tx.replace(schema.tickets, {"_id": document["_id"]}, changed)
    tell_ticket(tx, ticket_of(changed))
