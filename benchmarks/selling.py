"""Measurements of the sale: against the bare driver, hot against spread, with payment, in a full store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from uuid import UUID

from benchmarks.checking import check_books
from benchmarks.databases import Databases
from benchmarks.figures import Aim, Figure, interleaved, middle
from benchmarks.fill import bookings_in, fill
from benchmarks.floors import Floor
from benchmarks.load import SaleLoad, sell
from benchmarks.recording import record_sale
from benchmarks.recording_mongodb import record_sale as record_mongodb_sale
from benchmarks.site import THREADS, Site, pay_at_once, running, sell_one

WARM_UP_SECONDS = 2
TRIAL_SECONDS = 1.0
FLOOR_SECONDS = 2.0
LOAD_SECONDS = 4
ROUNDS, FEW_ROUNDS = 3, 2
CONNECTIONS, CALM_CONNECTIONS = 16, 4
"""The latter: few enough that nobody queues for long: the question is what a sale costs, not how many fit."""
PAYING_CONNECTIONS = THREADS
"""One worker may get them all: on a slow machine, which the payment module shares, who queues for a thread is
refused.
"""


def measure_sale(databases: Databases, site: Site) -> list[Figure]:
    """Pairs of hold and confirm a second, free tickets, on many slots and on one, each against its floor.

    A stand-in for a server is held to nothing but that it oversells nothing.
    """
    free = site.sells.free
    stands_in = databases.mongodb is not None
    # it is slower by far: more would only wait
    connections = CALM_CONNECTIONS if stands_in else CONNECTIONS

    def load(slots: Sequence[UUID], seconds: float = LOAD_SECONDS) -> SaleLoad:
        return sell(site.port, slots, free.unit_id, seconds=seconds, connections=connections)

    load(free.spread, WARM_UP_SECONDS)
    record = record_mongodb_sale if stands_in else record_sale
    sale = record(site.stack.env, free.hot, free.unit_id)
    floor = Floor(databases.copy(site.url), sale)
    spread_best = floor.best(free.spread, TRIAL_SECONDS)
    hot_best = floor.best((free.hot,), TRIAL_SECONDS)
    before = check_books(site.url, 0).confirmed
    sides: dict[str, Callable[[], SaleLoad | float]] = {
        "floor, spread": lambda: floor.per_second(free.spread, FLOOR_SECONDS, *spread_best),
        "spread": lambda: load(free.spread),
        "floor, hot": lambda: floor.per_second((free.hot,), FLOOR_SECONDS, *hot_best),
        "hot": lambda: load((free.hot,)),
    }
    found = interleaved(FEW_ROUNDS if stands_in else ROUNDS, sides)
    loads = {name: [each for each in found[name] if isinstance(each, SaleLoad)] for name in ("spread", "hot")}
    floors = {
        name: median(each for each in found[name] if isinstance(each, float))
        for name in found
        if "floor" in name
    }
    acknowledged = before + sum(load.sold for each in loads.values() for load in each)
    books = check_books(site.url, acknowledged)
    statements = len(sale.statements)
    return [
        _sale(
            "sale, spread slots",
            loads["spread"],
            floors["floor, spread"],
            spread_best,
            statements,
            None if stands_in else Aim("ratio", "at least", 0.5),
        ),
        _sale("sale, one hot slot", loads["hot"], floors["floor, hot"], hot_best, statements, None),
        Figure(
            name="hot against spread",
            value=_rate(loads["hot"]),
            unit="sales/s",
            floor=_rate(loads["spread"]),
            floor_is="the same load on spread slots",
            aim=None if stands_in else Aim("ratio", "at least", 0.7),
        ),
        Figure(
            name="places oversold",
            value=books.oversold,
            unit="people",
            aim=Aim("value", "at most", 0),
            facts={"acknowledged": acknowledged, "inTheStore": books.confirmed},
        ),
    ]


def measure_paid_sale(site: Site) -> list[Figure]:
    """Hold, open the payment, confirm; the payment module shares the machine and authorises at once."""
    paid = site.sells.paid
    pay_at_once(site)
    before = check_books(site.url, 0).confirmed
    loads = [
        sell(
            site.port,
            paid.spread,
            paid.unit_id,
            seconds=LOAD_SECONDS,
            connections=PAYING_CONNECTIONS,
            paid=True,
        )
        for _ in range(2)
    ]
    check_books(site.url, before + sum(load.sold for load in loads))
    return [
        Figure(
            name="sale with payment",
            value=_rate(loads),
            unit="sales/s",
            latency=middle([load.pair for load in loads]),
            facts={
                "steps": "hold, payment, confirm",
                "connections": PAYING_CONNECTIONS,
                "holdMs": middle([load.hold for load in loads]),
            },
        )
    ]


def measure_growth(databases: Databases, small: int, large: int) -> list[Figure]:
    """The P95 of a sale in a store with `large` bookings against one with `small`."""
    with running(databases) as few, running(databases) as many:
        for site, count in ((few, small), (many, large)):
            model = sell_one(site, site.sells.free)
            fill(site.url, model, count - 1)
            databases.settle(site.url)
        sites = {"few": few, "many": many}
        for site in sites.values():
            _calm_sale(site)
        sides = {name: lambda site=site: _calm_sale(site) for name, site in sites.items()}
        found: dict[str, list[SaleLoad]] = interleaved(ROUNDS, sides)
        for site in sites.values():
            check_books(site.url, 0)
        return [
            Figure(
                name=f"sale's P95 with {large:,} bookings",
                value=median(load.pair.p95 for load in found["many"]),
                unit="ms",
                floor=median(load.pair.p95 for load in found["few"]),
                floor_is=f"the same with {small:,} bookings",
                latency=middle([load.pair for load in found["many"]]),
                aim=Aim("ratio", "at most", 1.25),
                facts={"bookingsAtTheEnd": {name: bookings_in(site.url) for name, site in sites.items()}},
            )
        ]


def _calm_sale(site: Site) -> SaleLoad:
    free = site.sells.free
    return sell(site.port, free.spread, free.unit_id, seconds=LOAD_SECONDS - 1, connections=CALM_CONNECTIONS)


def _sale(
    name: str, loads: list[SaleLoad], floor: float, best: tuple[int, int], statements: int, aim: Aim | None
) -> Figure:
    processes, threads = best
    return Figure(
        name=name,
        value=_rate(loads),
        unit="sales/s",
        floor=floor,
        floor_is=f"bare driver, {processes} processes x {threads} threads, a transaction a booking",
        latency=middle([load.pair for load in loads]),
        aim=aim,
        facts={
            "statements": statements,
            "requestMs": middle([load.request for load in loads]),
            "holdMs": middle([load.hold for load in loads]),
        },
    )


def _rate(loads: list[SaleLoad]) -> float:
    return median(load.per_second for load in loads)
