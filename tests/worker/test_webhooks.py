"""Webhooks to real endpoints: signed, in order, until they arrive, and none at the cost of another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.contract.builders import NOW
from tests.servers.endpoint import Endpoint, Received, answer
from tests.servers.process import eventually
from tests.worker.hooks import WAIT, Hooks, signatures
from tests.worker.shop import QUICK
from ticketing_service.actions.webhook_delivery import tidy_up
from ticketing_service.actions.webhooks import (
    ChangeSubscription,
    RenewSecret,
    change_subscription,
    renew_secret,
    replay_delivery,
)
from ticketing_service.domain.webhooks import (
    FAILURES_TO_OPEN,
    KEPT_TRYING,
    OLD_SECRET_SIGNS,
    DeliveryState,
    EventType,
)
from ticketing_service.storage.port import Store
from ticketing_service.tasks import build_worker


@pytest.fixture
def hooks(store: Store, tmp_path: Path) -> Iterator[Hooks]:
    made = Hooks(store, tmp_path)
    yield made
    made.dispatcher.close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as running:
        yield running


@pytest.fixture
def other() -> Iterator[Endpoint]:
    with Endpoint() as running:
        yield running


@pytest.fixture
def hanging(endpoint: Endpoint) -> Iterator[Endpoint]:
    """It takes requests and answers none before the test is over."""
    over = threading.Event()

    def hang(_: Received, __: BaseHTTPRequestHandler) -> None:
        over.wait(WAIT)

    endpoint.behave = hang
    yield endpoint
    over.set()


def test_a_change_is_delivered_once_with_a_signature_that_a_receiver_can_verify(
    hooks: Hooks, endpoint: Endpoint
) -> None:
    subscription = hooks.subscribe(endpoint)
    booking = hooks.held()
    hooks.run_off()
    (received,) = endpoint.received
    secret = hooks.secret(subscription)
    assert secret.startswith("whsec_")
    assert signatures(received, secret)
    assert not signatures(Received(received.headers, received.body + b" "), secret)
    assert not signatures(received, hooks.secret(hooks.subscribe("http://127.0.0.1:9/")))
    assert received.headers["webhook-timestamp"] == str(int(hooks.now.timestamp()))
    assert received.document == {
        "type": "booking.updated",
        "timestamp": NOW.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": {
            "id": str(booking.id),
            "reference": booking.reference,
            "status": "on_hold",
            "paymentStatus": "none",
            "channel": booking.channel.value,
            "resellerId": None,
            "isTest": False,
            "version": 1,
        },
    }
    (delivery,) = hooks.log()
    assert (str(delivery.id), delivery.state, delivery.status_code) == (
        received.id,
        DeliveryState.DELIVERED,
        204,
    )


def test_nothing_personal_leaves_the_house(hooks: Hooks, endpoint: Endpoint) -> None:
    hooks.subscribe(endpoint, EventType)
    booking = hooks.held()
    hooks.run_off()
    sent = b"".join(each.body for each in endpoint.received)
    assert booking.reference.encode() in sent
    for text in (booking.customer.name, booking.customer.email):
        assert text.encode() not in sent


def test_the_secret_is_not_in_the_store(hooks: Hooks, endpoint: Endpoint, tmp_path: Path) -> None:
    secret = hooks.secret(hooks.subscribe(endpoint)).removeprefix("whsec_").encode()
    for path in tmp_path.glob("store.db*"):
        assert secret not in path.read_bytes()


def test_a_renewed_secret_signs_beside_the_one_before_for_a_day(hooks: Hooks, endpoint: Endpoint) -> None:
    subscription = hooks.subscribe(endpoint)
    for version in (1, 2):
        renew_secret(RenewSecret(subscription_id=subscription.id, expected_version=version), hooks.ports)
    secrets = [hooks.secret(subscription, number) for number in (1, 2, 3)]
    assert len(set(secrets)) == 3
    hooks.held()
    hooks.run_off()
    hooks.now += OLD_SECRET_SIGNS
    hooks.held()
    hooks.run_off()
    first, second = endpoint.received
    assert [signatures(first, each) for each in secrets] == [True, True, True]
    assert [signatures(second, each) for each in secrets] == [False, False, True]


def test_a_booking_waits_for_its_own_event_and_no_other_booking_does(
    hooks: Hooks, endpoint: Endpoint
) -> None:
    hooks.subscribe(endpoint)
    stuck = hooks.held()
    hooks.extended(stuck)

    def refuse(received: Received, handler: BaseHTTPRequestHandler) -> None:
        failing = received.document["data"]["id"] == str(stuck.id)
        answer(500 if failing else 200)(received, handler)

    endpoint.behave = refuse
    hooks.run_off()
    hooks.extended(stuck)
    free = hooks.held()
    hooks.run_off()
    sent = [(each.document["data"]["id"], each.document["data"]["version"]) for each in endpoint.received]
    assert sent == [(str(stuck.id), 1), (str(free.id), 1)]
    endpoint.behave = answer(200)
    hooks.move(seconds=20)
    hooks.run_off()
    versions = [
        each.document["data"]["version"]
        for each in endpoint.received
        if each.document["data"]["id"] == str(stuck.id)
    ]
    assert versions == [1, 1, 2, 3]


def test_it_is_tried_again_ever_later_for_a_day_then_dead_and_can_be_replayed(
    hooks: Hooks, endpoint: Endpoint
) -> None:
    endpoint.behave = answer(500)
    subscription = hooks.subscribe(endpoint)
    hooks.held()
    began, tried = hooks.now, []
    while True:
        hooks.run()
        tried.append((hooks.now - began).total_seconds())
        (delivery,) = hooks.log()
        if delivery.due_at is None:
            break
        health = hooks.again(subscription).health
        hooks.move_to(max(delivery.due_at, health.closed_until or hooks.now))
    assert (delivery.state, delivery.attempts) == (DeliveryState.DEAD, len(tried))
    assert (delivery.status_code, delivery.error) == (500, "it answered 500")
    gaps = [after - before for before, after in pairwise(tried)]
    assert gaps[:4] == [10, 20, 40, 80]
    assert all(earlier <= later for earlier, later in pairwise(gaps))
    assert max(gaps) == 3600
    assert KEPT_TRYING.total_seconds() - 3600 <= tried[-1] < KEPT_TRYING.total_seconds()
    assert len(set(endpoint.ids())) == 1, "one id for all attempts"

    endpoint.behave = answer(204)
    hooks.move(days=1)
    hooks.run_off()
    assert len(endpoint.received) == len(tried), "what is dead is not sent by itself"
    replay_delivery(subscription.id, delivery.id, None, hooks.ports)
    hooks.run_off()
    assert hooks.log()[0].state is DeliveryState.DELIVERED
    assert endpoint.ids() == [str(delivery.id)] * (len(tried) + 1)


def test_an_endpoint_that_is_away_gets_all_in_order_when_it_is_back(hooks: Hooks, endpoint: Endpoint) -> None:
    subscription = hooks.subscribe(endpoint)
    endpoint.stop()
    booking = hooks.held()
    hooks.extended(booking)
    hooks.run_off()
    assert hooks.again(subscription).health.last_error == "the connection was refused"
    endpoint.start()
    hooks.move(minutes=1)
    hooks.run_off()
    assert [each.document["data"]["version"] for each in endpoint.received] == [1, 2]
    assert hooks.again(subscription).health.failures == 0


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


def test_a_redirect_is_not_followed(hooks: Hooks, endpoint: Endpoint, other: Endpoint) -> None:
    endpoint.behave = answer(302, Location=other.url)
    hooks.subscribe(endpoint)
    hooks.held()
    hooks.run()
    (delivery,) = hooks.log()
    assert (delivery.state, delivery.error) == (DeliveryState.PENDING, "it answered 302")
    assert other.received == []


def test_an_address_that_may_not_be_sent_to_is_a_failure_like_others(hooks: Hooks, other: Endpoint) -> None:
    subscription = hooks.subscribe(other)
    hooks.change(subscription, url=other.url.replace("127.0.0.1", "127.0.0.2"))
    hooks.held()
    hooks.run()
    assert hooks.log()[0].error == "Its address is not one of the public internet."


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


def test_what_is_not_active_is_sent_nothing_until_it_is(hooks: Hooks, endpoint: Endpoint) -> None:
    subscription = hooks.subscribe(endpoint)
    hooks.held()
    hooks.dispatcher.close()
    hooks.change(subscription, active=False)
    hooks.held()
    again = Hooks(hooks.store, hooks.ports.admission_keys.folder.parent)
    again.run_off()
    assert endpoint.received == []
    changed = ChangeSubscription(
        subscription_id=subscription.id, expected_version=2, changes={"active": True}
    )
    change_subscription(changed, again.ports)
    again.held()
    again.run_off()
    again.dispatcher.close()
    # what happened while it was off is not told later
    assert len(endpoint.received) == 1


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


def test_the_worker_does_it_all_by_itself(hooks: Hooks, endpoint: Endpoint, other: Endpoint) -> None:
    hooks.subscribe(endpoint, EventType)
    worker = build_worker(hooks.ports, pace=QUICK)
    running = threading.Thread(target=worker.run)
    running.start()
    try:
        booking = hooks.held()
        hooks.extended(booking)

        def versions() -> list[Any]:
            return [
                each.document["data"]["version"]
                for each in list(endpoint.received)
                if each.document["type"] == "booking.updated"
            ]

        eventually(lambda: versions() == [1, 2], seconds=WAIT, what="both events")
    finally:
        worker.stop()
        running.join()
