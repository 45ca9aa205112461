"""Slots: what is shown of them, the schedules that make them, and what staff change on one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from common.web.idempotency import Idempotency
from ticketing_service.actions.ports import Ports
from ticketing_service.actions.tickets import AllowedPois, find_ticket, managed_ticket, require_places
from ticketing_service.domain.catalogue import Ticket, TicketStatus
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.local_time import instant_of, local_day
from ticketing_service.domain.orders import Offer
from ticketing_service.domain.recurrence import plan_slots
from ticketing_service.domain.slots import Schedule, ScheduleOutcome, Slot, SlotChange

DEFAULT_DAYS, MAX_DAYS = 30, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FindSlots:
    """Local days, both included; without them the next 30 days."""

    ticket_id: UUID
    day_from: date | None = None
    day_to: date | None = None
    option_id: UUID | None = None
    drafts_too: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PutSchedule:
    ticket_id: UUID
    schedule: Schedule
    allowed_pois: AllowedPois = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSlot:
    """A field of None stays; `unlimited` takes the capacity away."""

    slot_id: UUID
    capacity: int | None = None
    unlimited: bool = False
    multiplier: Decimal | None = None
    closed: bool | None = None
    allowed_pois: AllowedPois = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelSlot:
    slot_id: UUID
    reason: str
    actor: str
    allowed_pois: AllowedPois = None
    idempotency: Idempotency | None = None


def find_slots(command: FindSlots, ports: Ports) -> tuple[Ticket, tuple[Slot, ...]]:
    """Raises TICKET_NOT_FOUND, UNKNOWN_OPTION, INVALID_PERIOD."""
    ticket = find_ticket(command.ticket_id, ports, drafts_too=command.drafts_too)
    if command.option_id is not None and ticket.option(command.option_id) is None:
        raise Refused(Code.UNKNOWN_OPTION, pointer="?optionId")
    day_from = command.day_from or local_day(ports.clock(), ticket.time_zone)
    day_to = command.day_to or day_from + timedelta(days=DEFAULT_DAYS)
    if day_to < day_from:
        raise Refused(Code.INVALID_PERIOD, "It ends before it begins.", "?to")
    if (day_to - day_from).days >= MAX_DAYS:
        raise Refused(Code.INVALID_PERIOD, f"At most {MAX_DAYS} days are shown at once.", "?to")
    return ticket, ports.store.shown.slots.between(ticket.id, day_from, day_to, command.option_id)


def next_change(command: FindSlots, ticket: Ticket, found: Iterable[Slot], now: datetime) -> datetime | None:
    """The next instant at which time alone changes what `find_slots` shows: sales end, or a day begins."""
    instants = [slot.sales_end_at for slot in found if slot.sales_end_at > now]
    if command.day_from is None:
        tomorrow = local_day(now, ticket.time_zone) + timedelta(days=1)
        instants.append(instant_of(datetime.combine(tomorrow, time()), ticket.time_zone))
    return min(instants, default=None)


def find_schedule(ticket_id: UUID, allowed_pois: AllowedPois, ports: Ports) -> Schedule:
    """The ticket's schedule; no rules when it never had one. Raises TICKET_NOT_FOUND, POI_NOT_ALLOWED."""
    managed_ticket(ticket_id, allowed_pois, ports)
    return ports.store.slots.schedule(ticket_id) or Schedule(rules=())


def put_schedule(command: PutSchedule, ports: Ports) -> tuple[Ticket, ScheduleOutcome]:
    """Raises TICKET_NOT_FOUND, TICKET_ARCHIVED, POI_NOT_ALLOWED, INVALID_SCHEDULE, UNKNOWN_OPTION."""
    ticket = managed_ticket(command.ticket_id, command.allowed_pois, ports)
    if ticket.status is TicketStatus.ARCHIVED:
        raise Refused(Code.TICKET_ARCHIVED)
    now = ports.clock()
    planned = plan_slots(ticket, command.schedule, local_day(now, ticket.time_zone))
    return ticket, ports.store.slots.put_schedule(ticket, command.schedule, planned, now)


def change_slot(command: ChangeSlot, ports: Ports) -> Offer:
    """The slot as it is then, and its ticket. Raises SLOT_NOT_FOUND, SLOT_CANCELLED, CAPACITY_BELOW_TAKEN."""
    offer = _managed_slot(command.slot_id, command.allowed_pois, ports)
    change = SlotChange(
        capacity=command.capacity,
        unlimited=command.unlimited,
        multiplier=command.multiplier,
        closed=command.closed,
    )
    return Offer(ports.store.slots.change(command.slot_id, change, ports.clock()), offer.ticket)


def cancel_slot(command: CancelSlot, ports: Ports) -> Offer:
    """Every booking on it is then refunded whole by the worker. Repeatable.

    Raises SLOT_NOT_FOUND, POI_NOT_ALLOWED.
    """
    offer = _managed_slot(command.slot_id, command.allowed_pois, ports)
    key = command.idempotency
    # what is kept under the key is made of the slot together with its ticket
    keyed = key.presenting(lambda slot: Offer(slot, offer.ticket)) if key else None
    slot = ports.store.slots.cancel(
        command.slot_id, command.reason, command.actor, ports.clock(), idempotency=keyed
    )
    return Offer(slot, offer.ticket)


def _managed_slot(slot_id: UUID, allowed_pois: AllowedPois, ports: Ports) -> Offer:
    offer = ports.store.slots.offers([slot_id]).get(slot_id)
    if offer is None:
        raise Refused(Code.SLOT_NOT_FOUND)
    require_places(offer.ticket.poi_ids, allowed_pois, None)
    return offer
