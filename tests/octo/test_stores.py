"""What only a store can keep, on each of them: one booking for one uuid, and no seat twice."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.counts import counts
from tests.http.ticketing.agency import Agency
from tests.http.ticketing.shop import API, CUSTOMER, Shop, item
from tests.octo.otas import LEAD, Document, Ota, day_ticket

AT_ONCE = counts(6, 16)


def at_once(shop: Shop, requests: list[tuple[str, Document, dict[str, str]]]) -> list[tuple[int, Any]]:
    """POST them all at the same time, each by a client of its own."""

    def send(request: tuple[str, Document, dict[str, str]]) -> tuple[int, Any]:
        path, body, headers = request
        answer = shop.app.test_client().post(API + path, json=body, headers=headers)
        return answer.status_code, answer.json

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


def opened(shop: Shop, capacity: int) -> tuple[Ota, Document, Document]:
    credit = [{"currency": "EUR", "limit": 1_000_000}]
    ota = Ota(Agency(shop, credit=credit, maxHolds=100))
    product = ota.ok("GET", f"/products/{day_ticket(shop, capacity)['id']}")
    return ota, product, ota.slots(product)[0]


def test_one_uuid_is_one_booking_however_often_it_is_sent(any_shop: Shop) -> None:
    ota, product, slot = opened(any_shop, 10)
    body = ota.order(product, slot, 2, resellerReference="V-1", contact=LEAD)
    key = {"Authorization": f"Bearer {ota.key}"}
    answers = at_once(any_shop, [("/octo/bookings", body, key)] * AT_ONCE)
    assert [status for status, _ in answers] == [200] * AT_ONCE
    assert len({answer["id"] for _, answer in answers}) == 1
    assert ota.slots(product, availabilityIds=[slot["id"]])[0]["vacancies"] == 8
    found = ota.ok("GET", "/bookings?resellerReference=V-1")
    assert [each["uuid"] for each in found] == [body["uuid"]]
    confirmed = ota.ok("POST", f"/bookings/{body['uuid']}/confirm", {"contact": LEAD})
    assert ota.ok("POST", "/bookings", body) == confirmed
    assert ota.ok("GET", "/bookings?localDate=2026-07-02") == [confirmed]
    first, second = confirmed["unitItems"]
    kept = {"unitItems": [{"uuid": second["uuid"], "unitId": second["unitId"]}], "notes": "one"}
    fewer = ota.ok("PATCH", f"/bookings/{body['uuid']}", kept)
    assert [each["status"] for each in fewer["unitItems"]] == ["CANCELLED", "CONFIRMED"]
    assert [each["uuid"] for each in fewer["unitItems"]] == [first["uuid"], second["uuid"]]
    cancelled = ota.ok("POST", f"/bookings/{body['uuid']}/cancel", {"reason": "rain"})
    assert (cancelled["cancellation"]["refund"], cancelled["cancellation"]["reason"]) == ("FULL", "rain")


def test_resellers_and_visitors_never_share_the_last_seat(any_shop: Shop) -> None:
    seats = AT_ONCE // 2
    ota, product, slot = opened(any_shop, seats)
    key = {"Authorization": f"Bearer {ota.key}"}
    unit_id = product["options"][0]["units"][0]["id"]
    native = item({"id": slot["id"], "units": [{"unitId": unit_id}]})

    def over_octo() -> tuple[str, Document, dict[str, str]]:
        return "/octo/bookings", ota.order(product, slot), key

    def visiting() -> tuple[str, Document, dict[str, str]]:
        customer = {**CUSTOMER, "email": f"{uuid.uuid4().hex}@example.org"}
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        return "/bookings", {"items": [native], "customer": customer}, headers

    kinds: list[Callable[[], tuple[str, Document, dict[str, str]]]] = [over_octo, visiting]
    sent = [kinds[number % 2]() for number in range(AT_ONCE)]
    answers = at_once(any_shop, sent)
    told = Counter(status for status, _ in answers)
    assert told[200] + told[201] == seats
    assert told[400] + told[409] == AT_ONCE - seats
    for status, answer in answers:
        if status == 400:
            assert answer["error"] == "UNPROCESSABLE_ENTITY"
        if status == 409:
            assert answer["code"] == "SOLD_OUT"
    left = ota.slots(product, availabilityIds=[slot["id"]])[0]
    assert (left["status"], left["vacancies"]) == ("SOLD_OUT", 0)
