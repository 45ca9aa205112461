"""The whole product over real dependencies, each behind a proxy, each to be killed, frozen, slowed, cut."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx

from common.identifiers import uuid7
from tests.beneath import open_beneath
from tests.faults.venue import open_venue
from tests.faults.visitors import Visitors
from tests.invariants.records import Record
from tests.servers.mariadb import MariaDB
from tests.servers.process import eventually, port_is_open
from tests.servers.proxy import Proxy
from tests.servers.redis import RedisServer
from tests.servers.secantus import Secantus
from tests.servers.smtp import SmtpServer
from tests.servers.stack import ServiceStack
from ticketing_service.storage.opening import migrate

Fault = Literal["killed", "frozen", "slow", "flapping"]
FAULTS: tuple[Fault, ...] = ("killed", "frozen", "slow", "flapping")
SLOW_SECONDS = 2.0
FLAP_SECONDS = 0.7
ADMISSIONS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """`name` is its breaker's."""

    name: str
    proxy: Proxy
    kill: Callable[[], object]
    start: Callable[[], object]
    pause: Callable[[], object]
    resume: Callable[[], object]

    @contextmanager
    def under(self, fault: Fault) -> Iterator[None]:
        """Within the block it suffers `fault`; afterwards all is as before."""
        if fault == "flapping":
            with self._flapping():
                yield
            return
        begin, end = {
            "killed": (self.kill, self.start),
            "frozen": (self.pause, self.resume),
            "slow": (lambda: self.proxy.delay(SLOW_SECONDS), lambda: self.proxy.delay(0)),
        }[fault]
        begin()
        try:
            yield
        finally:
            end()

    @contextmanager
    def _flapping(self) -> Iterator[None]:
        over = threading.Event()

        def flap() -> None:
            while not over.is_set():
                self.proxy.cut()
                over.wait(FLAP_SECONDS)
                self.proxy.mend()
                over.wait(FLAP_SECONDS)

        thread = threading.Thread(target=flap)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


class Plant:
    """`with Plant(folder) as plant:`; two web processes, the worker, MariaDB (or another `server` of the
    database), Redis, the sandbox and mail.
    """

    def __init__(self, folder: Path, server: type[MariaDB] | type[Secantus] = MariaDB) -> None:
        self.server, self.redis, self.smtp = server(), RedisServer(), SmtpServer()
        self._proxies = [Proxy() for _ in range(4)]
        self._folder = folder
        self.history: list[Record] = []
        self._operator = secrets.token_urlsafe(32)

    def _start(self) -> None:
        for server in (self.server, self.redis, self.smtp):
            server.start()
        direct = self.server.new_database("plant")
        migrate(direct)
        self.venue = open_venue(direct)
        self.database = open_beneath(direct)
        database, cache, payment, mail = self._proxies
        self.stack = ServiceStack(
            self._folder / "data",
            database_url=self._through(database, direct),
            env={
                "REDIS_HOST": "127.0.0.1",
                "REDIS_PORT": str(cache.port),
                # Short enough for a Redis that hangs, long enough for the proxy on a busy machine.
                "REDIS_TIMEOUT_MS": "500",
                "PAYMENT_API_URL": f"http://127.0.0.1:{payment.port}",
                "SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
                "OPERATOR_KEY": self._operator,
            },
        )
        ports = (self.server.port, self.redis.port, self.stack.payment_port, self.smtp.port)
        for proxy, port in zip(self._proxies, ports, strict=True):
            proxy.start(port)
        self.dependencies = {each.name: each for each in self._dependencies()}
        self.stack.start()
        # The worker's first copy of the POIs ends all that is cached; it comes late on a busy machine.
        eventually(lambda: bool(self.database.tables("pois")["pois"]), seconds=60, what="the POIs")
        self._pay_at_once()

    def _through(self, proxy: Proxy, direct: str) -> str:
        """The URL by way of the proxy. A driver of MongoDB would else ask the server where it is."""
        url = direct.replace(f":{self.server.port}/", f":{proxy.port}/")
        return f"{url}?directConnection=true" if direct.startswith("mongodb:") else url

    def _dependencies(self) -> Iterator[Dependency]:
        database, cache, payment, mail = self._proxies
        yield _process("database", database, self.server)
        yield _process("cache", cache, self.redis)
        sandbox = self.stack.sandbox
        yield Dependency(
            name="payment-api",
            proxy=payment,
            kill=sandbox.kill,
            start=self._start_sandbox,
            pause=sandbox.pause,
            resume=sandbox.resume,
        )
        yield Dependency(
            name="mail",
            proxy=mail,
            kill=self.smtp.stop,
            start=self.smtp.start,
            pause=mail.hold,
            resume=mail.release,
        )

    def people(self) -> Visitors:
        """Those who come now."""
        return Visitors(
            self.stack.ticketing_url, self.venue, self.stack.bearer, self._admissions(), self.history
        )

    @contextmanager
    def told(self) -> Iterator[None]:
        """When what is within the block fails, the processes' warnings are shown, but not each request's."""
        try:
            yield
        except AssertionError:
            lines = (self.stack.ticketing.output() + self.stack.worker.output()).splitlines()
            print("\n".join(line for line in lines if '"message"' in line))
            raise

    def breakers(self) -> dict[str, Any]:
        """All breakers as operators see them, by name."""
        answer = httpx.get(self._monitoring("circuit-breakers"), headers=self._as_operator(), timeout=30)
        found: dict[str, Any] = answer.raise_for_status().json()["circuitBreakers"]
        return found

    def states(self, name: str) -> set[str]:
        """Those of a breaker in the processes of the service."""
        processes = self.breakers()[name]["processes"]
        return {row["state"] for row in processes.values()}

    def reset(self, name: str) -> None:
        """Close a breaker everywhere, as an operator does who knows that its dependency is back."""
        path = self._monitoring(f"circuit-breakers/{name}/reset")
        httpx.post(path, headers=self._as_operator(), timeout=30).raise_for_status()

    def flush(self) -> None:
        """End all that is cached."""
        path = self._monitoring("cache/flush")
        httpx.post(path, json={}, headers=self._as_operator(), timeout=30).raise_for_status()

    def cached(self) -> int:
        """How many answers Redis has."""
        answer = httpx.get(self._monitoring("cache/stats"), headers=self._as_operator(), timeout=30)
        total: int = answer.raise_for_status().json()["cache"]["totalKeys"]
        return total

    def cache_troubles(self) -> int:
        """How often the service could not reach Redis within its fifth of a second. Two faults at once are
        not what a cell is about, but a busy machine adds this one."""
        lines = (self.stack.ticketing.output() + self.stack.worker.output()).splitlines()
        told = sum("did not reach the cache" in line or "Redis is away" in line for line in lines)
        failures: int = self.breakers()["cache"]["failureCount"]
        return told + failures

    def _admissions(self) -> list[str]:
        """The codes of a free booking."""
        offer, key = self.venue.free, uuid7().hex
        body = {
            "items": [{"slotId": offer.slot, "units": [{"unitId": offer.unit, "quantity": ADMISSIONS}]}],
            "customer": {"name": "Ann", "email": "ann@example.org", "language": "en"},
        }
        url = f"{self.stack.ticketing_url}/api/v1/bookings"
        headers = {**self.stack.bearer("support"), "Idempotency-Key": key}
        booking = httpx.post(url, json=body, headers=headers, timeout=30).raise_for_status().json()
        own = {"Authorization": f"Bearer {booking['accessToken']}"}
        httpx.post(f"{url}/{booking['id']}/confirm", headers=own, timeout=30).raise_for_status()
        found = httpx.get(f"{url}/{booking['id']}/admissions", headers=own, timeout=30).raise_for_status()
        return [each["code"] for each in found.json()["data"]]

    def _monitoring(self, path: str) -> str:
        return f"{self.stack.ticketing_url}/api/v1/monitoring/{path}"

    def _as_operator(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._operator}"}

    def _start_sandbox(self) -> None:
        self.stack.sandbox.start()
        self.stack.sandbox.wait_until(lambda: port_is_open(self.stack.payment_port))

    def _pay_at_once(self) -> None:
        """Whoever opens a session has paid."""
        headers = {"Authorization": f"Bearer {self.stack.env['PAYMENT_API_TOKEN']}"}
        url = f"{self.stack.payment_url}/sandbox/behaviour"
        httpx.put(url, json={"autoPay": "capture"}, headers=headers).raise_for_status()

    def __enter__(self) -> Plant:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Stop everything; also what a failed start has left."""
        for name in ("stack", "database"):
            if hasattr(self, name):
                getattr(self, name).close()
        for each in self._proxies:
            each.close()
        self.smtp.stop()
        self.redis.close()
        self.server.close()

    def __exit__(self, *_: object) -> None:
        self.close()


def _process(name: str, proxy: Proxy, server: MariaDB | RedisServer | Secantus) -> Dependency:
    return Dependency(
        name=name,
        proxy=proxy,
        kill=server.kill,
        start=server.start,
        pause=server.pause,
        resume=server.resume,
    )
