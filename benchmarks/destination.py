"""The destination that is measured: a free ticket and a paid one to sell, and a catalogue to search in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

from common.clock import system_clock
from common.identifiers import uuid7
from ticketing_service.domain.catalogue import (
    AvailabilityType,
    Option,
    Poi,
    Point,
    Ticket,
    TicketStatus,
    TicketType,
    Unit,
    UnitType,
)
from ticketing_service.domain.local_time import local_day
from ticketing_service.domain.pricing import SalePolicy
from ticketing_service.domain.recurrence import plan_slots
from ticketing_service.domain.slots import Schedule, ScheduleRule
from ticketing_service.storage.opening import open_store
from ticketing_service.storage.port import Store

ZONE = "Europe/Madrid"
CITIES = ("Alicante", "Benidorm", "Calpe", "Dénia")
CATEGORIES = ("museum", "castle", "park", "beach")
THINGS = ("Museum", "Castle", "Garden", "Harbour", "Cave", "Tower", "Market", "Cathedral")
TICKETS = 200
SLOTS_A_DAY = 4
CALENDAR_DAYS = 60
SPREAD = 16
HOT_CAPACITY = 10_000_000
POLICY = SalePolicy()


@dataclass(frozen=True, slots=True, kw_only=True)
class OnSale:
    """A ticket with its one unit and its slots. `hot` has places for as many as all of `spread` together."""

    ticket_id: UUID
    unit_id: UUID
    hot: UUID
    spread: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    free: OnSale
    paid: OnSale
    search_path: str
    ticket_path: str
    calendar_path: str


def build(url: str) -> Destination:
    """Fill a migrated, empty database through the store's own verbs."""
    store = open_store(url, threads=1)
    try:
        pois = [make_poi(number) for number in range(TICKETS // 4)]
        store.catalogue.put_pois(pois)
        for number in range(TICKETS - 2):
            store.catalogue.create(make_ticket(pois[number % len(pois)], number, price=500 + 25 * number))
        free, ticket = _on_sale(store, pois[0], price=0), _calendar(store, pois[1])
        paid = _on_sale(store, pois[2], price=1250)
    finally:
        store.close()
    begin = local_day(system_clock(), ZONE) + timedelta(days=1)
    end = begin + timedelta(days=CALENDAR_DAYS - 1)
    return Destination(
        free=free,
        paid=paid,
        search_path=f"/api/v1/tickets?q=castle&city={CITIES[1]}&limit=20",
        ticket_path=f"/api/v1/tickets/{ticket.id}",
        calendar_path=f"/api/v1/tickets/{ticket.id}/availability?from={begin}&to={end}",
    )


def _on_sale(store: Store, poi: Poi, *, price: int) -> OnSale:
    """A ticket on sale with one hot slot and `SPREAD` others, from tomorrow on."""
    ticket = make_ticket(poi, 1000 + price, price=price)
    store.catalogue.create(ticket)
    today = local_day(system_clock(), ZONE)
    hot_day, others = today + timedelta(days=1), today + timedelta(days=2)
    rules = (
        _rule(ticket, hot_day, 1, ("10:00",), HOT_CAPACITY),
        _rule(ticket, others, SPREAD // SLOTS_A_DAY, _starts(), HOT_CAPACITY // SPREAD),
    )
    _schedule(store, ticket, rules)
    slots = store.slots.between(ticket.id, today, others + timedelta(days=SPREAD))
    hot, *spread = (slot.id for slot in slots)
    return OnSale(ticket_id=ticket.id, unit_id=ticket.options[0].units[0].id, hot=hot, spread=tuple(spread))


def _calendar(store: Store, poi: Poi) -> Ticket:
    """A ticket with several starts on each of the days that the calendar shows."""
    return on_each_day(store, poi, 2000, CALENDAR_DAYS)


def on_each_day(store: Store, poi: Poi, number: int, days: int) -> Ticket:
    """A new ticket with several starts on each of so many days from tomorrow on."""
    ticket = make_ticket(poi, number, price=1500)
    store.catalogue.create(ticket)
    begin = local_day(system_clock(), ZONE) + timedelta(days=1)
    _schedule(store, ticket, (_rule(ticket, begin, days, _starts(), 40),))
    return ticket


def _schedule(store: Store, ticket: Ticket, rules: tuple[ScheduleRule, ...]) -> None:
    now = system_clock()
    planned = plan_slots(ticket, Schedule(rules), local_day(now, ZONE))
    store.slots.put_schedule(ticket, Schedule(rules), planned, now)


def _rule(ticket: Ticket, begin: date, days: int, starts: tuple[str, ...], capacity: int) -> ScheduleRule:
    return ScheduleRule(
        option_id=ticket.options[0].id,
        rrule="FREQ=DAILY",
        date_from=begin,
        date_to=begin + timedelta(days=days - 1),
        start_times=starts,
        capacity=capacity,
    )


def _starts() -> tuple[str, ...]:
    return tuple(f"{9 + 2 * number:02}:30" for number in range(SLOTS_A_DAY))


def make_poi(number: int) -> Poi:
    """A place of some city, each number another."""
    return Poi(
        id=uuid4(),
        names={"en": f"{THINGS[number % len(THINGS)]} of {CITIES[number % len(CITIES)]}"},
        city=CITIES[number % len(CITIES)],
        category=CATEGORIES[number % len(CATEGORIES)],
        point=Point(38.3 + number / 100, -0.5 + number / 100),
        time_zone=ZONE,
        version=1,
    )


def make_ticket(poi: Poi, number: int, *, price: int) -> Ticket:
    """A ticket at the place, without a schedule."""
    now = system_clock()
    title = f"{THINGS[number % len(THINGS)]} visit {number}"
    unit = Unit(
        id=uuid7(), type=UnitType.ADULT, title={"en": "Adult", "nl": "Volwassene"}, pax_count=1, price=price
    )
    option = Option(id=uuid7(), title={"en": "Entry", "nl": "Toegang"}, default=True, units=(unit,))
    return Ticket(
        id=uuid7(),
        poi_id=poi.id,
        poi_ids=(poi.id,),
        type=TicketType.SINGLE,
        status=TicketStatus.ACTIVE,
        availability_type=AvailabilityType.START_TIME,
        title={"en": title, "nl": f"Bezoek {number}"},
        description={"en": f"An hour at the {title.lower()}, with a guide on request. " * 4},
        city=poi.city,
        category=poi.category,
        point=poi.point,
        time_zone=ZONE,
        currency="EUR",
        options=(option,),
        cutoff_minutes=POLICY.cutoff_minutes(AvailabilityType.START_TIME),
        refund_policy=POLICY.refund_policy,
        taxes=POLICY.taxes,
        commission_basis_points=POLICY.commission_basis_points,
        valid_days=1,
        version=1,
        created_at=now,
        updated_at=now,
    )
