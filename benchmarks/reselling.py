"""Measurements of OCTO: what a reseller asks for, and a sale over it against one over the native routes."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median
from uuid import UUID

from benchmarks import destination
from benchmarks.databases import Databases
from benchmarks.destination import CALENDAR_DAYS, ZONE
from benchmarks.figures import Aim, Figure, interleaved, middle
from benchmarks.load import HERE, Latency, LoadFailed, ReadLoad, read, wrk
from benchmarks.site import Site, running
from common.auth.api_keys import key_hash, key_start, made_key
from common.auth.keyfiles import SecretRing
from common.clock import system_clock
from common.identifiers import uuid7
from ticketing_service.domain.catalogue import Ticket
from ticketing_service.domain.local_time import local_day
from ticketing_service.domain.resellers import KEY_PREFIX, Credit, Reseller, ResellerKey, Scope
from ticketing_service.storage.port import Store
from ticketing_service.storage.sql.store import open_store

PRODUCTS, ASKED = 1000, 100
YEAR = 365
LOAD_SECONDS, ROUNDS = 4, 3
CALM_CONNECTIONS, CONNECTIONS = 4, 16
"""So many that nobody queues for long; and as many as other sales are measured with."""

_PLENTY = 1_000_000_000


def measure_resale(databases: Databases) -> list[Figure]:
    """A year's calendar, 60 days of availability with 1,000 products, and reserve and confirm."""
    with running(databases) as site:
        store = open_store(site.url, threads=1)
        try:
            key, year, products = _key(store, site), *_products(store)
        finally:
            store.close()
        return [
            _asking(site, key, "OCTO: a year's calendar", "/availability/calendar", [year], YEAR),
            _asking(
                site, key, f"OCTO: {CALENDAR_DAYS} days, {PRODUCTS:,} products", "/availability", products,
                CALENDAR_DAYS,
            ),
            _selling(site, key),
        ]  # fmt: skip


def _key(store: Store, site: Site) -> str:
    """That of a new reseller who may sell all and owe much."""
    now = system_clock()
    reseller = store.resellers.create(
        Reseller(
            id=uuid7(),
            name="Bench Travel",
            ticket_ids=None,
            max_holds=_PLENTY,
            credit=(Credit(currency="EUR", limit=_PLENTY),),
            active=True,
            version=1,
            created_at=now,
        )
    )
    key_id = uuid7()
    text = made_key(SecretRing(site.stack.data_dir / "keys" / "bench").newest()[1], key_id, KEY_PREFIX)
    store.resellers.add_key(
        ResellerKey(
            id=key_id,
            reseller_id=reseller.id,
            name="bench",
            start=key_start(text),
            hash=key_hash(text),
            scopes=tuple(Scope),
            created_at=now,
            created_by="bench",
            expires_at=now + timedelta(days=1),
        )
    )
    return text


def _products(store: Store) -> tuple[Ticket, list[Ticket]]:
    """One with starts on each day of a year, and so many with 60 days that some of them are asked for."""
    poi = destination.make_poi(7)
    store.catalogue.put_pois([poi])
    year = destination.on_each_day(store, poi, 5000, YEAR)
    asked = [destination.on_each_day(store, poi, 6000 + number, CALENDAR_DAYS) for number in range(ASKED)]
    for number in range(PRODUCTS - ASKED):
        store.catalogue.create(destination.make_ticket(poi, 7000 + number, price=900))
    return year, asked


def _asking(site: Site, key: str, name: str, path: str, tickets: list[Ticket], days: int) -> Figure:
    begin = local_day(system_clock(), ZONE) + timedelta(days=1)
    end = begin + timedelta(days=days - 1)
    file = site.stack.data_dir / f"{secrets.token_hex(4)}.jsonl"
    file.write_text("".join(_body(ticket, str(begin), str(end)) + "\n" for ticket in tickets))
    loads = [_asked(site, key, path, file) for _ in range(ROUNDS)]
    return Figure(
        name=name,
        value=median(load.per_second for load in loads),
        unit="requests/s",
        latency=middle([load.latency for load in loads]),
    )


def _asked(site: Site, key: str, path: str, bodies: Path) -> ReadLoad:
    env = {"ASK_KEY": key, "ASK_BODIES": str(bodies)}
    return read(site.port, f"/api/v1/octo{path}", seconds=LOAD_SECONDS, connections=CALM_CONNECTIONS, env=env)


def _body(ticket: Ticket, begin: str, end: str) -> str:
    ids = {"productId": str(ticket.id), "optionId": str(ticket.options[0].id)}
    return json.dumps({**ids, "localDateStart": begin, "localDateEnd": end})


def _selling(site: Site, key: str) -> Figure:
    """In turn, on the same slots."""
    free = site.sells.free
    option_id = _option(site, free.ticket_id)
    octo = {"RESALE_PRODUCT": str(free.ticket_id), "RESALE_OPTION": str(option_id)}
    sides: dict[str, Callable[[], ReadLoad]] = {
        "native": lambda: _sold(site, key, {}),
        "octo": lambda: _sold(site, key, octo),
    }
    for side in sides.values():
        side()
    found: dict[str, list[ReadLoad]] = interleaved(ROUNDS, sides)
    rates = {name: median(load.per_second for load in loads) for name, loads in found.items()}
    return Figure(
        name="OCTO: reserve and confirm",
        value=rates["octo"],
        unit="sales/s",
        floor=rates["native"],
        floor_is="the same reseller over the native routes",
        latency=middle([load.latency for load in found["octo"]]),
        aim=Aim("ratio", "at least", 0.9),
        facts={"native": middle([load.latency for load in found["native"]])},
    )


def _sold(site: Site, key: str, octo: dict[str, str]) -> ReadLoad:
    """Pairs of reserve and confirm; their latency is from the one's request to the other's answer."""
    free = site.sells.free
    env = {
        "RESALE_RUN": secrets.token_hex(4),
        "RESALE_KEY": key,
        "RESALE_UNIT": str(free.unit_id),
        "RESALE_SLOTS": " ".join(map(str, free.spread)),
        **octo,
    }
    found = wrk(HERE / "resale.lua", f"http://127.0.0.1:{site.port}/", LOAD_SECONDS, CONNECTIONS, env)
    if found["refused"] or found["broken"] or not found["sold"]:
        raise LoadFailed(f"{found['refused']} refused, {found['broken']} broken: {found['first_refusal']}")
    return ReadLoad(per_second=found["sold"] / found["seconds"], latency=Latency.of(found))


def _option(site: Site, ticket_id: UUID) -> UUID:
    store = open_store(site.url, threads=1)
    try:
        ticket = store.catalogue.ticket(ticket_id)
    finally:
        store.close()
    if ticket is None:
        raise LoadFailed("the ticket on sale is gone")
    return ticket.options[0].id
