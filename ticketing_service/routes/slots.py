"""Availability, schedules and single slots."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from common.auth.policy import Caller, anyone
from common.caching.reads import CachedRead, Shown
from common.web.api import Api
from common.web.idempotency import Idempotency
from ticketing_service.actions import quotes, schedules
from ticketing_service.actions.quotes import AskQuote
from ticketing_service.actions.schedules import CancelSlot, ChangeSlot, FindSlots, PutSchedule
from ticketing_service.domain.orders import Offer
from ticketing_service.domain.slots import Schedule
from ticketing_service.invalidation import places_tags
from ticketing_service.metrics import TicketingMetrics
from ticketing_service.routes.calling import (
    NO_TICKET,
    PREFIX,
    PUBLIC_CACHE,
    RESELLER_KIND,
    PortsSource,
    is_visitor,
    keyed,
)
from ticketing_service.routes.tickets import MANAGERS
from ticketing_service.schemas.bookings import QuoteIn
from ticketing_service.schemas.documents import rendered
from ticketing_service.schemas.quotes import QuoteOut, quote_document
from ticketing_service.schemas.slots import (
    AvailabilityQuery,
    ReasonIn,
    ScheduleIn,
    ScheduleOut,
    ScheduleOutcomeOut,
    SlotList,
    SlotOut,
    SlotPatch,
    outcome_document,
    schedule_document,
    slot_document,
    slots_document,
)


def slots_api(ports: PortsSource, metrics: TicketingMetrics) -> Api:
    api = Api("slots", PREFIX)
    cached_slots = CachedRead(
        region="availability",
        tags=lambda given: places_tags(given["ticket_id"]),
        shared_with=is_visitor,
        absent=NO_TICKET,
        seen=lambda _: metrics.availability_checked(),
    )

    def shown(offer: Offer) -> bytes:
        now = ports().clock()
        return rendered(slot_document(offer.slot, offer.ticket, now, for_managers=True))

    @api.route(
        "GET", "/tickets/<uuid:ticket_id>/availability", who=anyone(), query=AvailabilityQuery,
        answer=SlotList, problems=("TICKET_NOT_FOUND", "UNKNOWN_OPTION", "INVALID_PERIOD"),
        cache=PUBLIC_CACHE, cached=cached_slots, summary="The slots of a ticket between two local days",
    )  # fmt: skip
    def availability(ticket_id: UUID, query: dict[str, Any], caller: Caller) -> Shown:
        manages, now = caller.has("ticket_manager"), ports().clock()
        command = FindSlots(ticket_id=ticket_id, drafts_too=manages, **query)
        ticket, found = schedules.find_slots(command, ports())
        return Shown(
            result=rendered(slots_document(ticket, found, now)),
            fresh_until=schedules.next_change(command, ticket, found, now),
            # A sale of another ticket changes it too, and no tag tells of that. The slots say so, not the
            # ticket: those that were sold before it was changed draw on what it shared then.
            keep=not any(slot.shares_places for slot in found),
        )

    @api.route(
        "GET", "/tickets/<uuid:ticket_id>/schedule", who=MANAGERS, answer=ScheduleOut,
        problems=("TICKET_NOT_FOUND", "POI_NOT_ALLOWED"), summary="What makes the slots of a ticket",
    )  # fmt: skip
    def read_schedule(ticket_id: UUID, caller: Caller) -> bytes:
        return rendered(schedule_document(schedules.find_schedule(ticket_id, caller.poi_ids, ports())))

    @api.route(
        "PUT", "/tickets/<uuid:ticket_id>/schedule", who=MANAGERS, body=ScheduleIn, answer=ScheduleOutcomeOut,
        problems=(
            "TICKET_NOT_FOUND", "TICKET_ARCHIVED", "POI_NOT_ALLOWED", "INVALID_SCHEDULE", "UNKNOWN_OPTION",
        ),
        summary="Make the slots of a ticket by rules and closures",
    )  # fmt: skip
    def put_schedule(ticket_id: UUID, body: Schedule, caller: Caller) -> bytes:
        command = PutSchedule(ticket_id=ticket_id, schedule=body, allowed_pois=caller.poi_ids)
        ticket, outcome = schedules.put_schedule(command, ports())
        return rendered(outcome_document(ticket, outcome, ports().clock()))

    @api.route(
        "PATCH", "/slots/<uuid:slot_id>", who=MANAGERS, body=SlotPatch, answer=SlotOut,
        problems=("SLOT_NOT_FOUND", "SLOT_CANCELLED", "CAPACITY_BELOW_TAKEN", "POI_NOT_ALLOWED"),
        summary="Change the capacity or price of a slot, or close it",
    )  # fmt: skip
    def change(slot_id: UUID, body: dict[str, Any], caller: Caller) -> bytes:
        unlimited = body.get("capacity", 0) is None
        command = ChangeSlot(slot_id=slot_id, allowed_pois=caller.poi_ids, unlimited=unlimited, **body)
        return shown(schedules.change_slot(command, ports()))

    @api.route(
        "POST", "/slots/<uuid:slot_id>/cancel", who=MANAGERS, body=ReasonIn, answer=SlotOut,
        idempotency="accepted", problems=("SLOT_NOT_FOUND", "POI_NOT_ALLOWED"),
        summary="Cancel a slot: its bookings are refunded whole, and told",
    )  # fmt: skip
    def cancel(slot_id: UUID, body: dict[str, Any], caller: Caller, idempotency: Idempotency | None) -> bytes:
        command = CancelSlot(
            slot_id=slot_id,
            reason=body["reason"],
            actor=caller.principal,
            allowed_pois=caller.poi_ids,
            idempotency=keyed(idempotency, shown),
        )
        return shown(schedules.cancel_slot(command, ports()))

    @api.route(
        "POST", "/availability/check", who=anyone(), body=QuoteIn, answer=QuoteOut,
        summary="What an order costs and whether it can be booked; takes nothing",
    )  # fmt: skip
    def check(body: dict[str, Any], caller: Caller) -> bytes:
        metrics.availability_checked()
        reseller = caller.claims["reseller"] if caller.kind == RESELLER_KIND else None
        command = AskQuote(
            items=tuple(body["items"]), voucher_code=body.get("voucher_code"), reseller=reseller
        )
        return rendered(quote_document(quotes.ask_quote(command, ports())))

    return api
