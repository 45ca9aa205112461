"""Products, availability, prices and texts: with each capability, and without any."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.http.ticketing.agency import Agency
from tests.http.ticketing.shop import Shop
from tests.octo.otas import Document, Ota, day_ticket, group_visit, tour
from tests.octo.spec import CONTENT, PRICING, WEBHOOKS
from ticketing_service.domain.platform import Brand

VAT = 900


@pytest.fixture(scope="module")
def museum(shop: Shop) -> str:
    return str(day_ticket(shop)["id"])


@pytest.fixture(scope="module")
def walk(shop: Shop) -> str:
    return str(tour(shop)["id"])


@pytest.fixture(scope="module")
def group(shop: Shop) -> str:
    return str(group_visit(shop)["id"])


def tax(amount: int) -> int:
    """What an amount contains of it, half up."""
    return (2 * amount * VAT + 10_000 + VAT) // (2 * (10_000 + VAT))


def price(retail: int, net: int) -> Document:
    taxes = {"original": tax(retail), "retail": tax(retail), "net": tax(net)}
    return {
        "original": retail,
        "retail": retail,
        "net": net,
        "currency": "EUR",
        "currencyPrecision": 2,
        "includedTaxes": [{"name": "VAT", **taxes}],
    }


def test_capabilities_are_those_that_are_served_and_the_answer_names_those_used(
    agency: Agency, ota: Ota
) -> None:
    assert [each["id"] for each in ota.ok("GET", "/capabilities")] == [PRICING, CONTENT, WEBHOOKS]
    answer = agency.shop.call(
        "GET",
        "/octo/supplier",
        token=agency.key,
        headers={"Octo-Capabilities": " octo/offers,octo/content , octo/cart"},
    )
    assert answer.headers["Octo-Capabilities"] == CONTENT
    assert agency.call("GET", "/octo/supplier").headers["Octo-Capabilities"] == ""


def test_supplier(ota: Ota) -> None:
    supplier = ota.ok("GET", "/supplier")
    assert supplier["endpoint"] == "http://shop.test:3001/api/v1/octo"
    assert supplier["name"] == "shop.test:3001"
    nothing = {"email": None, "telephone": None, "address": None}
    assert supplier["contact"] == {"website": "http://shop.test:3001", **nothing}
    assert ota.asking(CONTENT).ok("GET", "/supplier").keys() - supplier.keys() == {
        "shortDescription",
        "media",
    }


def test_the_supplier_is_who_the_platform_says_it_is(shop: Shop, ota: Ota) -> None:
    told = {"website": "https://delft.example", "email": "in@delft.example", "telephone": "+31 15 1"}
    brand = Brand(name="Delft", address="Markt 1, Delft", **told)
    before = shop.ports.followed.platform
    shop.ports.followed.platform = replace(before, brand=brand)
    try:
        supplier = ota.ok("GET", "/supplier")
    finally:
        shop.ports.followed.platform = before
    assert supplier["name"] == "Delft"
    assert supplier["contact"] == {**told, "address": "Markt 1, Delft"}


def test_a_product_says_how_it_is_sold(ota: Ota, museum: str, walk: str) -> None:
    day, start = (ota.ok("GET", f"/products/{each}") for each in (museum, walk))
    assert (day["availabilityType"], start["availabilityType"]) == ("OPENING_HOURS", "START_TIME")
    option = day["options"][0]
    assert option["availabilityLocalStartTimes"] == ["00:00"]
    assert start["options"][0]["availabilityLocalStartTimes"] == ["10:00", "14:00"]
    assert (option["cancellationCutoffAmount"], option["cancellationCutoffUnit"]) == (24, "hour")
    assert option["requiredContactFields"] == ["firstName", "lastName", "emailAddress"]
    adult, child = option["units"]
    assert (adult["type"], child["type"]) == ("ADULT", "CHILD")
    assert (child["restrictions"]["minAge"], child["restrictions"]["maxAge"]) == (4, 12)
    assert (adult["restrictions"]["minAge"], adult["restrictions"]["paxCount"]) == (0, 1)
    assert (day["deliveryMethods"], day["redemptionMethod"]) == (["TICKET", "VOUCHER"], "DIGITAL")
    assert {museum, walk} <= {each["id"] for each in ota.ok("GET", "/products")}


def test_prices_are_those_of_the_reseller(ota: Ota, museum: str, group: str) -> None:
    """A markup of 10 % for its customers, and 80 % of ours owed."""
    priced = ota.asking(PRICING)
    day = priced.ok("GET", f"/products/{museum}")
    assert (day["defaultCurrency"], day["availableCurrencies"], day["pricingPer"]) == ("EUR", ["EUR"], "UNIT")
    adult, child = day["options"][0]["units"]
    assert (adult["pricingFrom"], child["pricingFrom"]) == ([price(1100, 800)], [price(550, 400)])
    assert day["options"][0]["pricingFrom"] == []
    visit = priced.ok("GET", f"/products/{group}")
    assert visit["pricingPer"] == "BOOKING"
    assert visit["options"][0]["pricingFrom"] == [price(16500, 12000)]
    units = [{"id": adult["id"], "quantity": 2}, {"id": child["id"], "quantity": 1}]
    slot = priced.slots(day, units=units, currency="EUR")[0]
    assert [each["unitId"] for each in slot["unitPricing"]] == [adult["id"], child["id"]]
    assert slot["unitPricing"][0] == {"unitId": adult["id"], **price(1100, 800)}
    assert (slot["pricing"]["retail"], slot["pricing"]["net"]) == (2750, 2000)
    assert priced.slots(day)[0]["pricing"]["retail"] == 0  # no units, no price
    assert priced.refused("POST", "/availability", _asked(day, currency="USD"))["error"] == "BAD_REQUEST"


def _asked(product: Document, **more: Any) -> Document:
    days = {"localDateStart": "2026-07-02", "localDateEnd": "2026-07-02"}
    return {"productId": product["id"], "optionId": product["options"][0]["id"], **days, **more}


def test_a_booking_has_the_price_that_was_told_and_that_is_owed(
    agency: Agency, ota: Ota, museum: str
) -> None:
    priced = ota.asking(PRICING)
    product = priced.ok("GET", f"/products/{museum}")
    adult, child = product["options"][0]["units"]
    wanted = [adult["id"], child["id"], adult["id"]]
    held = priced.reserved(product, unitItems=[{"unitId": each} for each in wanted])
    assert [each["unitId"] for each in held["unitItems"]] == wanted
    assert [each["pricing"]["retail"] for each in held["unitItems"]] == [1100, 550, 1100]
    assert [each["pricing"]["net"] for each in held["unitItems"]] == [800, 400, 800]
    native = agency.call("GET", f"/bookings/{held['id']}").json
    pricing = held["pricing"]
    assert pricing["retail"] == native["price"]["total"]["amount"] == 2750
    assert pricing["net"] == native["resale"]["net"]["amount"] == 2000
    (included,) = native["price"]["includedTaxes"]
    assert pricing["includedTaxes"][0]["retail"] == included["amount"]["amount"]
    assert native["channel"] == "reseller"


def test_a_group_costs_the_same_whatever_its_size(ota: Ota, group: str) -> None:
    priced = ota.asking(PRICING)
    product = priced.ok("GET", f"/products/{group}")
    unit_id = product["options"][0]["units"][0]["id"]
    for count in (2, 7):
        units = [{"id": unit_id, "quantity": count}]
        day = f"2026-07-{10 + count}"
        slot = priced.slots(product, day, units=units)[0]
        held = priced.reserved(product, slot, count)
        assert held["pricing"]["retail"] == slot["pricing"]["retail"] == 16500
        assert held["pricing"]["net"] == slot["pricing"]["net"]
    assert priced.slots(product)[0]["pricing"]["retail"] == 16500


def test_texts_are_in_the_language_that_is_asked_for(ota: Ota, museum: str, walk: str) -> None:
    reading = ota.asking(CONTENT)
    answer = reading.call("GET", f"/products/{museum}", headers={"Accept-Language": "nl-NL, en;q=0.5"})
    product = answer.json
    assert answer.headers["Content-Language"] == "nl"
    assert "fr" in answer.headers["Available-Languages"]
    assert (product["title"], product["options"][0]["title"]) == ("Toren", "Gewoon")
    assert product["description"] == "High.\nVery high."
    assert product["shortDescription"] == "High."
    (place,) = product["locations"]
    assert place["place"]["postalAddress"]["addressLocality"] == "Delft"
    assert (product["durationMinutesFrom"], product["durationMinutesTo"]) == (0, 540)
    tour = reading.ok("GET", f"/products/{walk}")
    assert (tour["durationMinutesFrom"], tour["durationMinutesTo"]) == (90, None)
    assert tour["categoryLabels"] == ["guided-tours", "museums"]
    assert reading.slots(tour)[0]["title"] == "English"


def test_slots_are_told_in_local_time(ota: Ota, museum: str, walk: str) -> None:
    day, start = (ota.ok("GET", f"/products/{each}") for each in (museum, walk))
    (whole,) = ota.slots(day)
    assert (whole["allDay"], whole["openingHours"]) == (True, [{"from": "09:00", "to": "18:00"}])
    assert whole["localDateTimeStart"] == "2026-07-02T00:00:00+02:00"
    assert whole["localDateTimeEnd"] == "2026-07-03T00:00:00+02:00"
    assert whole["utcCutoffAt"] == "2026-07-02T15:30:00.000Z"
    morning, afternoon = ota.slots(start)
    assert (morning["localDateTimeStart"], morning["localDateTimeEnd"]) == (
        "2026-07-02T10:00:00+02:00",
        "2026-07-02T11:30:00+02:00",
    )
    assert afternoon["localDateTimeStart"] == "2026-07-02T14:00:00+02:00"
    assert ota.ok("POST", "/availability", _asked(start, localDate="2026-07-02")) == [morning, afternoon]
    assert ota.slots(start, availabilityIds=[afternoon["id"], "none", whole["id"]]) == [afternoon]


def test_what_is_left_has_a_word(ota: Ota, shop: Shop) -> None:
    product = ota.ok("GET", f"/products/{tour(shop, capacity=6)['id']}")
    units = [{"id": product["options"][0]["units"][0]["id"], "quantity": 2}]

    def now(**more: Any) -> tuple[str, bool, int, int]:
        slot = ota.slots(product, "2026-07-08", **more)[0]
        return slot["status"], slot["available"], slot["vacancies"], slot["maxUnits"]

    slot = ota.slots(product, "2026-07-08")[0]
    assert now() == ("AVAILABLE", True, 6, 6)
    ota.reserved(product, slot, 4)
    assert now() == ("LIMITED", True, 2, 2)
    ota.reserved(product, slot, 1)
    assert now() == ("LIMITED", True, 1, 1)
    assert now(units=units) == ("SOLD_OUT", False, 1, 1)
    last = ota.reserved(product, slot, 1)
    assert now() == ("SOLD_OUT", False, 0, 0)
    ota.ok("POST", f"/bookings/{last['uuid']}/cancel")
    assert now() == ("LIMITED", True, 1, 1)
    free = ota.ok("GET", f"/products/{day_ticket(shop, capacity=None)['id']}")
    (slot,) = ota.slots(free)
    assert (slot["status"], slot["vacancies"], slot["capacity"]) == ("FREESALE", None, None)


def test_a_calendar_has_each_day_once(ota: Ota, shop: Shop) -> None:
    priced = ota.asking(PRICING)
    product = priced.ok("GET", f"/products/{tour(shop, capacity=6)['id']}")
    asked = _asked(product, localDateStart="2026-06-30", localDateEnd="2026-07-31")
    days = priced.ok("POST", "/availability/calendar", asked)
    assert len(days) == 32
    by_day = {each["localDate"]: each for each in days}
    assert list(by_day) == sorted(by_day)
    past, full = by_day["2026-06-30"], by_day["2026-07-02"]
    assert (past["status"], past["available"], past["vacancies"], past["openingHours"]) == (
        "CLOSED",
        False,
        0,
        [],
    )
    assert (full["status"], full["vacancies"], full["capacity"]) == ("AVAILABLE", 6, 12)
    assert full["openingHours"] == [{"from": "10:00", "to": "11:30"}, {"from": "14:00", "to": "15:30"}]
    assert full["unitPricingFrom"][0]["retail"] == 2200
    year = _asked(product, localDateStart="2026-07-01", localDateEnd="2027-06-30")
    assert len(ota.ok("POST", "/availability/calendar", year)) == 365
