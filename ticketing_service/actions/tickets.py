"""The catalogue: find tickets, and let those who manage them create, change and archive them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.actions.ports import Ports
from ticketing_service.actions.ticket_drafts import TicketDraft, built_ticket, draft_of, places_of
from ticketing_service.domain.catalogue import Poi, Ticket, TicketQuery, TicketStatus
from ticketing_service.domain.errors import Code, Refused

AllowedPois = frozenset[UUID] | None
"""The places that a manager is limited to; None is any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateTicket:
    draft: TicketDraft
    allowed_pois: AllowedPois = None
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeTicket:
    """`changes` are fields of `TicketDraft`: all that a PUT names, or those that a PATCH replaces. A PUT is
    `whole`.
    """

    ticket_id: UUID
    expected_version: int
    changes: Mapping[str, Any]
    whole: bool
    allowed_pois: AllowedPois = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveTicket:
    ticket_id: UUID
    expected_version: int
    allowed_pois: AllowedPois = None


def search_tickets(query: TicketQuery, ports: Ports) -> Page[Ticket]:
    return ports.store.shown.catalogue.search(query)


def find_ticket(ticket_id: UUID, ports: Ports, *, drafts_too: bool = False) -> Ticket:
    """To be shown. Raises TICKET_NOT_FOUND, also for one that only managers may see."""
    ticket = ports.store.shown.catalogue.ticket(ticket_id)
    if ticket is None or (ticket.status is not TicketStatus.ACTIVE and not drafts_too):
        raise Refused(Code.TICKET_NOT_FOUND)
    return ticket


def managed_ticket(ticket_id: UUID, allowed_pois: AllowedPois, ports: Ports) -> Ticket:
    """The ticket, for somebody who manages all of its places. Raises TICKET_NOT_FOUND, POI_NOT_ALLOWED."""
    ticket = ports.store.catalogue.ticket(ticket_id)
    if ticket is None:
        raise Refused(Code.TICKET_NOT_FOUND)
    require_places(ticket.poi_ids, allowed_pois, None)
    return ticket


def require_places(poi_ids: Sequence[UUID], allowed_pois: AllowedPois, pointer: str | None) -> None:
    """Raises POI_NOT_ALLOWED when one of `poi_ids` is not the caller's."""
    if allowed_pois is not None and not allowed_pois.issuperset(poi_ids):
        raise Refused(Code.POI_NOT_ALLOWED, "The credential is limited to other places.", pointer)


def create_ticket(command: CreateTicket, ports: Ports) -> Ticket:
    """Raises UNKNOWN_POI, INVALID_TICKET, MIXED_CURRENCIES, POI_NOT_ALLOWED, UNKNOWN_OPTION, UNKNOWN_UNIT."""
    draft = command.draft
    now = ports.clock()
    place = _places(draft, command.allowed_pois, ports)
    ticket = built_ticket(draft, None, place, ports.policy, now)
    return ports.store.catalogue.create(ticket, idempotency=command.idempotency)


def change_ticket(command: ChangeTicket, ports: Ports) -> Ticket:
    """Replace the ticket, or some of its fields. Raises as `create_ticket`, and VERSION_CONFLICT,
    TICKET_NOT_FOUND.
    """
    current = managed_ticket(command.ticket_id, command.allowed_pois, ports)
    if current.version != command.expected_version:
        raise Refused(Code.VERSION_CONFLICT, facts={"version": current.version})
    if command.whole:
        draft = TicketDraft(**command.changes)
    else:
        draft = replace(draft_of(current), **command.changes)
    place = _places(draft, command.allowed_pois, ports)
    ticket = built_ticket(draft, current, place, ports.policy, ports.clock())
    return ports.store.catalogue.replace(ticket, command.expected_version)


def archive_ticket(command: ArchiveTicket, ports: Ports) -> Ticket:
    """Take it off sale; what was sold stays good. Raises TICKET_NOT_FOUND, VERSION_CONFLICT."""
    current = managed_ticket(command.ticket_id, command.allowed_pois, ports)
    archived = replace(current, status=TicketStatus.ARCHIVED, updated_at=ports.clock())
    return ports.store.catalogue.replace(archived, command.expected_version)


def _places(draft: TicketDraft, allowed_pois: AllowedPois, ports: Ports) -> Poi:
    """The ticket's own POI, once all of its places are known and the caller's."""
    wanted = places_of(draft)
    known = ports.store.catalogue.pois({draft.poi_id, *wanted})
    if draft.poi_id not in known:
        raise Refused(Code.UNKNOWN_POI, pointer="/poiId")
    for index, poi_id in enumerate(wanted):
        if poi_id not in known:
            raise Refused(Code.UNKNOWN_POI, pointer=f"/poiIds/{index}")
    require_places((draft.poi_id, *wanted), allowed_pois, "/poiId")
    return known[draft.poi_id]
