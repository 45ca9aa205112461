"""Subscriptions to webhooks over HTTP: who has them, what they show, and what a day with them is like."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from tests.http.ticketing.agency import ADMIN, Agency, priced_slots
from tests.http.ticketing.shop import Reply, Shop, item, refusal
from ticketing_service.domain.webhooks import Outcome

WHERE = "/webhook-subscriptions"
SCOPES = ["bookings:read", "bookings:write", "webhooks:manage"]
BODY: dict[str, Any] = {"url": "https://hooks.example.org/in", "events": ["booking.updated"]}


def subscribed(shop: Shop, body: dict[str, Any] | None = None, **how: Any) -> Reply:
    return shop.call("POST", WHERE, body or BODY, **(how or ADMIN))


def key(agency: Agency, **changes: Any) -> str:
    made = agency.new_key(**{"scopes": SCOPES, **changes})
    assert made.status_code == 201, made.json
    return str(made.json["key"])


def test_the_secret_is_shown_once(any_shop: Shop) -> None:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    made = any_shop.call("POST", WHERE, BODY, headers=headers, **ADMIN)
    assert made.status_code == 201
    assert made.json["secret"].startswith("whsec_")
    path = f"{WHERE}/{made.json['id']}"
    assert made.headers["Location"].endswith(path)
    again = any_shop.call("POST", WHERE, BODY, headers=headers, **ADMIN)
    assert again.json == made.json, "the same request once more"
    read = any_shop.call("GET", path, **ADMIN)
    assert read.json == {name: value for name, value in made.json.items() if name != "secret"}
    assert read.json["secrets"] == [{"number": 1, "until": None}]
    (listed,) = any_shop.call("GET", WHERE, **ADMIN).json["data"]
    assert listed == read.json


def test_a_secret_is_renewed_without_a_gap(any_shop: Shop) -> None:
    made = subscribed(any_shop)
    path = f"{WHERE}/{made.json['id']}"
    assert refusal(any_shop.call("POST", f"{path}/secret", **ADMIN)) == (428, "PRECONDITION_REQUIRED")
    headers = {"If-Match": made.headers["ETag"], "Idempotency-Key": uuid.uuid4().hex}
    renewed = any_shop.call("POST", f"{path}/secret", headers=headers, **ADMIN)
    assert renewed.status_code == 200, renewed.json
    assert renewed.json["secret"] != made.json["secret"]
    assert [each["number"] for each in renewed.json["secrets"]] == [2, 1]
    until = any_shop.clock.now + timedelta(hours=24)
    assert renewed.json["secrets"][1]["until"] == until.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert any_shop.call("POST", f"{path}/secret", headers=headers, **ADMIN).json == renewed.json
    stale = any_shop.call("POST", f"{path}/secret", headers={"If-Match": made.headers["ETag"]}, **ADMIN)
    assert refusal(stale) == (412, "VERSION_CONFLICT")


def test_a_subscription_is_changed_and_ended_with_its_tag(any_shop: Shop) -> None:
    made = subscribed(any_shop)
    path, tag = f"{WHERE}/{made.json['id']}", {"If-Match": made.headers["ETag"]}
    change = {"events": ["product.updated", "booking.updated"], "active": False}
    changed = any_shop.call("PATCH", path, change, headers=tag, **ADMIN)
    assert (changed.json["events"], changed.json["active"]) == (["booking.updated", "product.updated"], False)
    for method, body in (("PATCH", change), ("DELETE", None)):
        assert refusal(any_shop.call(method, path, body, headers=tag, **ADMIN)) == (412, "VERSION_CONFLICT")
        assert any_shop.call(method, path, body, **ADMIN).status_code == 428
    gone = any_shop.call("DELETE", path, headers={"If-Match": changed.headers["ETag"]}, **ADMIN)
    assert gone.status_code == 204
    for beneath in ("", "/deliveries"):
        assert refusal(any_shop.call("GET", path + beneath, **ADMIN)) == (404, "SUBSCRIPTION_NOT_FOUND")
    assert any_shop.call("GET", WHERE, **ADMIN).json["data"] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/", "https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/",
        "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://user:word@example.org/", "ftp://a.b/", "x",
    ],
)  # fmt: skip
def test_addresses_that_nothing_is_sent_to_are_refused(shop: Shop, url: str) -> None:
    refused = subscribed(shop, {**BODY, "url": url})
    assert refusal(refused) == (422, "WEBHOOK_URL_NOT_ALLOWED")
    assert refused.json["errors"][0]["pointer"] == "/url"
    made = subscribed(shop)
    tag = {"If-Match": made.headers["ETag"]}
    changed = shop.call("PATCH", f"{WHERE}/{made.json['id']}", {"url": url}, headers=tag, **ADMIN)
    assert refusal(changed) == (422, "WEBHOOK_URL_NOT_ALLOWED")


def test_a_reseller_has_its_own_and_sees_no_other(any_shop: Shop) -> None:
    one, other = Agency(any_shop), Agency(any_shop, "Other")
    mine, test, theirs = key(one), key(one, isTest=True), key(other)
    made = subscribed(any_shop, token=mine)
    assert (made.json["resellerId"], made.json["isTest"]) == (one.id, False)
    subscribed(any_shop)
    path, tag = f"{WHERE}/{made.json['id']}", {"If-Match": made.headers["ETag"]}
    assert any_shop.call("GET", path, token=mine).status_code == 200
    for token in (theirs, test):
        for method, beneath, body in (
            ("GET", "", None), ("PATCH", "", {"active": False}), ("DELETE", "", None),
            ("POST", "/secret", None), ("GET", "/deliveries", None),
            ("POST", f"/deliveries/{uuid.uuid4()}/replay", None),
        ):  # fmt: skip
            answer = any_shop.call(method, path + beneath, body, headers=tag, token=token)
            assert refusal(answer) == (404, "SUBSCRIPTION_NOT_FOUND"), (method, beneath)
        assert any_shop.call("GET", WHERE, token=token).json["data"] == []
    assert [each["id"] for each in any_shop.call("GET", WHERE, token=mine).json["data"]] == [made.json["id"]]
    assert len(any_shop.call("GET", WHERE, **ADMIN).json["data"]) == 2
    foreign = subscribed(any_shop, {**BODY, "resellerId": other.id}, token=mine)
    assert refusal(foreign) == (403, "FORBIDDEN")


def test_a_key_without_the_scope_manages_no_webhooks(shop: Shop) -> None:
    agency = Agency(shop)
    assert refusal(subscribed(shop, token=agency.key)) == (403, "FORBIDDEN")
    assert refusal(shop.call("GET", WHERE, token=agency.key)) == (403, "FORBIDDEN")
    only = key(agency, scopes=["webhooks:manage"])
    assert subscribed(shop, token=only).status_code == 201
    assert refusal(shop.call("GET", "/bookings", token=only)) == (403, "FORBIDDEN")


def test_an_administrator_subscribes_for_a_reseller_that_there_is(shop: Shop) -> None:
    agency = Agency(shop)
    assert subscribed(shop, {**BODY, "resellerId": agency.id}).json["resellerId"] == agency.id
    unknown = subscribed(shop, {**BODY, "resellerId": str(uuid.uuid4())})
    assert refusal(unknown) == (404, "RESELLER_NOT_FOUND")
    for _ in range(19):
        subscribed(shop, {**BODY, "resellerId": agency.id})
    assert refusal(subscribed(shop, {**BODY, "resellerId": agency.id})) == (409, "TOO_MANY_SUBSCRIPTIONS")


def test_a_sale_is_in_the_log_and_what_was_given_up_is_replayed(any_shop: Shop) -> None:
    agency = Agency(any_shop, credit=[{"currency": "EUR", "limit": 100_000}])
    token = key(agency)
    made = subscribed(any_shop, token=token)
    slots = priced_slots(any_shop)
    held = agency.hold(item(slots[0]))
    assert held.status_code == 201, held.json
    any_shop.hold(item(slots[0]))
    store, now = any_shop.ports.store.webhooks, any_shop.clock.now
    assert store.spread(now, 10) == 1
    path = f"{WHERE}/{made.json['id']}/deliveries"
    (listed,) = any_shop.call("GET", path, token=token).json["data"]
    assert (listed["state"], listed["subjectId"]) == ("pending", held.json["id"])
    assert listed["data"]["reference"] == held.json["reference"]
    replay = f"{path}/{listed['id']}/replay"
    assert refusal(any_shop.call("POST", replay, token=token)) == (409, "DELIVERY_NOT_DEAD")
    (claimed,) = store.claim(uuid.UUID(made.json["id"]), now, now + timedelta(minutes=1), 10)
    store.settle(claimed, Outcome(delivered=False, error="it answered 500", status_code=500), now)
    (dead,) = any_shop.call("GET", f"{path}?state=dead", token=token).json["data"]
    assert (dead["state"], dead["statusCode"], dead["error"]) == ("dead", 500, "it answered 500")
    assert any_shop.call("GET", f"{path}?state=delivered", token=token).json["data"] == []
    assert any_shop.call("GET", f"{path}?state=lost", token=token).status_code == 422
    replayed = any_shop.call("POST", replay, token=token)
    assert (replayed.status_code, replayed.json["state"], replayed.json["attempts"]) == (200, "pending", 0)
    unknown = any_shop.call("POST", f"{path}/{uuid.uuid4()}/replay", token=token)
    assert refusal(unknown) == (404, "DELIVERY_NOT_FOUND")


def test_the_breaker_of_all_webhooks_is_among_those_that_are_shown(shop: Shop) -> None:
    shown = shop.call("GET", "/monitoring/circuit-breakers").json["circuitBreakers"]
    assert shown["webhooks"]["state"] == "CLOSED"
