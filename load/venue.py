"""The complete product, started for one run: gateway, service, worker and payment sandbox on free ports."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from benchmarks.databases import Databases, opened
from common.clock import system_clock
from demo.api import Api
from load import stored
from load.destination import Sells, fill, time_zone, write_places
from tests.beneath import open_beneath
from tests.invariants.checker import check
from tests.servers.process import Process
from tests.servers.stack import ServiceStack

WEB_THREADS = 8
BUFFER_POOL = "256M"


class ServerEnded(Exception):
    """A server process ended in the middle of the run; the message holds its last lines."""


@dataclass(frozen=True, slots=True)
class Venue:
    """The running product and what it sells. `folder` is for what the run itself writes."""

    stack: ServiceStack
    databases: Databases
    database_url: str
    folder: Path
    sells: Sells

    def look_after(self) -> None:
        """Raises ServerEnded as soon as one process has."""
        server = self.databases.server or self.databases.mongodb
        database = [] if server is None else [server.process]
        for process in (
            self.stack.ticketing,
            self.stack.worker,
            self.stack.gateway,
            self.stack.sandbox,
            *database,
        ):
            _raise_if_ended(process)

    def backlog(self) -> int:
        """Tasks that the worker has yet to do: money to collect, codes to make, mail to send."""
        return stored.backlog(self.database_url)

    def cache_stats(self) -> dict[str, Any] | None:
        """What the service says of its cache; None when it does not say anything."""
        try:
            answer = httpx.get(f"{self.stack.ticketing_url}/api/v1/monitoring/cache/stats", timeout=5)
            return dict(answer.json()["cache"]) if answer.status_code == 200 else None
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return None

    def violations(self, acknowledged: int) -> list[str]:
        """Stop the product, and say which invariants the store breaks: none in a good run."""
        self.stack.stop()
        database = open_beneath(self.database_url)
        try:
            found = [str(violation) for violation in check(database)]
        finally:
            database.close()
        sold = stored.sold(self.database_url)
        if sold < acknowledged:
            found.append(f"{acknowledged} confirmations were acknowledged, {sold} are in the store")
        return found


def _raise_if_ended(process: Process) -> None:
    if not process.running:
        raise ServerEnded(f"{process.name} ended with {process.returncode}:\n{process.tail()}")


@contextmanager
def open_venue(store: str, rush_places: int) -> Iterator[Venue]:
    """Start everything in a temporary folder, fill it, and stop everything at the end."""
    zone = time_zone(system_clock())
    with TemporaryDirectory(prefix="load-") as name, opened(store, Path(name), BUFFER_POOL) as databases:
        folder = Path(name)
        places = write_places(folder / "places.geojson", zone)
        url = databases.new()
        stack = ServiceStack(
            folder / secrets.token_hex(4),
            database_url=url,
            web_workers=max(2, len(os.sched_getaffinity(0))),
            web_threads=WEB_THREADS,
            gateway=True,
            # Each visitor has an address of their own: the gateway believes us when we name it.
            env={"POI_DIRECTORY": str(folder / "places.geojson"), "TRUSTED_PROXIES": "127.0.0.1"},
        )
        with stack:
            with Api(f"{stack.gateway_url}/api/v1") as api:
                token = stack.tokens()["ticket_manager"]
                sells = fill(api, token, places, zone, rush_places)
            yield Venue(stack, databases, url, folder, sells)
