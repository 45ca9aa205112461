"""Buyers come back as they are told, with the same request; what became of them is told by both sides."""

from __future__ import annotations

import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

import pytest

from load import buyers
from load.buyers import COME_BACK, GAVE_UP, NO_ANSWER, REFUSED, SOLD, SOLD_OUT, Buyer, Crowd, Wanted, send_all
from load.rush import how_many_come, what_became
from load.venue import ServerEnded

SLOT, UNIT = uuid4(), uuid4()
Answer = tuple[int, dict[str, str], bytes]
HANG_UP: Answer = (0, {}, b"")
BUSY: Answer = (503, {"Retry-After": "0"}, b"{}")
FULL: Answer = (409, {}, b'{"code":"SOLD_OUT"}')


def booked() -> Answer:
    return 201, {}, json.dumps({"id": str(uuid4())}).encode()


class Shop(ThreadingHTTPServer):
    """Answers each buyer's requests one after another with those of `script`, the last one for ever."""

    daemon_threads = True
    request_queue_size = 100

    def __init__(self, *script: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Till)
        self.script, self.heard, self.lock = script, [], threading.Lock()  # type: ignore[var-annotated]

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A buyer who has gone away is no error."""


class Till(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: Shop

    def do_POST(self) -> None:
        key = self.headers["Idempotency-Key"]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            before = sum(each[0] == key for each in self.server.heard)
            self.server.heard.append((key, body, self.headers["X-Forwarded-For"]))
        status, headers, content = self.server.script[min(before, len(self.server.script) - 1)]
        if not status:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@contextmanager
def shop(*script: Answer) -> Iterator[Shop]:
    with Shop(*script) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def wanted(port: int, count: int) -> Wanted:
    return Wanted(port=port, slot=SLOT, unit=UNIT, buyers=count, run="test")


def ignore(second: int, crowd: Crowd) -> None:
    pass


def test_told_to_come_back_a_buyer_sends_the_same_again_until_it_is_answered() -> None:
    with shop(BUSY, HANG_UP, booked()) as server:
        crowd = send_all(wanted(server.port, 20), ignore)
    assert Counter(each.outcome for each in crowd.buyers) == {SOLD: 20}
    answers: Counter[str] = Counter()
    for second in crowd.answers:
        answers.update(second)
    assert answers[SOLD] == answers[COME_BACK] == 20
    assert len(set(server.heard)) == 20, "a request was changed on the way"
    assert len({key for key, _, _ in server.heard}) == len({at for _, _, at in server.heard}) == 20
    assert set(Counter(key for key, _, _ in server.heard).values()) == {3}
    customers = {json.loads(body)["customer"]["email"] for _, body, _ in server.heard}
    assert len(customers) == 20


@pytest.mark.parametrize(
    "answer, outcome, said",
    [
        (FULL, SOLD_OUT, ""),
        ((409, {}, b'{"code":"SLOT_CLOSED"}'), REFUSED, '409 {"code":"SLOT_CLOSED"}'),
        ((500, {}, b"oh"), REFUSED, "500 oh"),
        ((201, {}, b"{}"), REFUSED, "201 {}"),
    ],
)
def test_any_other_answer_is_the_last_one(answer: Answer, outcome: str, said: str) -> None:
    with shop(answer) as server:
        crowd = send_all(wanted(server.port, 1), ignore)
        assert len(server.heard) == 1
    (buyer,) = crowd.buyers
    assert (buyer.outcome, buyer.asked, buyer.booking, buyer.said) == (outcome, 1, None, said)


def test_a_buyer_gives_up_after_so_many_requests_or_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buyers, "MOST_ASKED", 2)
    with shop(BUSY) as server:
        (buyer,) = send_all(wanted(server.port, 1), ignore).buyers
        assert (buyer.outcome, buyer.asked) == (GAVE_UP, 2)
    with shop((503, {"Retry-After": "3600"}, b"{}")) as server:
        (buyer,) = send_all(wanted(server.port, 1), ignore).buyers
        assert (buyer.outcome, buyer.asked) == (GAVE_UP, 1)


def test_what_the_watcher_raises_ends_the_rush_at_once() -> None:
    def end(second: int, crowd: Crowd) -> None:
        raise ServerEnded("ticketing ended")

    with shop((503, {"Retry-After": "100"}, b"{}")) as server, pytest.raises(ServerEnded):
        send_all(wanted(server.port, 3), end)


def crowd_of(*outcomes: tuple[str, UUID | None]) -> Crowd:
    made = [
        Buyer(outcome=outcome, asked=number, waited=float(number), booking=booking)
        for number, (outcome, booking) in enumerate(outcomes, 1)
    ]
    return Crowd(buyers=made, answers=[{COME_BACK: 6, NO_ANSWER: 1}], seconds=9.0, cpu_seconds=3.0)


def test_the_store_says_what_was_oversold_twice_lost_and_untold() -> None:
    a, b, c, d = (uuid4() for _ in range(4))
    crowd = crowd_of((SOLD, a), (SOLD, b), (SOLD, c), (SOLD_OUT, None))
    kept = [(a, "a@x", 1), (b, "b@x", 1), (c, "c@x", 1)]
    right = what_became(crowd, kept, 4, 3)
    assert right.is_right
    assert (right.sold, right.sold_out, right.requests, right.come_back, right.no_answer) == (3, 1, 10, 6, 1)
    assert (right.selling_seconds, right.per_second, right.asked_median, right.asked_most) == (3.0, 1.0, 3, 4)
    assert (right.waiting.p50, right.waiting.p95, right.waiting.longest) == (2.0, 4.0, 4.0)
    assert right.cpu == pytest.approx(1 / 3)
    for stored, name in (
        ([(a, "a@x", 1), (b, "b@x", 1), (c, "c@x", 2)], "oversold"),
        ([(a, "a@x", 1), (b, "a@x", 1), (c, "c@x", 1)], "twice"),
        ([(a, "a@x", 1), (b, "b@x", 1)], "lost"),
        ([*kept, (d, "d@x", 0)], "untold"),
    ):
        found = what_became(crowd, stored, 4, 3)
        figures = {each: getattr(found, each) for each in ("oversold", "twice", "lost", "untold")}
        assert figures == {**dict.fromkeys(figures, 0), name: 1}
        assert not found.is_right
    same = crowd_of((SOLD, a), (SOLD, a), (SOLD, c), (SOLD_OUT, None))
    assert what_became(same, [kept[0], kept[2]], 4, 3).twice == 1
    assert not what_became(crowd, kept, 5, 3).is_right, "one has gone away"


def test_more_come_than_there_are_places() -> None:
    assert [how_many_come(places) for places in (1, 60, 10_000)] == [2, 62, 10_200]
