"""Killing the sandbox, the worker or the service at any moment of a payment leaves no booking stuck."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.counts import at_full_counts, counts
from tests.faults.running import PRICE, Running
from tests.invariants.checker import check, explain
from tests.invariants.stores import KINDS
from tests.servers.mariadb import MariaDB
from tests.servers.secantus import MongoServer

SALES, PAYERS = counts((6, 3), (60, 8))
KILLS = counts(3, 20)
SEED = 7
RESET_SECONDS = 0.5
"""At small counts an operator sees to it that nobody waits for a breaker whose dependency is back."""


@pytest.fixture(scope="module", params=KINDS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("running")
    url = f"sqlite:///{folder / 'store.db'}"
    if request.param != "sqlite":
        server: MariaDB | MongoServer = request.getfixturevalue(f"{request.param}_server")
        url = server.new_database("running")
    with Running(folder, url) as service:
        yield service


@pytest.fixture
def service(running: Running) -> Iterator[Running]:
    """Everything normal to begin with; at the end no invariant is broken."""
    running.behave()
    yield running
    violations = check(running.database)
    assert not violations, explain(violations)


def _sell(service: Running) -> dict[str, Any]:
    """A payer who comes back from the payment page, and repeats whatever gets no answer."""
    booking = service.hold()
    service.open_payment(booking)
    return service.call("POST", f"/bookings/{booking['id']}/confirm")


def _kill_sandbox(service: Running) -> None:
    service.stack.sandbox.kill()
    service.stack.sandbox.start()


def _kill_worker(service: Running) -> None:
    service.kill_worker()


def _kill_web_workers(service: Running) -> None:
    for pid in service.stack.web_worker_pids():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _assert_sold(service: Running, bookings: list[dict[str, Any]]) -> None:
    """Each confirmed, captured, and with its admission."""
    for booking in bookings:
        now = service.booking(booking)
        assert (now["status"], now["payment"]["status"]) == ("confirmed", "captured"), now
        assert now["items"][0]["units"][0]["admissionId"], now
        assert now["refunds"] == []


@pytest.mark.parametrize("kill", [_kill_sandbox, _kill_worker, _kill_web_workers])
def test_a_process_killed_in_the_middle_of_payments_leaves_no_booking_stuck(
    service: Running, kill: Callable[[Running], None]
) -> None:
    service.behave(autoPay="authorize")
    chance = random.Random(SEED)
    done = threading.Event()

    def sell_all() -> list[dict[str, Any]]:
        with ThreadPoolExecutor(PAYERS) as payers:
            sold = list(payers.map(lambda _: _sell(service), range(SALES)))
        done.set()
        return sold

    # the kills happen in this thread: a process ends with the thread that started it
    with ThreadPoolExecutor(1) as beside:
        selling = beside.submit(sell_all)
        for _ in range(KILLS):
            done.wait(chance.uniform(0.05, 0.4))
            kill(service)
        while not (at_full_counts() or done.wait(RESET_SECONDS)):
            service.reset("payment-api")
        sold = selling.result()
    service.stack.wait_until_ready()
    service.wait_until_settled()
    _assert_sold(service, sold)


@pytest.mark.parametrize(
    "webhooks",
    [
        {"delivery": "lost"},
        {"delivery": "repeat", "repeat": 4},
        {"delivery": "reorder"},
        {"beforeAnswer": True},
    ],
    ids=["lost", "repeated", "reordered", "before the answer"],
)
def test_whatever_becomes_of_webhooks_a_paid_booking_is_confirmed_once(
    service: Running, webhooks: dict[str, Any]
) -> None:
    service.behave(autoPay="authorize", webhooks=webhooks)
    booking = service.hold()
    service.open_payment(booking)  # and the payer never comes back
    service.wait_until_settled()
    _assert_sold(service, [booking])


@pytest.mark.parametrize("fault_at", ["before", "after"])
def test_a_module_that_fails_or_answers_nothing_costs_no_booking(service: Running, fault_at: str) -> None:
    service.behave(autoPay="authorize", failRate=0.5, faultAt=fault_at)
    sold = [_sell(service) for _ in range(3)]
    service.behave(autoPay="authorize")
    service.wait_until_settled()
    _assert_sold(service, sold)


def test_a_capture_refused_for_good_returns_the_seats_and_tells_the_customer(service: Running) -> None:
    service.behave(autoPay="authorize", refuseCapture="permanent")
    booking = service.hold()
    service.open_payment(booking)
    service.wait_until_settled()
    now = service.booking(booking)
    assert now["status"] == "cancelled", now
    assert now["refunds"] == []


def test_a_decline_leaves_the_hold_to_be_paid_again(service: Running) -> None:
    service.behave(autoPay="decline")
    booking = service.hold()
    declined = service.open_payment(booking)
    service.behave(autoPay="authorize")
    assert service.open_payment(booking) != declined
    assert service.call("POST", f"/bookings/{booking['id']}/confirm")["status"] == "confirmed"
    service.wait_until_settled()
    _assert_sold(service, [booking])


def test_a_cancelled_booking_gets_its_money_back_though_the_worker_is_killed(service: Running) -> None:
    service.behave(autoPay="authorize")
    booking = _sell(service)
    service.wait_until_settled()
    service.call(
        "POST", f"/bookings/{booking['id']}/cancel", {"reason": "changed plans"}, f"c{booking['id']}"
    )
    service.kill_worker()
    service.wait_until_settled()
    now = service.booking(booking)
    # the fee stays
    assert (now["status"], now["payment"]["status"]) == ("cancelled", "partially_refunded"), now
    assert [refund["amount"]["amount"] for refund in now["refunds"]] == [PRICE], now


def test_no_seat_is_locked_while_the_module_hangs(service: Running) -> None:
    first = service.hold()
    service.behave(hang=True)
    with ThreadPoolExecutor(1) as beside:
        paying = beside.submit(service.open_payment, first)
        time.sleep(0.2)  # the call is under way, or will be: the sales below do not wait for it either way
        began = time.monotonic()
        sold = [service.hold() for _ in range(5)]
        took = time.monotonic() - began
        assert not paying.done()
        service.behave(autoPay="authorize")
        paying.result()
    assert len(sold) == 5
    assert took < 8  # what one call to a hanging module takes


def test_a_hold_stands_while_the_module_is_down(service: Running) -> None:
    service.stack.sandbox.kill()
    try:
        booking = service.hold()
        assert service.booking(booking)["status"] == "on_hold"
    finally:
        service.stack.sandbox.start()
        service.stack.wait_until_ready()
    service.behave(autoPay="authorize")
    service.open_payment(booking)
    service.wait_until_settled()
    _assert_sold(service, [booking])
