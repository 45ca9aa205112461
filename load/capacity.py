"""How much one instance can do: `wrk`, which costs little of the cores that it shares with it."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.load import READS, Latency, LoadFailed, sell, wrk
from load.venue import Venue

CONNECTIONS = 32
WARM_UP_SECONDS = 2.0
READS_AT_GATEWAY = "reads, through the gateway"
READS_AT_SERVICE = "reads, at the service"
BOOKINGS_AT_SERVICE = "bookings (hold and confirm), at the service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Right answers a second (of bookings: pairs of hold and confirmation), how many were wrong, and ms."""

    name: str
    unit: str
    per_second: float
    latency: Latency
    wrong: int = 0


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
