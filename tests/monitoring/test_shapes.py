"""Every answer has the promised shape, is the same whichever process gives it, and hides what it must."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from common.clock import system_clock
from common.web.schemas import instant_text
from tests.counts import counts
from tests.monitoring.watched import GUEST, OPERATOR, PREFIX, Watched
from tests.servers.process import eventually

TIMES = counts(small=5, full=50)
BREAKERS = ("cache", "database", "mail", "payment-api", "poi-api", "webhooks")
REGIONS = ("availability", "statistics", "tickets")
BREAKER = {
    *("name", "state", "mode", "failureRate", "requestCount", "failureCount"),
    *("successCount", "slowCount", "openedAt", "nextAttemptTime"),
}
OPERATORS_ALONE = {"lastError", "events", "modeReason", "modeUntil", "processes"}
REGION = {"hits", "misses", "stale", "loads", "errors", "hitRate", "entries", "ttlSeconds"}
METRICS = [
    *("timestamp", "since", "http", "bookings", "revenue", "tickets", "availability"),
    *("cache", "database", "circuitBreakers", "external"),
]
DOCUMENTS = ("/health", "/ready", "/live", "/info", "/metrics", "/circuit-breakers", "/cache/stats")
ACTS: tuple[tuple[str, str, dict[str, str] | None], ...] = (
    ("PUT", "/circuit-breakers/mail", {"mode": "automatic", "reason": "a test"}),
    ("POST", "/circuit-breakers/mail/reset", None),
    ("POST", "/circuit-breakers/reset-all", None),
    ("POST", "/cache/flush", {}),
    ("POST", "/metrics/reset", None),
)


def kind(service: Watched) -> str:
    return "redis" if "REDIS_HOST" in service.stack.env else "embedded"


def instant(text: str) -> datetime:
    assert text.endswith("Z")
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("path", [*DOCUMENTS, "/metrics/prometheus"])
def test_whoever_reaches_the_port_may_look(service: Watched, path: str) -> None:
    for headers in (GUEST, OPERATOR, service.stack.bearer("operator"), service.stack.bearer("gate")):
        answer = service.ask("GET", path, headers=headers)
        assert answer.status == 200, answer.content
        assert answer.headers["Cache-Control"] == "no-store"


def test_health_has_the_promised_shape_in_every_process(service: Watched) -> None:
    eventually(lambda: _said(service) == {"healthy"}, what="health")
    uptimes = []
    for _ in range(TIMES):
        for answer in service.everywhere("/health", GUEST).values():
            document = answer.json
            assert list(document) == [
                *("status", "service", "version", "uptime", "timestamp", "environment", "checks"),
            ]
            assert (answer.status, document["status"]) == (200, "healthy"), document
            assert document["service"] == "ticketing-module"
            assert document["environment"] == "test"
            assert isinstance(document["uptime"], float)
            uptimes.append(instant(document["timestamp"]).timestamp() - document["uptime"])
            _check_the_checks(document["checks"], kind(service))
    # All speak of the moment at which the master began, and of no process's own.
    assert max(uptimes) - min(uptimes) < 0.01


def _said(service: Watched) -> set[str]:
    return {answer.json["status"] for answer in service.everywhere("/health", GUEST).values()}


def _check_the_checks(checks: dict[str, Any], carrier: str) -> None:
    shapes = {name: set(check) for name, check in checks.items()}
    assert shapes == {
        "database": {"status", "type", "responseTimeMs"},
        "cache": {"status", "type"},
        "circuitBreakers": {"status", "total", "open", "openBreakers"},
        "memory": {"status", "heapUsed", "heapTotal"},
        "worker": {"status", "heartbeatAgeSeconds", "outboxOldestSeconds"},
    }
    assert {check["status"] for check in checks.values()} == {"healthy"}
    assert checks["database"]["type"] == "sqlite"
    assert checks["database"]["responseTimeMs"] >= 0
    assert checks["cache"]["type"] == carrier
    breakers = checks["circuitBreakers"]
    assert (breakers["total"], breakers["open"], breakers["openBreakers"]) == (len(BREAKERS), 0, [])
    for name in ("heapUsed", "heapTotal"):
        number, unit = checks["memory"][name].split()
        assert (int(number) > 0, unit) == (True, "MB")
    assert 0 <= checks["worker"]["heartbeatAgeSeconds"] < 15
    assert checks["worker"]["outboxOldestSeconds"] >= 0


def test_ready_live_and_info_are_the_same_everywhere(service: Watched) -> None:
    for _ in range(TIMES):
        assert service.agreed("/ready", dict) == {"status": "ready"}
        assert service.agreed("/live", dict) == {"status": "alive"}
    names = ["service", "version", "environment", "startedAt", "uptime", "python"]
    assert service.agreed("/info", list) == names
    started = service.agreed("/info", lambda document: document["startedAt"])
    assert instant(started) < datetime.now(UTC)


def test_breakers_have_the_promised_shape_and_the_same_state_everywhere(service: Watched) -> None:
    for _ in range(TIMES):
        for headers, more in ((GUEST, set()), (OPERATOR, OPERATORS_ALONE)):
            for answer in service.everywhere("/circuit-breakers", headers).values():
                document = answer.json
                assert list(document) == ["timestamp", "circuitBreakers"]
                instant(document["timestamp"])
                assert sorted(document["circuitBreakers"]) == list(BREAKERS)
                for name, breaker in document["circuitBreakers"].items():
                    assert set(breaker) == BREAKER | more
                    assert (breaker["name"], breaker["state"], breaker["mode"]) == (
                        name,
                        "CLOSED",
                        "automatic",
                    )
                    assert breaker["requestCount"] == breaker["successCount"] + breaker["failureCount"]


def test_every_process_has_its_row_with_the_operators_alone(service: Watched) -> None:
    service.agreed(
        "/circuit-breakers", lambda document: set(document["circuitBreakers"]["mail"]["processes"])
    )
    assert set(service.rows("mail")) == service.pids()


def test_metrics_have_the_promised_shape_and_count_every_process(service: Watched) -> None:
    route = "GET /api/v1/monitoring/info"

    def counted(document: Any) -> Any:
        return document["http"]["routes"].get(route, {"requests": 0})["requests"]

    before = service.agreed("/metrics", counted)
    for _ in range(TIMES):
        service.everywhere("/info")
    assert service.agreed("/metrics", counted) == before + TIMES * len(service.stack.web_worker_pids())
    for answer in service.everywhere("/metrics", GUEST).values():
        document = answer.json
        assert list(document) == METRICS
        assert set(document["http"]) >= {"requests", "errors", "ratePerSecond", "p50", "p95", "p99", "routes"}
        assert set(document["http"]["routes"][route]) == {"requests", "errors", "p50", "p95", "p99"}
        assert 0 <= document["http"]["p50"] <= document["http"]["p95"] <= document["http"]["p99"]
        assert set(document["circuitBreakers"]) == set(BREAKERS)
        assert instant(document["since"]) <= instant(document["timestamp"])


def test_prometheus_gets_its_text_and_the_same_sums_everywhere(service: Watched) -> None:
    def sums(text: str) -> list[str]:
        return [line for line in text.splitlines() if line.startswith("ticketing_circuit_breaker_state")]

    answers = service.everywhere("/metrics/prometheus", GUEST).values()
    assert {answer.headers["Content-Type"].partition(";")[0] for answer in answers} == {"text/plain"}
    found = [sums(answer.content.decode()) for answer in answers]
    assert all(each == found[0] for each in found)
    assert len(found[0]) == len(BREAKERS)


def test_the_cache_has_the_promised_shape_and_the_same_numbers_everywhere(service: Watched) -> None:
    for _ in range(TIMES):
        service.everywhere("/api/v1/tickets", GUEST)

    def reads(document: Any) -> Any:
        region = document["cache"]["regions"]["tickets"]
        return region["hits"] + region["misses"] + region["stale"]

    assert service.agreed("/cache/stats", reads) >= TIMES
    document = service.agreed("/cache/stats", lambda found: found["cache"], GUEST)
    assert set(document) == {"connected", "backend", "totalKeys", "hitRate", "regions"}
    assert (document["connected"], document["backend"]) == (True, kind(service))
    assert sorted(document["regions"]) == list(REGIONS)
    for region in document["regions"].values():
        assert set(region) == REGION
    assert document["regions"]["tickets"]["entries"] == document["totalKeys"] > 0
    assert [document["regions"][name]["ttlSeconds"] for name in REGIONS] == [300, 600, 3600]


@pytest.mark.parametrize("method, path, body", ACTS)
def test_nobody_but_an_operator_changes_anything(service: Watched, method: str, path: str, body: Any) -> None:
    began = instant_text(system_clock())
    assert service.ask(method, path, body, GUEST).status == 401
    assert service.ask(method, path, body, {"Authorization": "Bearer " + "k" * 40}).status == 401
    for role in ("gate", "finance", "support", "ticket_manager"):
        answer = service.ask(method, path, body, service.stack.bearer(role))
        assert (answer.status, answer.json["code"]) == (403, "FORBIDDEN")
    assert not [line for line in service.lines("audit") if line["timestamp"] > began]


def test_what_nobody_knows_is_not_found(service: Watched) -> None:
    mode = {"mode": "forced_open", "reason": "a test"}
    for method, path, body in (
        ("POST", "/circuit-breakers/nobody/reset", None),
        ("PUT", "/circuit-breakers/nobody", mode),
    ):
        answer = service.ask(method, path, body)
        assert (answer.status, answer.json["code"]) == (404, "BREAKER_NOT_FOUND")
    answer = service.ask("POST", "/cache/flush", {"region": "nothing"})
    assert (answer.status, answer.json["code"]) == (404, "REGION_NOT_FOUND")
    assert service.ask("GET", f"{PREFIX}/nothing").status == 404


@pytest.mark.parametrize(
    "path, body",
    [
        ("/circuit-breakers/mail", {"mode": "half_open", "reason": "a test"}),
        ("/circuit-breakers/mail", {"mode": "disabled"}),
        ("/circuit-breakers/mail", {"mode": "disabled", "reason": ""}),
        ("/circuit-breakers/mail", {"mode": "disabled", "reason": "a test", "until": "2020-01-01T00:00:00Z"}),
        ("/circuit-breakers/mail", {"mode": "disabled", "reason": "a test", "force": True}),
        ("/cache/flush", {"region": "tickets", "pattern": "*"}),
    ],
)
def test_a_slip_of_the_pen_is_refused(service: Watched, path: str, body: Any) -> None:
    method = "PUT" if "breakers" in path else "POST"
    assert service.ask(method, path, body).status == 422
    assert {row["mode"] for row in service.rows("mail").values()} == {"automatic"}
