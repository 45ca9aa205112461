"""Tickets, and the copy of the POIs that they are for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.catalogue import Poi, Ticket, TicketQuery


class CatalogueReads(Protocol):
    """What of it is shown."""

    def ticket(self, ticket_id: UUID) -> Ticket | None: ...

    def search(self, query: TicketQuery) -> Page[Ticket]:
        """By words (every one a prefix of a word of the ticket) and filters; `date_from`/`date_to` ask for an
        open slot with a place left on those local days. A cursor that is not of this list
        is refused as `common.web.paging` says.
        """
        ...


class CatalogueStore(CatalogueReads, Protocol):
    """Tickets, and our copy of the POIs that they are for."""

    def create(self, ticket: Ticket, *, idempotency: Idempotency | None = None) -> Ticket: ...

    def replace(
        self, ticket: Ticket, expected_version: int, *, idempotency: Idempotency | None = None
    ) -> Ticket:
        """Store `ticket` (its version is set to the next). Refuses TICKET_NOT_FOUND, VERSION_CONFLICT."""
        ...

    def pois(self, poi_ids: Iterable[UUID]) -> dict[UUID, Poi]: ...

    def put_pois(self, pois: Iterable[Poi]) -> int:
        """Take over what is newer than our copy, and its city, category and point onto its tickets. Counts
        changes.
        """
        ...
