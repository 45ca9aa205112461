"""The database hangs, is gone, comes back: what is answered meanwhile, and what operators can still do."""

from __future__ import annotations

import http.client
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.running import Running
from tests.monitoring.conftest import WEB_WORKERS
from tests.monitoring.watched import GUEST, HANG_SECONDS, KEY, OPERATOR, PREFIX, Watched
from tests.servers.mariadb import MariaDB
from tests.servers.process import eventually, free_port
from tests.servers.secantus import Secantus

THREADS = 4
GONE_SECONDS = 10.0
TRIES = 5
"""A busy machine may ask for the one thing when the other is over."""


DatabaseServer = MariaDB | Secantus
TYPES = {"mariadb": "mysql", "mongodb": "mongodb"}
"""What health calls them."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("mariadb", marks=[pytest.mark.mariadb, pytest.mark.xdist_group("monitoring-mariadb")]),
        pytest.param("mongodb", marks=[pytest.mark.mongodb, pytest.mark.xdist_group("monitoring-mongodb")]),
    ],
)
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def server(kind: str) -> Iterator[DatabaseServer]:
    with MariaDB() if kind == "mariadb" else Secantus() as started:
        yield started


@pytest.fixture(scope="module")
def service(server: DatabaseServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Its issuer's keys cannot be had: nobody listens there."""
    env = {
        "OPERATOR_KEY": KEY,
        "LOG_LEVEL": "INFO",
        "JWKS_SOURCE": f"http://127.0.0.1:{free_port()}/jwks.json",
        "TOKEN_ISSUER": "https://issuer.example.org",
    }
    folder = tmp_path_factory.mktemp("down")
    running = Running(
        folder, server.new_database(), sandbox=False, web_workers=WEB_WORKERS, web_threads=THREADS, env=env
    )
    with running:
        watched = Watched(running)
        watched.wait_for_check("worker", "healthy")
        yield watched
        watched.close()


@pytest.fixture
def dead(server: DatabaseServer, service: Watched) -> Iterator[Watched]:
    """The service without a database."""
    server.kill()
    yield service
    if not server.process.running:
        server.start()
    is_well(service)


def is_well(service: Watched) -> None:
    """By itself, once the database is back."""
    for name in ("database", "circuitBreakers", "worker"):
        service.wait_for_check(name, "healthy")
    assert {answer.status for answer in service.everywhere("/ready", GUEST).values()} == {200}


def test_live_is_answered_while_the_database_hangs_and_all_but_two_threads_wait(
    server: DatabaseServer, service: Watched
) -> None:
    assert any(_lives_while_others_wait(server, service) for _ in range(TRIES))


def _lives_while_others_wait(server: DatabaseServer, service: Watched) -> bool:
    """Whether `live` was answered while all that may wait for the database did."""
    ended: list[float] = []

    def ask(connection: http.client.HTTPConnection) -> None:
        connection.request("GET", "/api/v1/tickets?q=not-in-the-cache")
        response = connection.getresponse()
        ended.append(time.monotonic())
        assert (response.status, bool(response.read())) == (503, True)

    # As many to each process as may wait for the database.
    askers = [Watched(service.running) for _ in range(THREADS - 2)]
    connections = [connection for asker in askers for connection in asker.each().values()]
    threads = [threading.Thread(target=ask, args=(connection,)) for connection in connections]
    server.pause()
    try:
        for thread in threads:
            thread.start()
        eventually(lambda: bool(ended) or _in_flight(service) >= len(threads), what="the requests hanging")
        answers = service.everywhere("/live", GUEST).values()
        lived = time.monotonic()
        for thread in threads:
            thread.join(HANG_SECONDS)
    finally:
        server.resume()
        is_well(service)
    assert {(answer.status, answer.content) for answer in answers} == {(200, b'{"status":"alive"}')}
    for asker in askers:
        asker.close()
    assert len(ended) == WEB_WORKERS * (THREADS - 2)
    return lived < min(ended)  # while all of them still hung


def _in_flight(service: Watched) -> float:
    text = service.ask("GET", "/metrics/prometheus", headers=GUEST).content.decode()
    lines = [line for line in text.splitlines() if line.startswith("ticketing_http_requests_in_flight ")]
    return float(lines[0].split()[1]) - 1 if lines else 0.0


def test_without_database_health_is_503_at_once_and_ready_after_ten_seconds(dead: Watched, kind: str) -> None:
    began = time.monotonic()
    for name, status in (("database", "unhealthy"), ("worker", "degraded")):
        dead.wait_for_check(name, status)
    for answer in dead.everywhere("/health", GUEST).values():
        document = answer.json
        assert (answer.status, document["status"]) == (503, "unhealthy")
        assert document["checks"]["database"] == {
            "status": "unhealthy",
            "type": TYPES[kind],
            "responseTimeMs": None,
        }
    address = f":{dead.running.stack.env['DATABASE_URL'].rpartition(':')[2].partition('/')[0]}"
    assert "error" in dead.check("database")
    assert address not in dead.ask("GET", "/health", headers=GUEST).content.decode()
    _operators_can_act(dead)
    assert dead.check("database")["status"] == "unhealthy"  # though its breaker was just reset
    _trip_the_breaker(dead)
    if time.monotonic() < began + GONE_SECONDS / 2:
        assert {answer.status for answer in dead.everywhere("/ready", GUEST).values()} == {200}
    eventually(lambda: _all_wait(dead), seconds=HANG_SECONDS, what="nobody being ready")
    assert time.monotonic() > began + GONE_SECONDS - 3  # counted from the last check that succeeded
    assert {answer.status for answer in dead.everywhere("/live", GUEST).values()} == {200}


def _trip_the_breaker(service: Watched) -> None:
    """In every process: each decides for itself first."""

    seen: dict[str, Any] = {}

    def is_open() -> bool:
        for number in range(5):
            service.everywhere(f"/api/v1/tickets?q=nobody-asked-{number}", GUEST)
        seen.update(service.ask("GET", "/circuit-breakers").json["circuitBreakers"]["database"])
        # It tries again after a second, then less and less often.
        everywhere = {row["state"] for row in seen["processes"].values()} == {"OPEN"}
        return everywhere and "database" in service.check("circuitBreakers")["openBreakers"]

    eventually(is_open, seconds=HANG_SECONDS, what="every process leaving the database alone")
    assert seen["state"] == "OPEN"
    assert seen["openedAt"] < seen["nextAttemptTime"]
    assert "127.0.0.1" in seen["lastError"]["text"]
    assert "127.0.0.1" not in service.ask("GET", "/circuit-breakers", headers=GUEST).content.decode()


def _all_wait(service: Watched) -> bool:
    answers = service.everywhere("/ready", GUEST).values()
    return all(
        (each.status, each.json) == (503, {"status": "waiting", "for": "database"}) for each in answers
    )


def _operators_can_act(service: Watched) -> None:
    """Without database and issuer: by the operator key, as a token of that issuer cannot be read now."""
    lines = len(list(service.lines("audit")))
    for method, path, body in (
        ("PUT", "/circuit-breakers/mail", {"mode": "forced_open", "reason": "a test"}),
        ("PUT", "/circuit-breakers/mail", {"mode": "automatic", "reason": "a test"}),
        ("POST", "/circuit-breakers/mail/reset", None),
        ("POST", "/circuit-breakers/reset-all", None),
        ("POST", "/cache/flush", {}),
        ("POST", "/metrics/reset", None),
    ):
        answer = service.ask(method, path, body, OPERATOR)
        assert answer.status == 200, (path, answer.content)
    eventually(lambda: len(list(service.lines("audit"))) == lines + 6, what="a line for each")
    assert service.ask("POST", "/cache/flush", {}, service.stack.bearer("operator")).status == 503
    for path in ("/circuit-breakers", "/cache/stats", "/metrics", "/metrics/prometheus", "/info"):
        assert service.ask("GET", path).status == 200


def test_the_database_breakers_way_is_in_the_log(server: DatabaseServer, service: Watched) -> None:
    way = {("CLOSED", "OPEN"), ("OPEN", "HALF_OPEN"), ("HALF_OPEN", "CLOSED")}
    server.kill()
    _trip_the_breaker(service)
    service.wait_for_check("database", "unhealthy")
    server.start()
    is_well(service)

    def is_told() -> bool:
        lines = [line for line in service.lines("breaker") if line["breaker"] == "database"]
        return way <= {(line["from"], line["to"]) for line in lines}

    eventually(is_told, seconds=HANG_SECONDS, what="the way of the breaker in the log")
    checks = [
        line["message"] for line in service.lines("message") if "health check database" in line["message"]
    ]
    assert any("unhealthy: StoreUnavailable" in message for message in checks)
    assert any(message.endswith("database: healthy") for message in checks)


def test_a_process_that_never_reached_the_database_is_not_ready(
    server: DatabaseServer, dead: Watched
) -> None:
    before = set(dead.stack.web_worker_pids())
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: len(set(dead.stack.web_worker_pids()) - before) == WEB_WORKERS, what="new processes")
    eventually(lambda: _all_wait(dead), seconds=HANG_SECONDS, what="nobody being ready")
    assert dead.ask("GET", "/health", headers=GUEST).status == 503
    server.start()
    is_well(dead)


def test_a_process_that_was_told_to_end_is_not_ready_and_answers_what_it_has(
    server: DatabaseServer, service: Watched, tmp_path: Path
) -> None:
    """Last in this file: the service is gone afterwards."""
    asking, held = service.connect(), service.connect()
    for connection in (asking, held):
        connection.request("GET", f"{PREFIX}/ready")
        assert connection.getresponse().read() == b'{"status":"ready"}'
    server.pause()
    try:
        held.request("GET", "/api/v1/tickets?q=nobody-asked-this")
        eventually(lambda: _in_flight(service) >= 1, what="the request hanging")
        service.stack.ticketing.send(signal.SIGTERM)
        eventually(lambda: _is_draining(asking), seconds=HANG_SECONDS, what="draining")
        assert held.getresponse().status == 503
    finally:
        server.resume()
    assert service.stack.ticketing.wait() == 0
    for connection in (asking, held):
        connection.close()


def _is_draining(connection: http.client.HTTPConnection) -> bool:
    connection.request("GET", f"{PREFIX}/ready")
    response = connection.getresponse()
    return (response.status, response.read()) == (503, b'{"status":"draining"}')
