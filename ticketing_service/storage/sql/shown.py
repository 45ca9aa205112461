"""Reads that only show something, from a copy of the database where that has all that was committed."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from common.database.replica import Replicas
from common.pages import Page
from ticketing_service.domain.catalogue import Ticket, TicketQuery
from ticketing_service.domain.slots import Slot
from ticketing_service.storage.ports.catalogue import CatalogueReads
from ticketing_service.storage.ports.slots import SlotReads


class ShownCatalogue:
    """The `CatalogueReads` of a replica, else of the database itself."""

    def __init__(self, replicas: Replicas, copy: CatalogueReads, own: CatalogueReads) -> None:
        self._replicas, self._copy, self._own = replicas, copy, own

    def ticket(self, ticket_id: UUID) -> Ticket | None:
        return self._replicas.ask(lambda: self._copy.ticket(ticket_id), lambda: self._own.ticket(ticket_id))

    def search(self, query: TicketQuery) -> Page[Ticket]:
        return self._replicas.ask(lambda: self._copy.search(query), lambda: self._own.search(query))


class ShownSlots:
    """The `SlotReads` of a replica, else of the database itself."""

    def __init__(self, replicas: Replicas, copy: SlotReads, own: SlotReads) -> None:
        self._replicas, self._copy, self._own = replicas, copy, own

    def between(
        self, ticket_id: UUID, day_from: date, day_to: date, option_id: UUID | None = None
    ) -> tuple[Slot, ...]:
        return self._replicas.ask(
            lambda: self._copy.between(ticket_id, day_from, day_to, option_id),
            lambda: self._own.between(ticket_id, day_from, day_to, option_id),
        )
