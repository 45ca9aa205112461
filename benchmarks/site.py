"""The service as it is measured: gunicorn as in production, on a database of its own."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx

from benchmarks import destination
from benchmarks.databases import Databases
from benchmarks.destination import Destination, OnSale
from benchmarks.load import LoadFailed
from demo.run import procfile
from nginx.render import nginx_binary
from tests.servers.process import ROOT, Process, free_port
from tests.servers.stack import ServiceStack

WORKERS, THREADS = 2, 8

_NGINX = """daemon off;
worker_processes auto;
pid {folder}/nginx.pid;
events {{}}
http {{
    access_log {folder}/access.log;
    sendfile on;
    keepalive_requests 1000000;
    default_type application/json;
    server {{
        listen 127.0.0.1:{port};
        root {folder}/files;
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Site:
    """A running service and what is on sale there."""

    stack: ServiceStack
    url: str
    sells: Destination

    @property
    def port(self) -> int:
        return self.stack.ticketing_port


@contextmanager
def running(databases: Databases, *, sandbox: bool = False, gateway: bool = False) -> Iterator[Site]:
    """A service with the destination, without its worker, whose work comes after a sale."""
    url = databases.new()
    sells = destination.build(url)
    stack = _stack(databases, url, sandbox=sandbox, gateway=gateway)
    with _started(Site(stack, url, sells)) as site:
        yield site


@contextmanager
def twin(databases: Databases, site: Site, *, watched: bool) -> Iterator[Site]:
    """The same service on the same database, which tells of every request, or of none.

    It has one worker: of two, how the connections happen to be shared out changes a request's cost by more.
    """
    stack = _stack(databases, site.url, workers=1, env={"LOG_LEVEL": "INFO" if watched else "ERROR"})
    if not watched:
        argv = [*procfile()["ticketing"][0][:-1], "benchmarks.unwatched:app"]
        stack.ticketing = Process(argv, env={**stack.env, "SERVICE": "ticketing"}, name="unwatched")
    with _started(Site(stack, site.url, site.sells)) as other:
        yield other


def _stack(
    databases: Databases,
    url: str,
    *,
    sandbox: bool = False,
    gateway: bool = False,
    workers: int = WORKERS,
    env: Mapping[str, str] | None = None,
) -> ServiceStack:
    return ServiceStack(
        databases.folder / secrets.token_hex(4),
        database_url=url,
        web_workers=workers,
        web_threads=THREADS,
        sandbox=sandbox,
        worker=False,
        gateway=gateway,
        env=env,
    )


@contextmanager
def _started(site: Site) -> Iterator[Site]:
    with site.stack:
        try:
            yield site
        except LoadFailed as error:
            error.add_note(site.stack.output())
            raise


@contextmanager
def bare_flask(folder: Path) -> Iterator[int]:
    """The port of a bare Flask that serves a folder's files under the service's own gunicorn settings."""
    port = free_port()
    env = {
        "BARE_FOLDER": str(folder),
        "TICKETING_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "WEB_WORKERS": str(WORKERS),
        "WEB_THREADS": str(THREADS),
        "LOG_LEVEL": "warning",
    }
    argv = [sys.executable, "-m", "gunicorn", "-c", str(ROOT / "gunicorn.conf.py"), "benchmarks.bare:app"]
    process = Process(argv, env=env, name="bare-flask")
    try:
        process.start()
        process.wait_for_port(port)
        yield port
    finally:
        process.close()


@contextmanager
def plain_nginx(folder: Path) -> Iterator[int]:
    """The port of an nginx that serves a folder's files, with its own defaults but for what must be named."""
    port = free_port()
    (folder / "nginx.conf").write_text(_NGINX.format(port=port, folder=folder))
    argv = [nginx_binary(), "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]
    with Process(argv, env={}, name="plain-nginx") as process:
        process.wait_for_port(port)
        yield port


def sell_one(site: Site, on_sale: OnSale) -> UUID:
    """Hold and confirm one free ticket. Raises LoadFailed."""
    body = {
        "items": [{"slotId": str(on_sale.hot), "units": [{"unitId": str(on_sale.unit_id), "quantity": 1}]}],
        "customer": {"name": "Guest", "email": "model@example.com", "language": "en"},
    }
    with httpx.Client(base_url=site.stack.ticketing_url) as client:
        held = client.post("/api/v1/bookings", json=body, headers={"Idempotency-Key": secrets.token_hex(16)})
        if held.status_code != 201:
            raise LoadFailed(f"the hold was answered {held.status_code}: {held.text}")
        booking = held.json()
        bearer = {"Authorization": f"Bearer {booking['accessToken']}"}
        confirmed = client.post(f"/api/v1/bookings/{booking['id']}/confirm", headers=bearer)
        if confirmed.status_code != 200:
            raise LoadFailed(f"the confirmation was answered {confirmed.status_code}: {confirmed.text}")
    return UUID(booking["id"])


def pay_at_once(site: Site) -> None:
    """Let the sandbox take every payment as authorised when it is opened, and send no webhook."""
    behaviour = {"autoPay": "authorize", "webhooks": {"delivery": "lost"}}
    token = site.stack.env["PAYMENT_API_TOKEN"]
    answer = httpx.put(
        f"{site.stack.payment_url}/sandbox/behaviour",
        json=behaviour,
        headers={"Authorization": f"Bearer {token}"},
    )
    answer.raise_for_status()
