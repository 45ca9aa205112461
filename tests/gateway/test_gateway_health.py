from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.conftest import StartGateway
from tests.gateway.gateway import Answer, Gateway, assert_problem
from tests.gateway.misbehaviour import MISBEHAVIOURS, hang, misbehaving
from tests.gateway.service import (
    ADMIN_HEALTH_PATH,
    HEALTH_PATH,
    INFO_PATH,
    prepare_health,
    start_service,
)
from tests.gateway.upstream import Prepared, Upstream
from tests.servers.process import free_port

# 1 s for the services, and what a busy machine may add. A hang guard is ten times as long.
MOST_SECONDS = 5


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Upstream, Upstream]]:
    with Upstream() as ticketing, Upstream() as payment:
        yield ticketing, payment


@pytest.fixture
def services(both: tuple[Upstream, Upstream]) -> tuple[Upstream, Upstream]:
    """Ticketing and the payment module, both well."""
    for upstream in both:
        prepare_health(upstream)
    return both


@pytest.fixture
def watching(services: tuple[Upstream, Upstream], start_gateway: StartGateway) -> Gateway:
    ticketing, payment = services
    return start_gateway(TICKETING_PORT=str(ticketing.port), PAYMENT_PORT=str(payment.port))


def statuses(answer: Answer) -> dict[str, str]:
    return {name: entry["status"] for name, entry in answer.json()["services"].items()}


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
def test_all_being_well_is_healthy(watching: Gateway, prefix: str) -> None:
    answer = watching.get(f"{prefix}/health/all")
    assert (answer.status, answer.one("Content-Type")) == (200, "application/json")
    assert answer.one("Cache-Control") == "no-store"
    document = answer.json()
    assert set(document) == {"status", "timestamp", "services"}
    assert document["status"] == "healthy"
    assert document["timestamp"].endswith("Z")
    assert list(document["services"]) == ["ticketing", "payment"]
    for name, entry in document["services"].items():
        assert set(entry) == {"status", "required", "responseTimeMs"}
        assert entry["status"] == "healthy"
        assert entry["required"] is (name == "ticketing")
        assert 0 <= entry["responseTimeMs"] < 1000


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
def test_the_services_are_listed_without_their_addresses(
    watching: Gateway, services: tuple[Upstream, Upstream], prefix: str
) -> None:
    answer = watching.get(f"{prefix}/services")
    assert (answer.status, answer.one("Content-Type")) == (200, "application/json")
    ticketing, payment = answer.json()["data"]
    assert set(ticketing) == {"name", "url", "endpoints", "status", "version"}
    assert (ticketing["name"], ticketing["url"], ticketing["status"]) == ("ticketing", "/api/v1", "healthy")
    assert (ticketing["version"], payment["version"]) == ("1.2.3", None)
    assert "/api/v1/bookings" in ticketing["endpoints"]
    assert (payment["name"], payment["url"], payment["status"]) == ("payment", "/api/v1/payments", "healthy")
    shown = answer.body + watching.get("/health/all").body
    assert not [port for port in (services[0].port, services[1].port) if str(port).encode() in shown]
    assert b"127.0.0.1" not in shown
    assert b"monitoring" not in shown


def test_only_reading_is_possible(watching: Gateway) -> None:
    for path in ("/health/all", "/services", "/api/v1/health/all", "/api/v1/services"):
        head = watching.request("HEAD", path)
        assert (head.status, head.body) == (200, b"")
        assert_problem(watching.request("POST", path), 405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    "said, status, code",
    [
        (Prepared(b'{"status":"degraded"}'), "degraded", 200),
        (Prepared(b'{"status":"unhealthy"}', 503), "unhealthy", 503),
        (Prepared(b'{"status":"unhealthy"}', 200), "unhealthy", 503),
        (Prepared(b'{"status":"healthy"}', 503), "unhealthy", 503),
        (Prepared(b'{"status":"splendid"}'), "unhealthy", 503),
        (Prepared(b'{"status":["healthy"]}'), "unhealthy", 503),
        (Prepared(b"null"), "unhealthy", 503),
        (Prepared(b"[]"), "unhealthy", 503),
        (Prepared(b""), "unhealthy", 503),
        (Prepared(b"<html>it works</html>"), "unhealthy", 503),
        (Prepared(b'{"status":"healthy"'), "unhealthy", 503),
        (Prepared(b'{"status":"healthy"}', 301, [("Location", "/health")]), "unhealthy", 503),
        (Prepared(b'{"status":"healthy"}' + b" " * 5_000_000), "unhealthy", 503),
        (Prepared(b'{"status":"healthy"}', 204), "unhealthy", 503),
        (Prepared(b'{"status":"healthy"}', 500), "unhealthy", 503),
    ],
)
def test_a_required_service_has_to_say_that_it_is_well(
    watching: Gateway, services: tuple[Upstream, Upstream], said: Prepared, status: str, code: int
) -> None:
    services[0].prepared[HEALTH_PATH] = said
    answer = watching.get("/health/all")
    assert (answer.status, answer.json()["status"]) == (code, status)
    assert statuses(answer) == {"ticketing": status, "payment": "healthy"}
    assert answer.all("Retry-After") == (["5"] if code == 503 else [])
    assert watching.get("/services").json()["data"][0]["status"] == status


@pytest.mark.parametrize(
    "code, status", [(200, "healthy"), (404, "healthy"), (302, "degraded"), (500, "degraded")]
)
def test_the_payment_module_has_to_answer_and_is_not_required(
    watching: Gateway, services: tuple[Upstream, Upstream], code: int, status: str
) -> None:
    services[1].prepared["/health"] = Prepared(b"anything", code)
    answer = watching.get("/health/all")
    assert (answer.status, answer.json()["status"]) == (200, status)
    assert statuses(answer)["ticketing"] == "healthy"


@pytest.mark.parametrize(
    "info", [b"rubbish", b'{"version":7}', b'{"version":"<script>"}', b'{"version":""}', b"{}"]
)
def test_a_version_that_is_none_is_not_shown(
    watching: Gateway, services: tuple[Upstream, Upstream], info: bytes
) -> None:
    services[0].prepared[INFO_PATH] = Prepared(info)
    ticketing = watching.get("/services").json()["data"][0]
    assert (ticketing["status"], ticketing["version"]) == ("healthy", None)


def asked_within_time(gateway: Gateway) -> Answer:
    started = time.monotonic()
    answer = gateway.get("/health/all")
    assert time.monotonic() - started < MOST_SECONDS
    return answer


@pytest.mark.parametrize("how", MISBEHAVIOURS)
def test_a_service_that_misbehaves_is_unhealthy_in_time_and_harms_nobody(
    services: tuple[Upstream, Upstream], tmp_path: Path, how: str
) -> None:
    with misbehaving(MISBEHAVIOURS[how]) as port:
        gateway = Gateway(tmp_path, {"TICKETING_PORT": str(port), "PAYMENT_PORT": str(services[1].port)})
        for _ in range(2):
            answer = asked_within_time(gateway)
            assert (answer.status, answer.json()["status"]) == (503, "unhealthy")
            assert statuses(answer) == {"ticketing": "unhealthy", "payment": "healthy"}
        assert gateway.get("/services").json()["data"][1]["status"] == "healthy"
    assert gateway.process.stop() == 0
    assert "exited on signal" not in gateway.process.output()
    gateway.process.close()


def test_a_killed_and_a_frozen_service_are_unhealthy_in_time_and_come_back(
    services: tuple[Upstream, Upstream], start_gateway: StartGateway
) -> None:
    process, port = start_service()
    gateway = start_gateway(TICKETING_PORT=str(services[0].port), PAYMENT_PORT=str(port))
    other = start_gateway(TICKETING_PORT=str(port), PAYMENT_PORT=str(services[1].port))
    with process:
        assert statuses(other.get("/health/all")) == {"ticketing": "healthy", "payment": "healthy"}
        process.pause()
        assert asked_within_time(other).status == 503
        frozen = asked_within_time(gateway)
        assert (frozen.status, frozen.json()["status"]) == (200, "degraded")
        assert frozen.json()["services"]["payment"]["responseTimeMs"] >= 900
        process.resume()
        assert other.get("/health/all").json()["status"] == "healthy"
        process.kill()
        assert asked_within_time(other).status == 503
        assert asked_within_time(gateway).json()["status"] == "degraded"
    revived, _ = start_service(port)
    with revived:
        assert other.get("/health/all").json()["status"] == "healthy"


def test_many_asking_while_a_service_hangs_are_all_answered_in_time(
    services: tuple[Upstream, Upstream], start_gateway: StartGateway
) -> None:
    with misbehaving(hang) as port:
        gateway = start_gateway(TICKETING_PORT=str(port), PAYMENT_PORT=str(services[1].port))
        answers: list[int] = []
        started = time.monotonic()
        threads = [
            threading.Thread(target=lambda: answers.append(gateway.get("/health/all").status))
            for _ in range(50)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [503] * 50
        assert time.monotonic() - started < 2 * MOST_SECONDS


def test_the_admin_service_is_there_when_it_is_named_and_then_required(
    services: tuple[Upstream, Upstream], start_gateway: StartGateway
) -> None:
    ports = {"TICKETING_PORT": str(services[0].port), "PAYMENT_PORT": str(services[1].port)}
    with Upstream() as admin:
        prepare_health(admin)
        gateway = start_gateway({}, "--upstream", f"admin=127.0.0.1:{admin.port}", **ports)
        assert statuses(gateway.get("/health/all")) == {
            "ticketing": "healthy",
            "admin": "healthy",
            "payment": "healthy",
        }
        for sent, received in (
            ("/api/v1/admin/users?limit=1", "/api/admin/users?limit=1"),
            ("/api/v1/platform/shows", "/api/platform/shows"),
            ("/.well-known/jwks.json", "/.well-known/jwks.json"),
            ("/admin/password", "/admin/password"),
        ):
            assert gateway.get(sent).json()["path"] == received
        assert_problem(gateway.get("/api/v1/admin/monitoring/live"), 404, "NOT_FOUND")
        assert gateway.get("/api/v1/Admin/users").status == 404
        admin.prepared[ADMIN_HEALTH_PATH] = Prepared(b"{}", 503)
        assert gateway.get("/health/all").status == 503


def test_one_of_two_instances_away_is_degraded(
    services: tuple[Upstream, Upstream], start_gateway: StartGateway
) -> None:
    instances = f"ticketing=127.0.0.1:{services[0].port},127.0.0.1:{free_port()}"
    gateway = start_gateway({}, "--upstream", instances, PAYMENT_PORT=str(services[1].port))
    answer = gateway.get("/health/all")
    assert (answer.status, statuses(answer)["ticketing"]) == (200, "degraded")
    assert gateway.get("/services").json()["data"][0]["version"] == "1.2.3"


def test_what_is_asked_carries_the_request_id(watching: Gateway, services: tuple[Upstream, Upstream]) -> None:
    watching.get("/health/all", {"X-Request-Id": "health-id-1"})
    ids = [dict(request["headers"]).get("X-Request-Id") for request in services[0].received]
    assert "health-id-1" in ids
