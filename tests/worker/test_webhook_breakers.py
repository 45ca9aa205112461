"""Webhooks to endpoints that fail or hang: nobody else is held up, and operators have a hand in it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.servers.endpoint import Endpoint, answer
from tests.servers.process import eventually
from tests.worker.hooks import WAIT, Hooks
from ticketing_service.actions.webhook_delivery import tidy_up
from ticketing_service.domain.webhooks import (
    FAILURES_TO_OPEN,
    KEPT_TRYING,
    DeliveryState,
)
from ticketing_service.storage.port import Store


def test_one_that_hangs_holds_up_nobody_else(hooks: Hooks, hanging: Endpoint, other: Endpoint) -> None:
    hooks.subscribe(hanging)
    hooks.subscribe(other)
    bookings = {str(hooks.held().id) for _ in range(8)}
    hooks.dispatcher.run()
    eventually(lambda: len(other.received) == 8, seconds=WAIT, what="all that the other one is told")
    assert {each.document["data"]["id"] for each in other.received} == bookings
    assert len(hanging.received) <= 1
    assert not hooks.dispatcher.idle()


def test_those_that_fail_never_have_all_lanes(
    store: Store, tmp_path: Path, hanging: Endpoint, other: Endpoint
) -> None:
    hooks = Hooks(store, tmp_path, lanes=4)
    failing = [hooks.subscribe(hanging) for _ in range(6)]
    hooks.subscribe(other)
    for each in failing:
        hooks.change(each, health=each.health.failed("slow", hooks.now, 0.5))
    hooks.held()
    hooks.dispatcher.run()
    eventually(lambda: len(other.received) == 1, seconds=WAIT, what="what the other one is told")
    eventually(lambda: len(hanging.received) == 2, seconds=WAIT, what="half of the lanes")
    hooks.dispatcher.run()
    assert len(hanging.received) == 2


def test_the_breaker_of_an_endpoint_opens_for_it_alone_and_a_trial_closes_it(
    hooks: Hooks, endpoint: Endpoint, other: Endpoint
) -> None:
    endpoint.behave = answer(503)
    failing = hooks.subscribe(endpoint)
    hooks.subscribe(other)
    for _ in range(FAILURES_TO_OPEN + 3):
        hooks.held()
    hooks.run_off()
    assert len(endpoint.received) == FAILURES_TO_OPEN
    assert len(other.received) == FAILURES_TO_OPEN + 3
    health = hooks.again(failing).health
    assert (health.is_open, health.closed_until) == (True, hooks.now + timedelta(seconds=30))
    assert hooks.guard.breaker.state == "closed"
    hooks.move(seconds=31)
    hooks.run_off()
    assert len(endpoint.received) == FAILURES_TO_OPEN + 1, "a single trial"
    assert hooks.again(failing).health.closed_until == hooks.now + timedelta(seconds=60)
    endpoint.behave = answer(200)
    hooks.move(seconds=61)
    hooks.run_off()
    assert not hooks.again(failing).health.is_open
    hooks.move(minutes=5)
    hooks.run_off()
    assert {each.state for each in hooks.log()} == {DeliveryState.DELIVERED}


def test_when_all_breakers_are_open_that_of_all_webhooks_is(hooks: Hooks, endpoint: Endpoint) -> None:
    endpoint.behave = answer(500)
    subscription = hooks.subscribe(endpoint)
    for _ in range(FAILURES_TO_OPEN):
        hooks.held()
    hooks.run_off()
    status = hooks.guard.breaker.status()
    assert (status.state, status.counts.failures) == ("open", FAILURES_TO_OPEN)
    endpoint.behave = answer(200)
    hooks.move(seconds=31)
    hooks.run_off()
    assert not hooks.again(subscription).health.is_open
    assert hooks.guard.breaker.state == "closed"


def test_operators_stop_all_webhooks_and_start_them_again(hooks: Hooks, endpoint: Endpoint) -> None:
    hooks.subscribe(endpoint)
    hooks.held()
    hooks.guard.breaker.set_mode("forced_open", "an incident")
    hooks.run()
    assert endpoint.received == []
    assert hooks.log()[0].attempts == 0, "it was not tried"
    hooks.guard.breaker.set_mode("automatic")
    hooks.run_off()
    assert len(endpoint.received) == 1


@pytest.mark.parametrize("how", ["reset", "disabled"])
def test_operators_have_all_endpoints_tried_at_once(hooks: Hooks, endpoint: Endpoint, how: str) -> None:
    endpoint.behave = answer(500)
    hooks.subscribe(endpoint)
    for _ in range(FAILURES_TO_OPEN):
        hooks.held()
    hooks.run_off()
    endpoint.behave = answer(200)
    hooks.held()
    hooks.run_off()
    assert len(endpoint.received) == FAILURES_TO_OPEN
    if how == "reset":
        hooks.guard.breaker.reset()
    else:
        hooks.guard.breaker.set_mode("disabled")
    hooks.run_off()
    assert len(endpoint.received) == FAILURES_TO_OPEN + 1


def test_what_waits_for_an_endpoint_that_never_comes_back_is_dead_after_a_day(
    hooks: Hooks, endpoint: Endpoint
) -> None:
    endpoint.stop()
    hooks.subscribe(endpoint)
    booking = hooks.held()
    hooks.extended(booking)
    for _ in range(FAILURES_TO_OPEN + 2):
        hooks.held()
    hooks.run_off()
    hooks.now += KEPT_TRYING
    tidy_up(hooks.ports)
    assert {each.state for each in hooks.log()} == {DeliveryState.DEAD}
    hooks.move(days=31)
    tidy_up(hooks.ports)
    assert hooks.log() == []
