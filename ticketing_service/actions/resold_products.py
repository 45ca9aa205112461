"""What a reseller may sell: products with their schedules, and what is left of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from ticketing_service.actions.ports import Ports
from ticketing_service.domain.catalogue import Option, Poi, Ticket, TicketQuery, TicketStatus
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.resellers import Reseller
from ticketing_service.domain.slots import Schedule, Slot

MAX_DAYS = 400
"""Slots are made for so many days ahead."""

_PAGE = 100
_NOTHING_PLANNED = Schedule(rules=())


@dataclass(frozen=True, slots=True)
class Product:
    """A ticket with what makes its slots, and the places that it admits to."""

    ticket: Ticket
    schedule: Schedule
    pois: Mapping[UUID, Poi]


@dataclass(frozen=True, slots=True, kw_only=True)
class FindResold:
    """The slots of one option: on local days, both included, or those named."""

    ticket_id: UUID
    option_id: UUID
    reseller: Reseller
    day_from: date | None = None
    day_to: date | None = None
    slot_ids: tuple[UUID, ...] | None = None


def find_products(reseller: Reseller, ports: Ports) -> tuple[Product, ...]:
    """All that the reseller may sell, by title."""
    return _products(list(_sellable(reseller, ports)), ports)


def find_product(ticket_id: UUID, reseller: Reseller, ports: Ports) -> Product:
    """Raises TICKET_NOT_FOUND, also for one that it may not sell."""
    return _products([resold_ticket(ticket_id, reseller, ports)], ports)[0]


def resold_ticket(ticket_id: UUID, reseller: Reseller, ports: Ports) -> Ticket:
    """Raises TICKET_NOT_FOUND, also for one that it may not sell."""
    ticket = ports.store.catalogue.ticket(ticket_id) if reseller.may_sell(ticket_id) else None
    if ticket is None or ticket.status is not TicketStatus.ACTIVE:
        raise Refused(Code.TICKET_NOT_FOUND)
    return ticket


def find_resold_slots(command: FindResold, ports: Ports) -> tuple[Ticket, Option, tuple[Slot, ...]]:
    """The slots in the order of their start. Raises TICKET_NOT_FOUND, UNKNOWN_OPTION, INVALID_PERIOD."""
    ticket = resold_ticket(command.ticket_id, command.reseller, ports)
    option = ticket.option(command.option_id)
    if option is None:
        raise Refused(Code.UNKNOWN_OPTION)
    if command.slot_ids is not None:
        offers = ports.store.slots.offers(command.slot_ids).values()
        found = (offer.slot for offer in offers if offer.slot.option_id == option.id)
        return ticket, option, tuple(sorted(found, key=lambda slot: slot.local_start))
    day_from, day_to = command.day_from, command.day_to
    if day_from is None or day_to is None or day_to < day_from:
        raise Refused(Code.INVALID_PERIOD, "The period needs a first and a last day, in this order.")
    if (day_to - day_from).days >= MAX_DAYS:
        raise Refused(Code.INVALID_PERIOD, f"At most {MAX_DAYS} days are shown at once.")
    return ticket, option, ports.store.slots.between(ticket.id, day_from, day_to, option.id)


def _sellable(reseller: Reseller, ports: Ports) -> Iterator[Ticket]:
    query = TicketQuery(limit=_PAGE)
    while True:
        page = ports.store.catalogue.search(query)
        yield from (ticket for ticket in page.items if reseller.may_sell(ticket.id))
        if page.next_cursor is None:
            return
        query = replace(query, cursor=page.next_cursor)


def _products(tickets: Iterable[Ticket], ports: Ports) -> tuple[Product, ...]:
    found = list(tickets)
    schedules = ports.store.slots.schedules(ticket.id for ticket in found)
    pois = ports.store.catalogue.pois({poi_id for ticket in found for poi_id in ticket.poi_ids})
    return tuple(Product(ticket, schedules.get(ticket.id, _NOTHING_PLANNED), pois) for ticket in found)
