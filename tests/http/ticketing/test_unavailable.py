"""What callers are told while a dependency is away: when it is worth asking again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.ticketing.shop import Shop, item, refusal
from tests.servers.process import free_port


@pytest.fixture
def cut_off(tmp_path: Path) -> Iterator[Shop]:
    """A shop whose payment module is not there."""
    made = Shop(tmp_path, f"sqlite:///{tmp_path / 'store.db'}", f"http://127.0.0.1:{free_port()}")
    yield made
    made.close()


def test_a_payer_is_told_when_the_payment_module_is_asked_again(cut_off: Shop) -> None:
    held = cut_off.hold(item(cut_off.slots(cut_off.ticket())[0])).json
    path, token = f"/bookings/{held['id']}/payment", held["accessToken"]
    first = cut_off.call("POST", path, token=token)
    assert refusal(first) == (503, "PAYMENT_UNAVAILABLE")
    assert first.headers["Retry-After"] == "5"
    breaker = cut_off.running.parts.breakers["payment-api"]
    while breaker.state == "closed":
        assert cut_off.call("POST", path, token=token).status_code == 503
    for answer in (
        cut_off.call("POST", path, token=token),
        cut_off.call("GET", held["payment"]["paymentUrl"].partition("/api/v1")[2]),
    ):
        assert refusal(answer) == (503, "PAYMENT_UNAVAILABLE")
        # the first wait of a breaker of the outside world: 30 seconds, give or take a fifth
        assert 20 <= int(answer.headers["Retry-After"]) <= 36
    assert cut_off.call("GET", f"/bookings/{held['id']}", token=token).json["status"] == "on_hold"


def test_everybody_is_told_when_the_store_is_asked_again(shop: Shop) -> None:
    made = shop.ticket()
    path = f"/tickets/{made['id']}"
    assert shop.call("GET", path).status_code == 200
    shop.running.parts.breakers["database"].set_mode("forced_open", "it is being moved")
    refused = shop.call("GET", f"{path}/availability")
    assert refusal(refused) == (503, "STORE_UNAVAILABLE")
    assert refused.headers["Retry-After"] == "10"
    assert shop.call("GET", path).json["title"] == "Tower"  # it is kept
