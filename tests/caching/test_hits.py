"""A kept answer goes out before Flask is asked, with all that an answer has, and only to who may have it."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from common.monitoring import logs, tracing
from common.monitoring.metrics.exporter import RequestRecorder
from common.web import arrival, hits
from tests.caching.conftest import Stage
from tests.caching.test_cached_routes import A, B, Site, make_site

THING = f"/things/{A}"


class Counted:
    """A site whose app says how often Flask was asked."""

    def __init__(self, stage: Stage, recorder: RequestRecorder | None = None) -> None:
        self.site: Site = make_site(stage, recorder=recorder)
        self.asked = 0
        self.site.app.before_request(self._ask)

    def get(self, path: str = THING, **headers: str) -> Any:
        return self.site.get(path, **headers)

    def _ask(self) -> None:
        self.asked += 1


class Recorder:
    """What is told of requests."""

    def __init__(self) -> None:
        self.answered: list[tuple[str, str, int]] = []
        self.in_flight: list[int] = [0]

    def request_begins(self) -> None:
        self.in_flight.append(self.in_flight[-1] + 1)

    def request_ends(self) -> None:
        self.in_flight.append(self.in_flight[-1] - 1)

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        self.answered.append((method, route, status))


@pytest.fixture
def counted(stage: Stage) -> Counted:
    return Counted(stage)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream, root = io.StringIO(), logging.getLogger()
    before = root.handlers[:], root.level
    logs.install("tried", "info", stream)
    yield stream
    root.handlers[:], root.level = before
    logs._Installed.send = None


def test_the_same_request_does_not_ask_flask_and_gets_the_same_headers(counted: Counted):
    first, second, third = (counted.get() for _ in range(3))
    assert counted.asked == 1
    own = ("X-Request-Id", "Last-Modified")  # the last is there when its second is over
    plain = [sorted(pair for pair in each.headers if pair[0] not in own) for each in (first, second, third)]
    assert plain[0] == plain[1] == plain[2]
    assert len({each.headers["X-Request-Id"] for each in (first, second, third)}) == 3
    assert counted.site.shop.labels == [{"city": "Utrecht"}] * 3


@pytest.mark.parametrize(
    "path, headers",
    [
        (f"{THING}?lang=nl", {}),
        (THING, {"Accept_Language": "nl"}),
        (THING, {"Authorization": "Bearer manager"}),
        (THING, {"Host": "elsewhere"}),
        (f"/things/{B}", {}),
    ],
)
def test_any_other_request_takes_the_long_way(counted: Counted, path: str, headers: dict[str, str]):
    counted.get()
    counted.get(path, **headers)
    assert counted.asked == 2


def test_a_credential_is_looked_at_whatever_is_remembered(counted: Counted):
    for _ in range(2):
        assert counted.get(Authorization="Bearer stranger").status_code == 401
        assert counted.get().json["name"] == "Tower (en)"
        assert counted.get(Authorization="Bearer manager").json["name"] == "Tower (en, managed)"


def test_what_changes_what_is_gone_and_what_is_refused_is_seen_at_once(counted: Counted):
    counted.get()
    counted.site.shop.name = "Castle"
    counted.site.invalidate(f"thing:{A}")
    assert counted.get().json["name"] == "Castle (en)"
    assert (counted.get().json["name"], counted.asked) == ("Castle (en)", 2)
    assert counted.site.shop.calls == 2


def test_head_and_post_are_none_of_it(counted: Counted):
    counted.get()
    client = counted.site.app.test_client()
    assert client.head(f"/api{THING}").data == b""
    assert client.post(f"/api{THING}").status_code == 405
    assert counted.asked == 3


def test_who_has_it_is_told_so_without_flask(counted: Counted):
    first = counted.get()
    again = counted.get(If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.data, counted.asked) == (304, b"", 1)
    assert {"X-Request-Id", "X-Content-Type-Options", "Referrer-Policy", "ETag"} <= set(again.headers.keys())
    assert counted.get(If_None_Match='"other"').status_code == 200


def test_metrics_and_the_log_know_the_route(stage: Stage, written: io.StringIO):
    recorder = Recorder()
    counted = Counted(stage, recorder)
    counted.get()
    counted.get(X_Request_Id="remembered-1", Traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    assert recorder.answered == [("GET", "/api/things/<uuid:thing_id>", 200)] * 2
    assert recorder.in_flight == [0, 1, 0, 1, 0]
    first, second = [json.loads(line) for line in written.getvalue().splitlines()]
    assert {*second} - {*first} == {"parentSpanId"}
    for name in ("route", "method", "status", "thingId", "service", "level"):
        assert first[name] == second[name]
    assert (second["requestId"], second["traceId"]) == ("remembered-1", "a" * 32)
    assert counted.asked == 1


def test_what_is_looked_for_in_vain_counts_once(stage: Stage):
    recorder = Recorder()
    counted = Counted(stage, recorder)
    counted.get()
    counted.site.invalidate(f"thing:{A}")
    counted.get()
    assert [status for _, _, status in recorder.answered] == [200, 200]
    assert (recorder.in_flight[-1], max(recorder.in_flight), counted.asked) == (0, 1, 2)


def test_what_breaks_on_the_way_is_answered_by_the_app(
    stage: Stage, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
):
    recorder = Recorder()
    counted = Counted(stage, recorder)
    counted.get()
    monkeypatch.setattr(hits.Hits, "_headers", Mock(side_effect=RuntimeError("broken")))
    assert (counted.get().status_code, counted.asked) == (200, 2)
    # Where the app is broken too, it says so as it always does.
    counted.site.shop.labels = None  # type: ignore[assignment]
    answer = counted.get()
    assert (answer.status_code, answer.json["code"]) == (500, "INTERNAL_ERROR")
    assert [status for _, _, status in recorder.answered] == [200, 200, 500]
    assert recorder.in_flight[-1] == 0
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line.get("message") for line in lines].count("a kept answer could not be sent") == 2
    assert tracing.current() is None


def test_overload_refuses_it_too(counted: Counted):
    counted.get()
    arrival.note(30.0)
    try:
        assert counted.get().status_code == 503
    finally:
        arrival.note(None)
    assert counted.get().status_code == 200


def test_only_so_much_is_remembered(counted: Counted, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hits, "MOST_REMEMBERED", 2)
    for path in (THING, f"{THING}?lang=en", f"{THING}?lang=nl"):
        counted.get(path)
    assert counted.asked == 3
    counted.get(f"{THING}?lang=nl")
    assert counted.asked == 3
    counted.get()
    assert counted.asked == 4
    monkeypatch.setattr(hits, "LONGEST_REMEMBERED", 10)
    for _ in range(2):
        counted.get(f"/things/{B}")
    assert counted.asked == 6
