from __future__ import annotations

import threading
import time

import pytest

from tests.gateway.conftest import StartGateway
from tests.gateway.gateway import Answer, Gateway
from tests.gateway.public import SEARCH, asked, public, stay_within_half_a_minute
from tests.gateway.service import PUBLIC, start_service
from tests.gateway.upstream import Prepared, Upstream
from tests.servers.process import eventually, free_port

TICKET = "/api/v1/tickets/01890000-0000-7000-8000-000000000001"
# 2 s, and what a busy machine may add between two requests.
FRESH_SECONDS = 10.0


def at_once(gateway: Gateway, target: str, count: int) -> list[Answer]:
    answers: list[Answer] = []
    ready = threading.Barrier(count)

    def ask() -> None:
        ready.wait()
        answers.append(gateway.get(target))

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("path", [SEARCH, TICKET, f"{TICKET}/availability"])
def test_a_rush_on_one_page_is_one_request_for_the_service(
    cached: Gateway, shop: Upstream, path: str
) -> None:
    shop.prepared[path] = public(b'{"a":1}', seconds=0.3)
    target = f"{path}?q=rush"
    answers = at_once(cached, target, 200)
    assert {(answer.status, answer.body) for answer in answers} == {(200, b'{"a":1}')}
    assert len(asked(shop, target)) == 1
    caches = [answer.one("X-Cache") for answer in answers]
    assert (caches.count("MISS"), caches.count("HIT")) == (1, 199)
    assert {answer.one("Cache-Control") for answer in answers} == {"public, max-age=60"}
    assert len({answer.one("X-Request-Id") for answer in answers}) == 200


def test_a_change_is_visible_after_two_seconds_also_to_the_first_who_looks(
    cached: Gateway, shop: Upstream
) -> None:
    shop.prepared[SEARCH] = public(b"old")
    assert cached.get(f"{SEARCH}?q=change").body == b"old"
    assert cached.get(f"{SEARCH}?q=quiet").body == b"old"
    shop.prepared[SEARCH] = public(b"new")
    changed = time.monotonic()
    eventually(lambda: cached.get(f"{SEARCH}?q=change").body == b"new")
    assert time.monotonic() - changed < FRESH_SECONDS
    # Nobody looked at this one meanwhile.
    eventually(lambda: time.monotonic() - changed > 2.0)
    assert cached.get(f"{SEARCH}?q=quiet").body == b"new"


def test_who_asks_while_a_page_is_fetched_again_gets_the_copy(cached: Gateway, shop: Upstream) -> None:
    stay_within_half_a_minute(8.0)
    target = f"{SEARCH}?q=stale"
    shop.prepared[SEARCH] = public(b"old")
    assert cached.get(target).body == b"old"
    shop.prepared[SEARCH] = public(b"new", seconds=1.5)
    first: list[Answer] = []
    seen: list[str] = []
    fetching = threading.Thread(target=lambda: first.append(cached.get(target)))
    time.sleep(2.0)
    fetching.start()
    eventually(lambda: len(asked(shop, target)) == 2)
    while not first:
        started = time.monotonic()
        answer = cached.get(target)
        if time.monotonic() - started < 1:
            seen.append(answer.one("X-Cache"))
    fetching.join()
    assert first[0].body == b"new"
    assert seen.count("STALE") > 3
    assert len(asked(shop, target)) == 2


@pytest.mark.parametrize(
    "headers, query",
    [
        ({"Authorization": "Bearer x"}, "?q=personal"),
        ({"Authorization": "0"}, "?q=personal"),
        ({"Cookie": "session=x"}, "?q=personal"),
        ({}, "?t=token"),
        ({}, "?q=personal&T=token"),
        ({}, "?dl=token"),
        ({}, "?q=personal&%74=token"),
        ({}, "?q=personal&d%6c=token"),
    ],
)
def test_a_request_with_credentials_is_neither_kept_nor_answered_from_the_cache(
    cached: Gateway, shop: Upstream, headers: dict[str, str], query: str
) -> None:
    target = f"{SEARCH}{query}"
    shop.prepared[SEARCH] = public(b"everybody's")
    cached.get(f"{SEARCH}?q=personal")
    shop.prepared[SEARCH] = public(b"personal")
    before = len(asked(shop, target))
    for _ in range(2):
        answer = cached.get(target, {**headers, "If-None-Match": '"8"'})
        assert (answer.body, answer.all("X-Cache")) == (b"personal", [])
    received = asked(shop, target)[before:]
    assert len(received) == 2
    assert all(item.get("Authorization") == headers.get("Authorization") for item in received)
    assert all(item["If-None-Match"] == '"8"' for item in received)
    if headers:
        assert cached.get(target).body != b"personal" or len(asked(shop, target)) == before + 3


@pytest.mark.parametrize(
    "headers",
    [
        [("Cache-Control", "private, no-store")],
        [("Cache-Control", "public, no-store")],
        [("Cache-Control", "public, private")],
        [("Cache-Control", "no-cache")],
        [("Cache-Control", "max-age=60")],
        [("Cache-Control", "public"), ("Cache-Control", "private")],
        [],
        [*PUBLIC, ("Set-Cookie", "a=b")],
        [*PUBLIC, ("Vary", "*")],
        [*PUBLIC, ("Vary", "Accept-Language, X-Customer")],
        [("X-Accel-Expires", "60")],
    ],
)
def test_an_answer_that_is_not_for_everybody_is_not_kept(
    cached: Gateway, shop: Upstream, headers: list[tuple[str, str]]
) -> None:
    target = f"{SEARCH}?q=not-kept-{abs(hash(tuple(headers)))}"
    shop.prepared[SEARCH] = Prepared(b"x", headers=headers)
    before = len(asked(shop, target))
    for _ in range(3):
        assert cached.get(target).one("X-Cache") == "MISS"
    assert len(asked(shop, target)) == before + 3


@pytest.mark.parametrize("status", [201, 301, 400, 404, 410, 500, 503])
def test_only_success_is_kept(cached: Gateway, shop: Upstream, status: int) -> None:
    target = f"{SEARCH}?q=status-{status}"
    shop.prepared[SEARCH] = Prepared(b"x", status, PUBLIC)
    assert [cached.get(target).status for _ in range(3)] == [status] * 3
    assert len(asked(shop, target)) == 3


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_write_is_never_answered_from_the_cache_and_keeps_its_conditions(
    cached: Gateway, shop: Upstream, method: str
) -> None:
    shop.prepared[TICKET] = public(b"x")
    cached.get(TICKET)
    before = len(asked(shop, TICKET))
    assert cached.request(method, TICKET, {"If-Match": '"7"'}).all("X-Cache") == []
    (received,) = asked(shop, TICKET)[before:]
    assert received["If-Match"] == '"7"'


def test_head_and_get_share_a_copy(cached: Gateway, shop: Upstream) -> None:
    shop.prepared[SEARCH] = public(b"body")
    head = cached.request("HEAD", f"{SEARCH}?q=head")
    assert (head.status, head.body, head.one("Content-Length")) == (200, b"", "4")
    answer = cached.get(f"{SEARCH}?q=head")
    assert (answer.body, answer.one("X-Cache")) == (b"body", "HIT")


def test_conditional_requests_are_answered_from_the_copy(cached: Gateway, shop: Upstream) -> None:
    shop.prepared[SEARCH] = public(b"body")
    for expected in ("MISS", "HIT"):
        answer = cached.get(f"{SEARCH}?q=etag", {"If-None-Match": '"7"'})
        assert (answer.status, answer.body, answer.one("X-Cache")) == (304, b"", expected)
        assert (answer.one("ETag"), answer.one("Cache-Control")) == ('"7"', "public, max-age=60")
    assert cached.get(f"{SEARCH}?q=etag", {"If-None-Match": '"6"'}).status == 200
    assert len(asked(shop, f"{SEARCH}?q=etag")) == 1


def test_a_copy_is_served_while_the_service_is_away_or_frozen(start_gateway: StartGateway) -> None:
    process, port = start_service()
    gateway = start_gateway({"proxy_read_timeout 5s;": "proxy_read_timeout 300ms;"}, TICKETING_PORT=str(port))
    with process:
        kept = gateway.get(SEARCH)
        assert (kept.status, kept.one("X-Cache")) == (200, "MISS")
        for end in (process.pause, process.kill):
            end()
            eventually(lambda: gateway.get(SEARCH).one("X-Cache") == "STALE")
            assert gateway.get(SEARCH).body == kept.body
        assert gateway.get(f"{SEARCH}?q=never-read").status == 503
    revived, _ = start_service(port)
    with revived:
        eventually(lambda: gateway.get(SEARCH).one("X-Cache") in ("MISS", "HIT"))


def test_the_copy_of_the_half_minute_before_is_the_last_that_is_served(start_gateway: StartGateway) -> None:
    # The half minute is a second here, so that its end can be waited for.
    edits = {
        '"~:\\d[02468]:[345]\\d[+-]" b;': '"~:\\d\\d:\\d[159][+-]" b;',
        '"~:\\d[13579]:[012]\\d[+-]" c;': '"~:\\d\\d:\\d[26][+-]" c;',
        '"~:\\d[13579]:[345]\\d[+-]" d;': '"~:\\d\\d:\\d[37][+-]" d;',
    }
    process, port = start_service()
    gateway = start_gateway(edits, TICKETING_PORT=str(port))
    with process:
        eventually(lambda: int(time.time()) % 10 == 1 and gateway.get(SEARCH).status == 200)
        process.kill()
        eventually(lambda: int(time.time()) % 10 == 2)
        before = gateway.get(SEARCH)
        assert before.status == 200
        assert before.one("X-Cache") in ("STALE", "HIT")
        eventually(lambda: int(time.time()) % 10 == 3)
        assert gateway.get(SEARCH).status == 503


def test_nothing_that_an_earlier_run_kept_is_served(start_gateway: StartGateway, shop: Upstream) -> None:
    gateway = start_gateway(PAYMENT_PORT=str(free_port()))
    shop.prepared[SEARCH] = public(b"x")
    assert gateway.get(SEARCH).one("X-Cache") == "MISS"
    assert [file for file in (gateway.run_dir / "cache").rglob("*") if file.is_file()]
    gateway.render_again()
    assert not [file for file in (gateway.run_dir / "cache").rglob("*") if file.is_file()]
    eventually(lambda: gateway.get(SEARCH).one("X-Cache") == "HIT")
