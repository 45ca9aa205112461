"""The catalogue."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request

from common.auth.policy import Caller, anyone, roles
from common.caching.reads import Arguments, CachedRead, Shown
from common.texts import LANGUAGES
from common.web.api import Api
from common.web.etag import etag, require_if_match
from common.web.idempotency import Idempotency
from common.web.paging import page_of
from common.web.problems import problem
from ticketing_service.actions import tickets
from ticketing_service.actions.ticket_drafts import TicketDraft
from ticketing_service.actions.tickets import ArchiveTicket, ChangeTicket, CreateTicket
from ticketing_service.domain.catalogue import Ticket, TicketStatus
from ticketing_service.invalidation import CATALOGUE, PLACES, ticket_tags
from ticketing_service.metrics import TicketingMetrics
from ticketing_service.routes.calling import (
    NO_TICKET,
    PREFIX,
    PUBLIC_CACHE,
    PortsSource,
    is_visitor,
    keyed,
)
from ticketing_service.schemas.documents import page_document, rendered
from ticketing_service.schemas.ticket_answers import TicketOut, ticket_document
from ticketing_service.schemas.tickets import TicketIn, TicketPatch, TicketSearch, ticket_query
from ticketing_service.schemas.values import LanguageQuery

MANAGERS = roles("ticket_manager")
_WRITING = ("UNKNOWN_POI", "UNKNOWN_OPTION", "UNKNOWN_UNIT", "MIXED_CURRENCIES", "INVALID_TICKET")
_REFUSALS = (*_WRITING, "POI_NOT_ALLOWED", "TICKET_NOT_FOUND", "VERSION_CONFLICT")


def tickets_api(ports: PortsSource, metrics: TicketingMetrics) -> Api:
    api = Api("tickets", PREFIX)
    cached_search = CachedRead(
        region="tickets",
        tags=_search_tags,
        shared_with=is_visitor,
        seen=lambda _: metrics.tickets_searched(),
    )
    cached_ticket = CachedRead(
        region="tickets",
        tags=lambda given: ticket_tags(given["ticket_id"]),
        shared_with=is_visitor,
        absent=NO_TICKET,
        seen=lambda labels: metrics.ticket_viewed(labels["category"], labels["city"]),
    )

    @api.route(
        "GET", "/tickets", who=anyone(), query=TicketSearch, answer=page_of(TicketOut), languages=LANGUAGES,
        cache=PUBLIC_CACHE, cached=cached_search, summary="Search the catalogue",
    )  # fmt: skip
    def search(query: dict[str, Any], caller: Caller, language: str) -> Any:
        manages = caller.has("ticket_manager")
        if query["status"] is not TicketStatus.ACTIVE and not manages:
            raise problem("FORBIDDEN", "Only those who manage the catalogue see what is not on sale.")
        page = tickets.search_tickets(ticket_query(query), ports())
        found = [ticket_document(ticket, language, for_managers=manages) for ticket in page.items]
        return rendered(page_document(page, found))

    @api.route(
        "GET", "/tickets/<uuid:ticket_id>", who=anyone(), query=LanguageQuery, answer=TicketOut,
        languages=LANGUAGES, problems=("TICKET_NOT_FOUND",), cache=PUBLIC_CACHE, cached=cached_ticket,
        summary="One ticket",
    )  # fmt: skip
    def read(ticket_id: UUID, query: dict[str, Any], caller: Caller, language: str) -> Shown:
        manages = caller.has("ticket_manager")
        ticket = tickets.find_ticket(ticket_id, ports(), drafts_too=manages)
        document = rendered(ticket_document(ticket, language, for_managers=manages))
        return Shown(
            result=(document, {"ETag": etag(ticket.version)}),
            modified=ticket.updated_at,
            labels={"category": ticket.category, "city": ticket.city},
        )

    @api.route(
        "POST", "/tickets", who=MANAGERS, body=TicketIn, answer=TicketOut, status=201, languages=LANGUAGES,
        idempotency="accepted", multiline=("description",), problems=(*_WRITING, "POI_NOT_ALLOWED"),
        summary="Put a ticket into the catalogue",
    )  # fmt: skip
    def create(body: dict[str, Any], caller: Caller, idempotency: Idempotency | None, language: str) -> Any:
        def created(ticket: Ticket) -> Any:
            answer, headers = _written(ticket, language)
            return answer, {**headers, "Location": f"{PREFIX}/tickets/{ticket.id}"}

        key = keyed(idempotency, created)
        command = CreateTicket(draft=TicketDraft(**body), allowed_pois=caller.poi_ids, idempotency=key)
        return created(tickets.create_ticket(command, ports()))

    @api.route(
        "PUT", "/tickets/<uuid:ticket_id>", who=MANAGERS, body=TicketIn, answer=TicketOut, if_match=True,
        languages=LANGUAGES, multiline=("description",), problems=_REFUSALS, summary="Replace a ticket",
    )  # fmt: skip
    def replace(ticket_id: UUID, body: dict[str, Any], caller: Caller, language: str) -> Any:
        command = _change(ticket_id, body, caller, whole=True)
        return _written(tickets.change_ticket(command, ports()), language)

    @api.route(
        "PATCH", "/tickets/<uuid:ticket_id>", who=MANAGERS, body=TicketPatch, answer=TicketOut, if_match=True,
        languages=LANGUAGES, multiline=("description",), problems=_REFUSALS,
        summary="Replace some fields of a ticket",
    )  # fmt: skip
    def change(ticket_id: UUID, body: dict[str, Any], caller: Caller, language: str) -> Any:
        command = _change(ticket_id, body, caller, whole=False)
        return _written(tickets.change_ticket(command, ports()), language)

    @api.route(
        "DELETE", "/tickets/<uuid:ticket_id>", who=MANAGERS, status=204, if_match=True,
        problems=("TICKET_NOT_FOUND", "VERSION_CONFLICT", "POI_NOT_ALLOWED"),
        summary="Archive a ticket; what was sold stays good",
    )  # fmt: skip
    def archive(ticket_id: UUID, caller: Caller) -> None:
        version = require_if_match(request.headers)
        command = ArchiveTicket(ticket_id=ticket_id, expected_version=version, allowed_pois=caller.poi_ids)
        tickets.archive_ticket(command, ports())

    return api


def _search_tags(given: Arguments) -> tuple[str, ...]:
    """With days in it, the answer depends on the places that are left."""
    query = given["query"]
    return (CATALOGUE, PLACES) if query.get("date_from") or query.get("date_to") else (CATALOGUE,)


def _change(ticket_id: UUID, body: dict[str, Any], caller: Caller, *, whole: bool) -> ChangeTicket:
    return ChangeTicket(
        ticket_id=ticket_id,
        expected_version=require_if_match(request.headers),
        changes=body,
        whole=whole,
        allowed_pois=caller.poi_ids,
    )


def _written(ticket: Ticket, language: str) -> tuple[bytes, dict[str, str]]:
    document = rendered(ticket_document(ticket, language, for_managers=True))
    return document, {"ETag": etag(ticket.version)}
