"""W3C Trace Context: what is taken over, what is refused, and what goes on to others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import httpx
import pytest

from common.monitoring import tracing

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture(autouse=True)
def nobody() -> Iterator[None]:
    tracing.enter(None)
    yield
    tracing.enter(None)


@pytest.mark.parametrize(
    "header, sampled",
    [
        (GOOD, True),
        (GOOD[:-2] + "00", False),
        (GOOD[:-2] + "ff", True),
        ("01" + GOOD[2:], True),
        ("cc" + GOOD[2:] + "-what-comes-later", True),
    ],
)
def test_a_good_parent_is_continued_with_a_new_span(header, sampled):
    span = tracing.received(header, None)
    assert (span.trace_id, span.parent_id, span.sampled) == (TRACE, PARENT, sampled)
    assert re.fullmatch("[0-9a-f]{16}", span.span_id)
    assert span.span_id != PARENT


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        GOOD.upper(),
        "ff" + GOOD[2:],
        "0" + GOOD,
        GOOD[1:],
        GOOD + "-more",
        GOOD + "0",
        GOOD + " ",
        GOOD + "\n",
        "01" + GOOD[2:] + "more",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{PARENT}-01",
        f"00-{TRACE[:-1]}g-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-0",
        f"00-{TRACE}-{PARENT}-zz",
        f"00_{TRACE}_{PARENT}_01",
        f"{GOOD},{GOOD}",
        "００" + GOOD[2:],
        GOOD * 1000,
    ],
)
def test_another_parent_begins_a_new_trace_and_brings_no_state(header):
    span = tracing.received(header, "vendor=1")
    assert span.trace_id != TRACE
    assert re.fullmatch("[0-9a-f]{32}", span.trace_id)
    assert (span.parent_id, span.state) == ("", "")


@pytest.mark.parametrize(
    "state, kept",
    [
        ("", ""),
        ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        ("a=1 , , b=2", "a=1,b=2"),
        ("tenant@vendor=x", "tenant@vendor=x"),
        ("a=1,a=2", ""),
        ("A=1", ""),
        ("a", ""),
        ("a=b=c", ""),
        ("a=\x7f", ""),
        ("a=1\r\nX-Forged: 1", ""),
        (",".join(f"k{n}=1" for n in range(33)), ""),
        (",".join(f"k{n}=1" for n in range(32)), ",".join(f"k{n}=1" for n in range(32))),
        (f"a=1,b={'x' * 200},c={'y' * 250},d={'z' * 100}", f"a=1,d={'z' * 100}"),
        (",".join(f"k{n}={'x' * 100}" for n in range(6)), ",".join(f"k{n}={'x' * 100}" for n in range(4))),
        ("a=" + "x" * 100_000, ""),
    ],
)
def test_the_state_is_passed_on_checked_and_bounded(state, kept):
    assert tracing.bounded_state(state) == kept
    assert len(kept) <= 512


@pytest.fixture
def echo() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that remembers the headers it was sent."""
    received: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            received.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", received
        server.shutdown()
        thread.join()


def test_each_call_continues_the_trace_with_a_span_of_its_own(echo):
    url, received = echo
    span = tracing.received(GOOD, "vendor=1")
    tracing.enter(span)
    with httpx.Client(event_hooks=tracing.client_hooks(), trust_env=False) as client:
        client.get(url)
        client.get(url)
    found = [tracing.received(each["traceparent"], None) for each in received]
    assert {each.trace_id for each in found} == {TRACE}
    assert len({each.parent_id for each in found} | {span.span_id, PARENT}) == 4
    assert [each["tracestate"] for each in received] == ["vendor=1"] * 2


def test_work_without_a_request_has_a_trace_and_what_was_before_comes_back():
    before = tracing.received(GOOD, None)
    tracing.enter(before)
    with tracing.work(task="mail") as span:
        assert tracing.current() is span
        assert span.trace_id != TRACE
        assert span.trace_id in tracing.outgoing()["traceparent"]
    assert tracing.current() is before
