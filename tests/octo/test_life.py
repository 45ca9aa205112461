"""The life of a booking over OCTO, for each kind of product."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.http.ticketing.agency import Agency
from tests.http.ticketing.shop import TOWER, Shop
from tests.octo.otas import LEAD, Document, Ota, combo, day_ticket, group_visit, multi_day, tour

PRODUCTS: dict[str, tuple[Callable[[Shop], Document], int]] = {
    "OPENING_HOURS": (day_ticket, 2),
    "START_TIME": (tour, 2),
    "group": (group_visit, 3),
    "multi-day": (multi_day, 1),
    "combo": (combo, 1),
}
"""What is sold, and how many of it."""


@pytest.fixture(scope="module", params=PRODUCTS)
def sold(request: pytest.FixtureRequest, shop: Shop) -> tuple[str, int]:
    make, count = PRODUCTS[request.param]
    return make(shop)["id"], count


def scanned(shop: Shop, code: str) -> int:
    body = {"code": code, "poiId": str(TOWER), "scanId": str(uuid.uuid4())}
    return shop.call("POST", "/redemptions", body, role="gate").status_code


def codes(booking: Document) -> list[str]:
    return [
        option["deliveryValue"]
        for item in booking["unitItems"]
        for option in item["ticket"]["deliveryOptions"]
        if option["deliveryFormat"] == "QRCODE"
    ]


def test_it_is_held_extended_confirmed_and_used(shop: Shop, ota: Ota, sold: tuple[str, int]) -> None:
    product_id, count = sold
    product = ota.ok("GET", f"/products/{product_id}")
    slot = ota.slots(product)[0]
    body = ota.order(product, slot, count, resellerReference="V-1", notes="two\nlines", expirationMinutes=10)
    held = ota.ok("POST", "/bookings", body)
    assert (held["status"], held["uuid"], held["resellerReference"]) == ("ON_HOLD", body["uuid"], "V-1")
    assert (held["notes"], held["testMode"], held["cancellable"]) == ("two\nlines", False, True)
    assert (held["utcExpiresAt"], held["utcConfirmedAt"]) == ("2026-07-01T08:10:00.000Z", None)
    assert (held["productId"], held["optionId"]) == (product["id"], product["options"][0]["id"])
    assert held["availabilityId"] == held["availability"]["id"] == slot["id"]
    assert [item["status"] for item in held["unitItems"]] == ["ON_HOLD"] * count
    assert {item["ticket"] for item in held["unitItems"]} == {None}
    assert held["voucher"] is None
    path = f"/bookings/{held['uuid']}"
    extended = ota.ok("POST", f"{path}/extend", {"expirationMinutes": 30})
    assert extended["utcExpiresAt"] == "2026-07-01T08:30:00.000Z"
    confirmed = ota.ok("POST", f"{path}/confirm", {"contact": LEAD, "resellerReference": "V-2"})
    assert (confirmed["status"], confirmed["resellerReference"]) == ("CONFIRMED", "V-2")
    assert (confirmed["utcConfirmedAt"], confirmed["utcExpiresAt"]) == ("2026-07-01T08:00:00.000Z", None)
    assert confirmed["contact"]["fullName"] == "Ann Lee"
    assert confirmed["contact"]["locales"] == LEAD["locales"]
    assert [item["uuid"] for item in confirmed["unitItems"]] == [item["uuid"] for item in held["unitItems"]]
    assert len(set(codes(confirmed))) == count
    assert ota.ok("GET", path) == confirmed
    assert ota.ok("POST", f"{path}/confirm", {"contact": LEAD}) == confirmed
    assert [
        each["uuid"] for each in ota.ok("GET", f"/bookings?supplierReference={held['supplierReference']}")
    ]
    _use(shop, ota, confirmed)


def _use(shop: Shop, ota: Ota, confirmed: Document) -> None:
    """At a gate of ours, on the day."""
    before = shop.clock.now
    shop.clock.move(hours=24)
    shop.clock.now = shop.clock.now.replace(
        hour=12 if confirmed["availability"]["localDateTimeStart"][11:13] == "14" else 8, minute=0
    )
    try:
        for number, code in enumerate(codes(confirmed)):
            assert scanned(shop, code) == 201
            now = ota.ok("GET", f"/bookings/{confirmed['uuid']}")
            last = number == len(confirmed["unitItems"]) - 1
            assert now["status"] == ("REDEEMED" if last else "CONFIRMED")
            used = [item["status"] for item in now["unitItems"]].count("REDEEMED")
            assert used == number + 1
        assert now["utcRedeemedAt"] == now["unitItems"][-1]["utcRedeemedAt"] is not None
        assert (now["cancellable"], now["unitItems"][0]["ticket"]["utcRedeemedAt"]) == (
            False,
            now["unitItems"][0]["utcRedeemedAt"],
        )
        error = ota.refused("POST", f"/bookings/{confirmed['uuid']}/cancel", {"reason": "late"})
        assert error["error"] == "UNPROCESSABLE_ENTITY"
    finally:
        shop.clock.now = before


def test_it_is_confirmed_and_cancelled(ota: Ota, sold: tuple[str, int]) -> None:
    product_id, count = sold
    product = ota.ok("GET", f"/products/{product_id}")
    slot = ota.slots(product, "2026-07-20")[0]
    confirmed = ota.confirmed(product, slot, count)
    assert (
        ota.slots(product, availabilityIds=[slot["id"]])[0]["vacancies"] != slot["vacancies"]
        or not slot["capacity"]
    )
    cancelled = ota.ok("POST", f"/bookings/{confirmed['uuid']}/cancel", {"reason": "rain"})
    assert (cancelled["status"], cancelled["cancellable"]) == ("CANCELLED", False)
    assert cancelled["cancellation"] == {
        "refund": "FULL", "reason": "rain", "utcCancelledAt": "2026-07-01T08:00:00.000Z",
    }  # fmt: skip
    assert {item["status"] for item in cancelled["unitItems"]} == {"CANCELLED"}
    assert {item["ticket"] for item in cancelled["unitItems"]} == {None}
    assert cancelled["voucher"] is None
    assert ota.ok("POST", f"/bookings/{confirmed['uuid']}/cancel") == cancelled
    assert ota.slots(product, availabilityIds=[slot["id"]])[0]["vacancies"] == slot["vacancies"]


def test_a_hold_is_given_back_or_ends(shop: Shop, ota: Ota, sold: tuple[str, int]) -> None:
    product_id, count = sold
    product = ota.ok("GET", f"/products/{product_id}")
    slot = ota.slots(product, "2026-07-21")[0]
    given_back = ota.reserved(product, slot, count)
    cancelled = ota.ok("POST", f"/bookings/{given_back['uuid']}/cancel", {})
    assert (cancelled["status"], cancelled["cancellation"]["reason"]) == ("CANCELLED", None)
    held = ota.reserved(product, slot, count, expirationMinutes=5)
    shop.clock.move(minutes=5)
    try:
        over = ota.ok("GET", f"/bookings/{held['uuid']}")
        assert (over["status"], over["cancellable"], over["utcExpiresAt"]) == ("EXPIRED", False, None)
        assert {item["status"] for item in over["unitItems"]} == {"EXPIRED"}
        confirm = ota.refused("POST", f"/bookings/{held['uuid']}/confirm", {"contact": LEAD})
        assert (confirm["error"], confirm["uuid"]) == ("INVALID_BOOKING_UUID", held["uuid"])
        for deed in ("extend", "cancel"):
            error = ota.refused("POST", f"/bookings/{held['uuid']}/{deed}", {})
            assert error["error"] == "UNPROCESSABLE_ENTITY"
    finally:
        shop.clock.move(minutes=-5)


def test_a_test_goes_the_same_way_and_lets_nobody_in(
    shop: Shop, agency: Agency, sold: tuple[str, int]
) -> None:
    trying = Ota(agency)
    trying.key = agency.new_key(isTest=True).json["key"]
    product_id, count = sold
    product = trying.ok("GET", f"/products/{product_id}")
    slot = trying.slots(product, "2026-07-22")[0]
    confirmed = trying.confirmed(product, slot, count)
    assert confirmed["testMode"]
    assert trying.slots(product, availabilityIds=[slot["id"]])[0]["vacancies"] == slot["vacancies"]
    assert scanned(shop, codes(confirmed)[0]) == 409
    cancelled: Any = trying.ok("POST", f"/bookings/{confirmed['uuid']}/cancel", {"reason": "rain"})
    assert cancelled["cancellation"]["refund"] == "FULL"
    # a real key sees no test
    assert Ota(agency).refused("GET", f"/bookings/{confirmed['uuid']}")["error"] == "INVALID_BOOKING_UUID"
