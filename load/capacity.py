"""How much one instance can do: `wrk`, which costs little of the cores that it shares with it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from benchmarks.databases import rows
from benchmarks.load import READS, Latency, LoadFailed, sell, wrk
from load.venue import Venue

HERE = Path(__file__).parent
CONNECTIONS = 32
WARM_UP_SECONDS = 2.0
READS_AT_GATEWAY = "reads, through the gateway"
READS_AT_SERVICE = "reads, at the service"
BOOKINGS_AT_SERVICE = "bookings (hold and confirm), at the service"
RUSH_PATIENCE_SECONDS = 120.0
_TAKEN = """
SELECT SUM(units.pax_count) FROM ticketing_unit_items units
JOIN ticketing_booking_items items ON items.id = units.item_id
WHERE items.slot_id = ? AND units.status IN ('on_hold', 'confirmed', 'redeemed', 'no_show')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Right answers a second (of bookings: pairs of hold and confirmation), how many were wrong, and ms."""

    name: str
    unit: str
    per_second: float
    latency: Latency
    wrong: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rush:
    """What became of many bookings at once. `oversold`: people beyond the places that there were."""

    asked: int
    connections: int
    places: int
    answered: int
    created: int
    sold_out: int
    unavailable: int
    other: int
    first_other: str
    seconds: float
    latency: Latency
    taken: int

    @property
    def oversold(self) -> int:
        return max(0, self.taken - self.places)


def measure_reads(venue: Venue, *, gateway: bool, seconds: float) -> Capacity:
    """A search, a ticket and a calendar in turn. Raises LoadFailed when no answer is right."""
    sells = venue.sells
    port = venue.stack.gateway_port if gateway else venue.stack.ticketing_port
    env = {"READ_PATHS": f"{sells.search_path} {sells.ticket_path} {sells.calendar_path}"}
    url = f"http://127.0.0.1:{port}/"
    found = wrk(READS, url, seconds, CONNECTIONS, env)
    wrong = found["refused"] + found["broken"]
    right = found["requests"] - wrong
    if right <= 0:
        raise LoadFailed(f"not one of {found['requests']} reads was a success")
    return Capacity(
        name=READS_AT_GATEWAY if gateway else READS_AT_SERVICE,
        unit="requests/s",
        per_second=right / found["seconds"],
        latency=Latency.of(found),
        wrong=wrong,
    )


def measure_bookings(venue: Venue, seconds: float) -> tuple[Capacity, int]:
    """Hold and confirm a free ticket; also how many were sold. Raises LoadFailed."""
    sells = venue.sells
    load = sell(venue.stack.ticketing_port, sells.spread, sells.free_unit, seconds=seconds)
    figure = Capacity(
        name=BOOKINGS_AT_SERVICE, unit="bookings/s", per_second=load.per_second, latency=load.pair
    )
    return figure, load.sold


def rush(venue: Venue, bookings: int, connections: int) -> Rush:
    """All at once for one slot, through the gateway. Raises LoadFailed."""
    sells = venue.sells
    env = {
        "RUSH_RUN": secrets.token_hex(6),
        "RUSH_BOOKINGS": str(bookings),
        "RUSH_SLOT": str(sells.rush_slot),
        "RUSH_UNIT": str(sells.rush_unit),
    }
    url = f"http://127.0.0.1:{venue.stack.gateway_port}/"
    found = wrk(HERE / "rush.lua", url, RUSH_PATIENCE_SECONDS, min(connections, bookings), env)
    return Rush(
        asked=bookings,
        connections=min(connections, bookings),
        places=sells.rush_places,
        answered=found["answered"],
        created=found["created"],
        sold_out=found["sold_out"],
        unavailable=found["unavailable"],
        other=found["other"],
        first_other=found["first_other"],
        seconds=found["seconds"],
        latency=Latency.of(found),
        taken=_taken(venue),
    )


def _taken(venue: Venue) -> int:
    """People on the slot of the rush, counted over the bookings that the store holds."""
    ((people,),) = rows(venue.database_url, _TAKEN, (venue.sells.rush_slot.bytes,))
    return int(people or 0)
