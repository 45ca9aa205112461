"""One key, one address, one e-mail address, by many requests at once through all web workers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from common.identifiers import uuid7
from tests.beneath import open_beneath
from tests.invariants.checker import KEY_PREFIX, check, explain
from tests.invariants.destination import open_destination
from tests.invariants.stores import KINDS
from tests.migrated import with_tables
from tests.servers.mariadb import MariaDB
from tests.servers.secantus import MongoServer
from tests.servers.stack import ServiceStack
from ticketing_service.storage.opening import migrate, open_store

POSTS, AT_ONCE = 100, 25
ROOM = 1000
GIVE_UP_SECONDS, PAUSE_SECONDS = 60, 0.05


class Shop:
    """A running service with a destination, and guests who post to it."""

    def __init__(self, url: str, stack: ServiceStack) -> None:
        self.stack = stack
        store = open_store(url, threads=1)
        self._slot = open_destination(store, ROOM, max_uses=ROOM).offers[0]
        store.close()
        self.client = httpx.Client(base_url=f"{stack.ticketing_url}/api/v1", timeout=30, trust_env=False)

    def body(self, key: str, quantity: int = 1, email: str | None = None) -> dict[str, Any]:
        units = [{"unitId": self._slot.units[0][0], "quantity": quantity}]
        return {
            "items": [{"slotId": self._slot.slot, "units": units}],
            "customer": {"name": KEY_PREFIX + key, "email": email or f"{key}@example.org", "language": "en"},
        }

    def hold(self, key: str, body: dict[str, Any], role: str | None = None) -> httpx.Response:
        """The answer to the post, repeated while the service says that it has too much to do."""
        headers = {"Idempotency-Key": key, **(self.stack.bearer(role) if role else {})}
        give_up = time.monotonic() + GIVE_UP_SECONDS
        while True:
            answer = self.client.post("/bookings", json=body, headers=headers)
            if answer.status_code != 503 or time.monotonic() > give_up:
                return answer
            assert answer.headers["Retry-After"]
            time.sleep(PAUSE_SECONDS)


@pytest.fixture(scope="module", params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database for the tests of this module; the stack migrates it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('keys') / 'store.db'}"
    server: MariaDB | MongoServer = request.getfixturevalue(f"{request.param}_server")
    return server.new_database("keys")


@pytest.fixture(scope="module")
def shop(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with_tables(url, migrate)
    folder: Path = tmp_path_factory.mktemp("stack")
    with ServiceStack(folder, database_url=url, web_workers=3, worker=False, sandbox=False) as stack:
        made = Shop(url, stack)
        yield made
        made.client.close()


@pytest.fixture(autouse=True)
def _no_invariant_broke(url: str, shop: Shop) -> Iterator[None]:
    yield
    database = open_beneath(url)
    violations = check(database)
    database.close()
    assert not violations, explain(violations)


def _at_once(calls: list[tuple[Any, ...]], act: Any) -> list[httpx.Response]:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(lambda arguments: act(*arguments), calls))


def test_a_hundred_posts_with_one_key_have_one_effect_and_equal_answers(shop: Shop) -> None:
    key = uuid7().hex
    answers = _at_once([(key, shop.body(key), "support")] * POSTS, shop.hold)
    assert Counter(answer.status_code for answer in answers) == {201: POSTS}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["Location"] for answer in answers}) == 1
    other = shop.hold(key, shop.body(key, quantity=2), "support")
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_two_bodies_posted_at_once_under_one_key_are_one_sale(shop: Shop) -> None:
    key = uuid7().hex
    bodies = [shop.body(key, quantity=1 + number % 2) for number in range(AT_ONCE)]
    answers = _at_once([(key, body, "support") for body in bodies], shop.hold)
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {201, 422}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1


def test_the_guest_limits_are_exact_under_concurrency(shop: Shop) -> None:
    email = f"{uuid7().hex}@example.org"
    same = [(key := uuid7().hex, shop.body(key, email=email)) for _ in range(AT_ONCE)]
    by_email = Counter(answer.status_code for answer in _at_once(same, shop.hold))
    assert by_email == {201: 3, 429: AT_ONCE - 3}
    others = [(key := uuid7().hex, shop.body(key)) for _ in range(AT_ONCE)]
    by_address = Counter(answer.status_code for answer in _at_once(others, shop.hold))
    assert by_address == {201: 10 - 3, 429: AT_ONCE - 7}
