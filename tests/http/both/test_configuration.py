"""The configuration is followed through the breaker, and known at once when the admin service is back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from common.auth import followed_standing
from common.resilience.states import Waits
from common.service_client import ServiceClient
from tests.http.both.conftest import Both
from ticketing_service import wiring
from ticketing_service.clients.guarded import POI_API
from ticketing_service.domain.platform import Mode

MOST_LOOKS = 200


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine: no wait of a breaker ends by itself while a test runs, and what is slow is
    not away."""
    specs = [replace(spec, waits=Waits(600, 600), timeout_seconds=60) for spec in wiring.BREAKERS]
    monkeypatch.setattr(wiring, "BREAKERS", tuple(specs))
    defaults: Any = ServiceClient.__init__.__kwdefaults__
    monkeypatch.setitem(defaults, "read_seconds", 60.0)
    monkeypatch.setattr(followed_standing, "TIMEOUT_SECONDS", 60.0)


def look(both: Both, what: str = "platform") -> None:
    """One look of the thread that follows."""
    (repeated,) = (each for each in both.shop.running.beside if each.name == what)
    repeated.run_once()


def set_mode(both: Both, mode: str) -> None:
    shown = both.desk.call("GET", "/system/mode", role="operator")
    body = {"mode": mode, "reason": "test"}
    headers = {"If-Match": shown.headers["ETag"]}
    answer = both.desk.call("PUT", "/system/mode", body, role="operator", headers=headers)
    assert answer.status_code == 200, answer.json


def state(both: Both) -> str:
    return both.shop.running.parts.breakers[POI_API].state


def refused(both: Both) -> int:
    return both.shop.running.parts.breakers[POI_API].outcomes()["refused"]


def open_breaker(both: Both) -> None:
    """Look at an admin service that is away until nobody asks it any more."""
    both.served.away()
    for _ in range(MOST_LOOKS):
        look(both)
        if state(both) == "open":
            return
    raise AssertionError("the breaker did not open")


def mode(both: Both) -> Any:
    return both.shop.ports.followed.platform.mode


def test_while_the_admin_service_is_away_it_is_not_asked_and_the_last_word_stands(both: Both) -> None:
    set_mode(both, "maintenance")
    look(both)
    open_breaker(both)
    before = refused(both)
    look(both)
    assert refused(both) == before + 1
    assert mode(both) is Mode.MAINTENANCE


def test_a_mode_that_is_set_after_an_outage_is_known_at_the_next_look(both: Both) -> None:
    look(both)
    open_breaker(both)
    look(both, "standing")
    both.served.back()
    set_mode(both, "read_only")
    look(both, "standing")
    look(both)
    assert mode(both) is Mode.READ_ONLY
    assert state(both) == "half_open"
    look(both)
    assert state(both) == "closed"


def test_an_answer_where_none_was_missed_ends_no_wait(both: Both) -> None:
    open_breaker(both)
    both.served.back()
    look(both, "standing")
    before = refused(both)
    look(both)
    assert refused(both) == before + 1
