"""What there is to sell while things break: places without end, free and paid, and a ticket nobody buys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from common.clock import system_clock
from tests.contract.builders import make_option, make_schedule, plain_unit
from tests.contract.world import World
from ticketing_service.domain.catalogue import AvailabilityType
from ticketing_service.domain.slots import OpeningHours
from ticketing_service.storage.opening import open_store

PRICE = 1000
NOON = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """Today's slot of a ticket with one unit; `ticket`, `slot`, `unit`, `poi` are ids as text."""

    ticket: str
    slot: str
    unit: str
    poi: str
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """`free` and `paid` are bought; `quiet` is only read, so that no sale ends what is cached of it."""

    free: Offer
    paid: Offer
    quiet: Offer


def open_venue(url: str) -> Venue:
    """Make them in the migrated database `url`."""
    store = open_store(url, threads=1)
    world, now = World(store), system_clock()
    venue = Venue(
        free=_offer(world, "Tower", 0, now),
        paid=_offer(world, "Museum", PRICE, now),
        quiet=_offer(world, "Garden", PRICE, now),
    )
    store.close()
    return venue


def _offer(world: World, title: str, price: int, now: datetime) -> Offer:
    ticket = world.ticket(
        title,
        options=(make_option(plain_unit(price)),),
        availability_type=AvailabilityType.OPENING_HOURS,
        cutoff_minutes=30,
        time_zone=_zone_of_noon(now),
    )
    today = now.astimezone(ZoneInfo(ticket.time_zone)).date()
    schedule = make_schedule(
        ticket,
        start_times=(),
        opening_hours=(OpeningHours("00:00", "23:59"),),
        capacity=1_000_000,
        first_day=today,
    )
    world.put(ticket, schedule, now)
    (slot,) = world.slots(ticket, today, 1)
    unit = ticket.options[0].units[0]
    return Offer(
        ticket=str(ticket.id),
        slot=str(slot.id),
        unit=str(unit.id),
        poi=str(ticket.poi_id),
        day=today.isoformat(),
    )


def _zone_of_noon(now: datetime) -> str:
    """A zone in which it is about noon, so that today is neither over nor about to be."""
    ahead = NOON - now.hour
    return f"Etc/GMT{-ahead:+d}"  # POSIX counts westwards
