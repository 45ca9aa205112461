"""Webhooks to real endpoints: signed, in order, until they arrive, and none at the cost of another."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.contract.builders import NOW
from tests.servers.endpoint import Endpoint, Received, answer
from tests.servers.process import eventually
from tests.worker.hooks import WAIT, Hooks, signatures
from tests.worker.shop import QUICK
from ticketing_service.actions.webhooks import (
    ChangeSubscription,
    RenewSecret,
    change_subscription,
    renew_secret,
    replay_delivery,
)
from ticketing_service.domain.webhooks import (
    KEPT_TRYING,
    OLD_SECRET_SIGNS,
    DeliveryState,
    EventType,
)
from ticketing_service.tasks import build_worker


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
