"""The catalogue: tickets, the words and filters by which they are found, and our copy of the POIs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, or_, select, update

from common.database.engine import Database
from common.database.inserting import insert_new
from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.catalogue import Poi, Ticket, TicketQuery
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.search import ticket_words
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.ticket_records import COLUMNS, poi_of, poi_row, ticket_of, ticket_row
from ticketing_service.storage.sql.ticket_search import search
from ticketing_service.storage.sql.webhook_events import tell_ticket
from ticketing_service.storage.sql.writing import Writer

_tickets, _words, _pois = schema.tickets, schema.ticket_words, schema.pois
_SELECT = select(*COLUMNS)


class SqlCatalogue:
    """The `CatalogueStore` on an SQL database."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database, self._write = database, writer

    def create(self, ticket: Ticket, *, idempotency: Idempotency | None = None) -> Ticket:
        def verb(connection: Connection) -> Ticket:
            connection.execute(insert(_tickets), ticket_row(ticket))
            _index(connection, ticket, frozenset())
            tell_ticket(connection, ticket)
            return ticket

        return self._write(verb, idempotency)

    def replace(
        self, ticket: Ticket, expected_version: int, *, idempotency: Idempotency | None = None
    ) -> Ticket:
        """The instant of creation stays what it was."""
        return self._write(lambda connection: _replace(connection, ticket, expected_version), idempotency)

    def ticket(self, ticket_id: UUID) -> Ticket | None:
        with self._database.read() as connection:
            row = connection.execute(_SELECT.where(_tickets.c.id == ticket_id)).one_or_none()
        return None if row is None else ticket_of(row)

    def search(self, query: TicketQuery) -> Page[Ticket]:
        """`words` are those of `common.words.words`. Sorting by distance, and a radius, need `near`."""
        with self._database.read() as connection:
            return search(connection, query)

    def pois(self, poi_ids: Iterable[UUID]) -> dict[UUID, Poi]:
        statement = select(_pois).where(_pois.c.id.in_(list(poi_ids)))
        with self._database.read() as connection:
            return {row.id: poi_of(row) for row in connection.execute(statement)}

    def put_pois(self, pois: Iterable[Poi]) -> int:
        """A ticket that shows something new of its POI gets its next version: what it shows has changed."""
        ordered = sorted(pois, key=lambda poi: poi.id)
        return self._write(lambda connection: sum(_put_poi(connection, poi) for poi in ordered))


def _replace(connection: Connection, ticket: Ticket, expected_version: int) -> Ticket:
    row = ticket_row(ticket) | {"version": expected_version + 1}
    del row["created_at"]
    guard = (_tickets.c.id == ticket.id, _tickets.c.version == expected_version)
    changed = connection.execute(update(_tickets).where(*guard).values(**row))
    if changed.rowcount == 0:
        version = connection.scalar(select(_tickets.c.version).where(_tickets.c.id == ticket.id))
        if version is None:
            raise Refused(Code.TICKET_NOT_FOUND)
        raise Refused(Code.VERSION_CONFLICT, facts={"version": version})
    _index(connection, ticket, _indexed(connection, ticket.id))
    replaced = ticket_of(connection.execute(_SELECT.where(_tickets.c.id == ticket.id)).one())
    tell_ticket(connection, replaced)
    return replaced


def _put_poi(connection: Connection, poi: Poi) -> int:
    """1 when the POI is new or newer than our copy, else 0."""
    row = poi_row(poi)
    if connection.execute(insert_new(connection, _pois).values(**row)).rowcount == 0:
        older = update(_pois).where(_pois.c.id == poi.id, _pois.c.version < poi.version)
        if connection.execute(older.values(**row)).rowcount == 0:
            return 0
    shown = {
        "city": poi.city,
        "category": poi.category,
        "latitude": poi.point.latitude,
        "longitude": poi.point.longitude,
    }
    differs = or_(*(_tickets.c[name] != value for name, value in shown.items()))
    stale = select(_tickets.c.id).where(_tickets.c.poi_id == poi.id, differs).with_for_update()
    for ticket_id in connection.scalars(stale).all():
        _copy_onto(connection, ticket_id, shown)
    return 1


def _copy_onto(connection: Connection, ticket_id: UUID, shown: dict[str, Any]) -> None:
    connection.execute(
        update(_tickets).where(_tickets.c.id == ticket_id).values(version=_tickets.c.version + 1, **shown)
    )
    ticket = ticket_of(connection.execute(_SELECT.where(_tickets.c.id == ticket_id)).one())
    _index(connection, ticket, _indexed(connection, ticket_id))
    tell_ticket(connection, ticket)


def _indexed(connection: Connection, ticket_id: UUID) -> frozenset[str]:
    return frozenset(connection.scalars(select(_words.c.word).where(_words.c.ticket_id == ticket_id)))


def _index(connection: Connection, ticket: Ticket, indexed: frozenset[str]) -> None:
    """Bring the words by which the ticket is found from `indexed` to what they are now."""
    words = ticket_words(ticket)
    gone, new = indexed - words, words - indexed
    if gone:
        connection.execute(delete(_words).where(_words.c.ticket_id == ticket.id, _words.c.word.in_(gone)))
    if new:
        connection.execute(insert(_words), [{"word": word, "ticket_id": ticket.id} for word in sorted(new)])
