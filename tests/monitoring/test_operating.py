"""What operators do reaches every process within a second, and leaves a line in the log."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from common.clock import system_clock
from common.web.schemas import instant_text
from tests.monitoring.watched import GUEST, HANG_SECONDS, PROMISED_SECONDS, Watched, quickest
from tests.servers.process import eventually

TICKETS = "/api/v1/tickets"


def _open_breakers(service: Watched) -> set[tuple[str, ...]]:
    """What the health of each process says of them."""
    answers = service.everywhere("/health", GUEST).values()
    return {tuple(answer.json["checks"]["circuitBreakers"]["openBreakers"]) for answer in answers}


@pytest.fixture(autouse=True)
def undone(service: Watched) -> Iterator[None]:
    """Afterwards every breaker decides for itself again."""
    yield
    for name in service.ask("GET", "/circuit-breakers").json["circuitBreakers"]:
        set_mode(service, name, "automatic", "the test is over")
    assert service.ask("POST", "/circuit-breakers/reset-all").status == 200


def set_mode(service: Watched, name: str, mode: str, reason: str, until: str | None = None) -> Any:
    answer = service.ask("PUT", f"/circuit-breakers/{name}", {"mode": mode, "reason": reason, "until": until})
    assert answer.status == 200, answer.content
    return answer.json


def titles(service: Watched) -> set[str]:
    """Those of all tickets, as the processes show them."""
    answers = service.everywhere(TICKETS, GUEST).values()
    return {ticket["title"] for answer in answers for ticket in answer.json["data"]}


def test_a_mode_reaches_every_process_within_a_second(service: Watched) -> None:
    wanted = ("forced_open", "disabled", "automatic")

    def is_set(number: int) -> bool:
        return {row["mode"] for row in service.rows("mail").values()} == {wanted[number]}

    taken = quickest(lambda number: set_mode(service, "mail", wanted[number], "a test"), is_set)
    assert taken < PROMISED_SECONDS
    assert set(service.rows("mail")) == service.pids()


def test_the_answer_shows_what_every_process_does_by_then(service: Watched) -> None:
    shown = set_mode(service, "mail", "forced_open", "being moved")
    assert {(row["mode"], row["state"]) for row in shown["processes"].values()} == {("forced_open", "OPEN")}
    assert (shown["state"], shown["mode"], shown["modeReason"]) == ("OPEN", "forced_open", "being moved")
    assert set_mode(service, "mail", "automatic", "moved")["state"] == "CLOSED"


def test_a_forced_breaker_refuses_in_every_process_and_health_says_which(service: Watched) -> None:
    until = (datetime.now(UTC) + timedelta(minutes=5)).isoformat(timespec="milliseconds")
    set_mode(service, "database", "forced_open", "a test", until)
    for answer in service.everywhere("/api/v1/tickets?q=nobody-asked-this", GUEST).values():
        assert (answer.status, answer.json["code"]) == (503, "STORE_UNAVAILABLE")
        assert int(answer.headers["Retry-After"]) >= 1
    eventually(lambda: _open_breakers(service) == {("database",)}, what="health naming the breaker")
    for answer in service.everywhere("/health", GUEST).values():
        document = answer.json
        assert (answer.status, document["status"]) == (200, "degraded")
        # The database is well, whatever its breaker says.
        assert document["checks"]["database"]["status"] == "healthy"
    assert service.ask("GET", "/ready").status == 200
    set_mode(service, "database", "automatic", "done")
    service.wait_for_check("circuitBreakers", "healthy")
    assert service.ask("GET", "/api/v1/tickets?q=nobody-asked-this", headers=GUEST).status == 200


def test_a_mode_ends_by_itself(service: Watched) -> None:
    until = (datetime.now(UTC) + timedelta(seconds=2)).isoformat(timespec="milliseconds")
    assert set_mode(service, "mail", "forced_open", "a test", until)["modeUntil"].endswith("Z")
    eventually(
        lambda: {row["mode"] for row in service.rows("mail").values()} == {"automatic"},
        what="the end of the mode",
    )


@pytest.mark.parametrize("path", ["/circuit-breakers/mail/reset", "/circuit-breakers/reset-all"])
def test_a_reset_reaches_every_process_within_a_second(service: Watched, path: str) -> None:
    def resets() -> dict[int, int]:
        return {pid: row["generation"] for pid, row in service.rows("mail").items()}

    before: dict[int, int] = {}

    def reset(_: int) -> None:
        before.update(resets())
        assert service.ask("POST", path).status == 200

    def is_reset(_: int) -> bool:
        found = resets()
        return found.keys() == service.pids() and all(found[pid] > before[pid] for pid in found)

    assert quickest(reset, is_reset) < PROMISED_SECONDS


def test_a_reset_leaves_a_mode_alone(service: Watched) -> None:
    set_mode(service, "mail", "forced_open", "a test")
    answer = service.ask("POST", "/circuit-breakers/mail/reset")
    assert (answer.status, answer.json["mode"], answer.json["state"]) == (200, "forced_open", "OPEN")


def rename(service: Watched, title: str) -> None:
    """Behind the service's back: nobody tells its cache."""

    service.running.database.rename_ticket(title)


@pytest.mark.parametrize("body", [{}, {"region": "tickets"}, {"pattern": "tickets:*"}, {"pattern": "*"}])
def test_a_flush_reaches_every_process_within_a_second(service: Watched, body: Any) -> None:
    numbers = count()
    title = ""

    def is_kept() -> bool:
        """Every process goes on showing what it was before."""
        nonlocal title
        old, title = titles(service), f"Title {next(numbers)} {body}"
        rename(service, title)
        return titles(service) == old

    def flush(_: int) -> None:
        eventually(is_kept, what="a page being kept by every process")
        answer = service.ask("POST", "/cache/flush", body)
        assert (answer.status, list(answer.json)) == (200, ["flushed"])

    taken = quickest(flush, lambda _: titles(service) == {title})
    assert taken < PROMISED_SECONDS


def test_metrics_count_anew_in_every_process_within_a_second(service: Watched) -> None:
    since = ""

    def reset(_: int) -> None:
        nonlocal since
        service.everywhere(TICKETS)
        answer = service.ask("POST", "/metrics/reset")
        assert (answer.status, list(answer.json)) == (200, ["since"])
        since = answer.json["since"]

    def is_reset(_: int) -> bool:
        documents = [answer.json for answer in service.everywhere("/metrics").values()]
        assert all(f"GET {TICKETS}" not in each["http"]["routes"] for each in documents[:1])
        return {document["since"] for document in documents} == {since}

    before = service.ask("GET", "/metrics/prometheus").content.decode()
    assert quickest(reset, is_reset) < PROMISED_SECONDS
    after = service.ask("GET", "/metrics/prometheus").content.decode()
    assert _requests(after) > _requests(before) > 0


def _requests(text: str) -> float:
    lines = (line for line in text.splitlines() if line.startswith("ticketing_http_requests_total{"))
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def test_each_act_leaves_one_line_whatever_the_level_of_the_log(service: Watched) -> None:
    assert service.stack.env["LOG_LEVEL"] == "WARNING"
    began = instant_text(system_clock())

    def told() -> list[dict[str, Any]]:
        lines = (line for line in service.lines("audit") if line["timestamp"] >= began)
        return sorted(lines, key=lambda line: line["timestamp"])

    set_mode(service, "mail", "disabled", "call Ann, +31 20 555 0101 or ann@example.org")
    service.ask("POST", "/circuit-breakers/mail/reset", headers=service.stack.bearer("operator"))
    service.ask("POST", "/circuit-breakers/reset-all")
    service.ask("POST", "/cache/flush", {"region": "tickets"})
    service.ask("POST", "/metrics/reset")
    eventually(lambda: len(told()) >= 5, what="the lines")
    found = told()
    assert [(line["audit"], line["actor"]) for line in found] == [
        ("circuit-breakers/mail: disabled", "operator:key"),
        ("circuit-breakers/mail/reset", "access:test-operator"),
        ("circuit-breakers/reset-all", "operator:key"),
        ("cache/flush: tickets", "operator:key"),
        ("metrics/reset", "operator:key"),
    ]
    assert {line["level"] for line in found} == {"info"}
    assert all(line["traceId"] for line in found)
    assert found[0]["reason"].startswith("call Ann")
    assert "example.org" not in json.dumps(found)
    assert "555" not in found[0]["reason"]


def test_every_process_writes_down_how_its_breakers_change(service: Watched) -> None:
    reason = f"test {datetime.now(UTC).timestamp()}"
    set_mode(service, "poi-api", "forced_open", reason)

    def told() -> list[dict[str, Any]]:
        return [line for line in service.lines("breaker", "cause") if reason in line["cause"]]

    eventually(lambda: len(told()) == len(service.pids()), what="a line of each process")
    for line in told():
        assert (line["breaker"], line["from"], line["to"]) == ("poi-api", "CLOSED", "FORCED_OPEN")
        assert (line["level"], line["logger"]) == ("warning", "common.parts")
    assert {line["service"] for line in told()} == {"ticketing", "ticketing-worker"}


def test_a_process_that_starts_later_follows_the_mode_that_was_set_before(service: Watched) -> None:
    set_mode(service, "mail", "forced_open", "a test")
    before = set(service.stack.web_worker_pids())
    dead = min(before)
    os.kill(dead, signal.SIGKILL)

    def is_replaced() -> bool:
        pids = set(service.stack.web_worker_pids())
        return dead not in pids and len(pids) == len(before) and service.rows("mail").keys() == service.pids()

    eventually(is_replaced, seconds=HANG_SECONDS, what="the row of the new process")
    (pid,) = set(service.stack.web_worker_pids()) - before
    assert service.rows("mail")[pid]["mode"] == "forced_open"
    assert service.everywhere("/ready")[pid].status in (200, 503)
