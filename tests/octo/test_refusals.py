"""Each refusal with the code that OCTO has for it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.http.ticketing.agency import Agency
from tests.http.ticketing.shop import Shop
from tests.octo.otas import LEAD, Document, Ota, day_ticket, tour

NOBODY = str(uuid.UUID(int=9))


@pytest.fixture(scope="module")
def product(shop: Shop, agency: Agency) -> Document:
    return dict(Ota(agency).ok("GET", f"/products/{day_ticket(shop, title={'en': 'Mill'})['id']}"))


@pytest.fixture(scope="module")
def walk(shop: Shop, agency: Agency) -> Document:
    return dict(Ota(agency).ok("GET", f"/products/{tour(shop)['id']}"))


@pytest.fixture
def later(shop: Shop) -> Iterator[Shop]:
    """The clock may be moved, and is put back."""
    before = shop.clock.now
    yield shop
    shop.clock.now = before


ORDERS: tuple[tuple[dict[str, Any], str, str], ...] = (
    ({"productId": NOBODY}, "INVALID_PRODUCT_ID", NOBODY),
    ({"productId": "none"}, "INVALID_PRODUCT_ID", "none"),
    ({"productId": None}, "INVALID_PRODUCT_ID", ""),
    ({"optionId": NOBODY}, "INVALID_OPTION_ID", NOBODY),
    ({"optionId": "DEFAULT"}, "INVALID_OPTION_ID", "DEFAULT"),
    ({"availabilityId": NOBODY}, "INVALID_AVAILABILITY_ID", NOBODY),
    ({"availabilityId": "2026-07-02T00:00:00+02:00"}, "INVALID_AVAILABILITY_ID", "2026-07-02T00:00:00+02:00"),
    ({"unitItems": [{"unitId": NOBODY}]}, "INVALID_UNIT_ID", NOBODY),
    ({"unitItems": [{"unitId": "adult"}]}, "INVALID_UNIT_ID", "adult"),
    ({"unitItems": [{}]}, "INVALID_UNIT_ID", ""),
    ({"uuid": "mine"}, "INVALID_BOOKING_UUID", "mine"),
)
MEMBERS = {
    "INVALID_PRODUCT_ID": "productId",
    "INVALID_OPTION_ID": "optionId",
    "INVALID_UNIT_ID": "unitId",
    "INVALID_AVAILABILITY_ID": "availabilityId",
    "INVALID_BOOKING_UUID": "uuid",
}


@pytest.mark.parametrize("changes, error, value", ORDERS)
def test_a_wrong_id_of_an_order_is_named(
    ota: Ota, product: Document, changes: dict[str, Any], error: str, value: str
) -> None:
    answer = ota.refused("POST", "/bookings", {**ota.order(product), **changes})
    assert (answer["error"], answer[MEMBERS[error]]) == (error, value)


def test_the_second_unit_is_named_when_it_is_the_wrong_one(ota: Ota, product: Document) -> None:
    units = [{"unitId": product["options"][0]["units"][0]["id"]}, {"unitId": NOBODY}]
    answer = ota.refused("POST", "/bookings", ota.order(product, unitItems=units))
    assert (answer["error"], answer["unitId"]) == ("INVALID_UNIT_ID", NOBODY)


def test_a_slot_of_another_product_or_option_is_not_meant(
    ota: Ota, product: Document, walk: Document
) -> None:
    slot = ota.slots(walk)[0]
    answer = ota.refused("POST", "/bookings", ota.order(product, slot))
    assert (answer["error"], answer["availabilityId"]) == ("INVALID_AVAILABILITY_ID", slot["id"])
    mixed = {**ota.order(walk, slot), "productId": product["id"]}
    assert ota.refused("POST", "/bookings", mixed)["error"] == "INVALID_OPTION_ID"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"localDateStart": "2026-07-02"},
        {"localDateStart": "2026-07-03", "localDateEnd": "2026-07-02"},
        {"localDateStart": "2026-07-03", "localDateEnd": "2028-07-02"},
        {"localDateStart": "tomorrow", "localDateEnd": "2026-07-02"},
        {"localDateStart": "2026-07-02", "localDateEnd": "2026-07-02", "units": [{"id": "x"}]},
    ],
)
@pytest.mark.parametrize("path", ["/availability", "/availability/calendar"])
def test_days_that_are_none_are_refused(ota: Ota, product: Document, path: str, body: dict[str, Any]) -> None:
    which = {"productId": product["id"], "optionId": product["options"][0]["id"]}
    assert ota.refused("POST", path, {**which, **body})["error"] == "BAD_REQUEST"


def test_what_is_asked_of_nothing_says_of_what(ota: Ota, product: Document) -> None:
    days = {"localDateStart": "2026-07-02", "localDateEnd": "2026-07-02"}
    which = {"productId": product["id"], "optionId": product["options"][0]["id"], **days}
    for changes, error in (
        ({"productId": NOBODY}, "INVALID_PRODUCT_ID"),
        ({"optionId": NOBODY}, "INVALID_OPTION_ID"),
        ({"units": [{"id": NOBODY, "quantity": 1}]}, "INVALID_UNIT_ID"),
    ):
        assert ota.refused("POST", "/availability", {**which, **changes})["error"] == error
    assert ota.refused("GET", f"/products/{NOBODY}")["productId"] == NOBODY
    for deed in ("", "/confirm", "/extend", "/cancel"):
        for name in (NOBODY, "nothing"):
            method = "POST" if deed else "GET"
            answer = ota.refused(method, f"/bookings/{name}{deed}", {} if deed else None)
            assert (answer["error"], answer["uuid"]) == ("INVALID_BOOKING_UUID", name)
    assert ota.refused("GET", "/bookings")["error"] == "BAD_REQUEST"
    assert ota.refused("GET", "/bookings?localDateStart=2026-07-01")["error"] == "BAD_REQUEST"


def test_the_same_request_is_the_same_booking_and_another_is_refused(ota: Ota, product: Document) -> None:
    body = ota.order(product, count=2)
    slot_id = body["availabilityId"]
    first = ota.ok("POST", "/bookings", body)
    left = ota.slots(product, availabilityIds=[slot_id])[0]["vacancies"]
    assert ota.ok("POST", "/bookings", {**body, "unknownToUs": 1}) == first
    for changes in ({"unitItems": body["unitItems"][:1]}, {"resellerReference": "other"}):
        answer = ota.refused("POST", "/bookings", {**body, **changes})
        assert (answer["error"], answer["uuid"]) == ("INVALID_BOOKING_UUID", body["uuid"])
    assert ota.slots(product, availabilityIds=[slot_id])[0]["vacancies"] == left
    confirmed = ota.ok("POST", f"/bookings/{body['uuid']}/confirm", {"contact": LEAD})
    # by then it is confirmed, and so it is told
    assert ota.ok("POST", "/bookings", body) == confirmed


def test_a_uuid_is_each_reseller_s_own(shop: Shop, ota: Ota, product: Document) -> None:
    credit = [{"currency": "EUR", "limit": 1_000_000}]
    other = Ota(Agency(shop, "Day Tours", credit=credit))
    body = ota.order(product)
    mine = ota.ok("POST", "/bookings", body)
    answer = other.refused("GET", f"/bookings/{body['uuid']}")
    assert answer["error"] == "INVALID_BOOKING_UUID"
    assert other.ok("POST", "/bookings", body)["id"] != mine["id"]
    reference = ota.reserved(product, resellerReference="MINE")["resellerReference"]
    assert other.ok("GET", f"/bookings?resellerReference={reference}") == []
    assert len(ota.ok("GET", f"/bookings?resellerReference={reference}")) == 1


def test_what_cannot_be_processed_says_so(later: Shop, ota: Ota, product: Document, walk: Document) -> None:
    unit = product["options"][0]["units"][0]["id"]
    slot = ota.slots(product, "2026-07-05")[0]
    for order in (
        ota.order(product, slot, 11),  # more than there are, and than one may have
        ota.order(product, slot, currency="USD"),
        ota.order(product, slot, unitItems=[{"uuid": NOBODY, "unitId": unit}] * 2),
    ):
        assert ota.refused("POST", "/bookings", order)["error"] == "UNPROCESSABLE_ENTITY"
    ota.reserved(product, slot, 10)
    assert ota.refused("POST", "/bookings", ota.order(product, slot))["error"] == "UNPROCESSABLE_ENTITY"
    later.clock.move(hours=2)
    early = ota.slots(walk, "2026-07-01")[0]
    assert (early["status"], early["available"]) == ("CLOSED", False)  # two hours before, sales end
    assert ota.refused("POST", "/bookings", ota.order(walk, early))["error"] == "UNPROCESSABLE_ENTITY"
    held = ota.reserved(product)
    answer = ota.refused("POST", f"/bookings/{held['uuid']}/confirm", {"contact": {"fullName": "Ann"}})
    assert answer["error"] == "UNPROCESSABLE_ENTITY"
    sold = ota.confirmed(walk, ota.slots(walk, "2026-07-02")[1])
    assert sold["cancellable"]
    later.clock.move(hours=20)  # less than a day before, cancelling is over
    assert not ota.ok("GET", f"/bookings/{sold['uuid']}")["cancellable"]
    assert ota.refused("POST", f"/bookings/{sold['uuid']}/cancel", {})["error"] == "UNPROCESSABLE_ENTITY"


def test_what_is_refused_at_last_has_changed_nothing(ota: Ota, product: Document) -> None:
    held = ota.reserved(product, count=2)
    path, (first, second) = f"/bookings/{held['uuid']}", held["unitItems"]
    same = {"uuid": first["uuid"], "unitId": first["unitId"]}
    error = ota.refused("PATCH", path, {"unitItems": [same, same]})
    assert error["error"] == "UNPROCESSABLE_ENTITY"
    fewer = {"unitItems": [{"uuid": second["uuid"], "unitId": second["unitId"]}]}
    assert ota.refused("POST", f"{path}/confirm", fewer)["error"] == "UNPROCESSABLE_ENTITY"  # for whom?
    assert ota.ok("GET", path) == held
    sold = ota.ok("POST", f"{path}/confirm", {**fewer, "contact": LEAD})
    assert [each["uuid"] for each in sold["unitItems"]] == [second["uuid"]]
    over = ota.ok("POST", f"{path}/cancel")
    assert ota.refused("PATCH", path, {"notes": "late"})["error"] == "UNPROCESSABLE_ENTITY"
    assert ota.refused("POST", f"{path}/confirm", {"contact": LEAD})["error"] == "UNPROCESSABLE_ENTITY"
    assert ota.ok("GET", path) == over


def test_a_hold_is_extended_twice_at_most(later: Shop, ota: Ota, product: Document) -> None:
    held = ota.reserved(product)
    path = f"/bookings/{held['uuid']}/extend"
    # longer than is asked for already
    assert ota.ok("POST", path, {"expirationMinutes": 5})["utcExpiresAt"] == held["utcExpiresAt"]
    for _ in range(2):
        later.clock.move(minutes=1)
        assert ota.ok("POST", path)["utcExpiresAt"] > held["utcExpiresAt"]
    later.clock.move(minutes=1)
    assert ota.refused("POST", path)["error"] == "UNPROCESSABLE_ENTITY"


def test_who_may_not_is_told_in_the_same_shape(shop: Shop, product: Document) -> None:
    few = Agency(shop, "Few", ticketIds=[], maxHolds=1)
    ota = Ota(few)
    assert ota.ok("GET", "/products") == []
    assert ota.refused("GET", f"/products/{product['id']}")["error"] == "INVALID_PRODUCT_ID"
    few.change(ticketIds=[product["id"]])
    shop.clock.move(seconds=3)
    slot = ota.slots(product)[0]
    answer = ota.refused("POST", "/bookings", ota.order(product, slot))
    assert answer["error"] == "UNPROCESSABLE_ENTITY"  # it has no credit
    few.change(credit=[{"currency": "EUR", "limit": 100_000}])
    shop.clock.move(seconds=3)
    ota.reserved(product, slot)
    many = ota.call("POST", "/bookings", ota.order(product, slot))
    assert (many.status_code, many.json["error"]) == (429, "TOO_MANY_REQUESTS")
    assert many.headers["Retry-After"]
    reading = Ota(few)
    reading.key = few.new_key(scopes=["bookings:read"]).json["key"]
    assert reading.slots(product)
    answer = reading.refused("POST", "/bookings", reading.order(product, slot), status=403)
    assert answer["error"] == "FORBIDDEN"
    few.change(active=False)
    shop.clock.move(seconds=3)
    answer = ota.refused("POST", "/bookings", ota.order(product, slot), status=403)
    assert answer["error"] == "FORBIDDEN"
    for token in ("", "otk_wrong", shop.issuer.issue("platform_admin")):
        ota.key = token
        status, error = (403, "FORBIDDEN") if token.count(".") == 2 else (401, "UNAUTHORIZED")
        assert ota.refused("GET", "/supplier", status=status)["error"] == error


def test_an_address_or_method_that_there_is_not_is_told_in_the_same_shape(ota: Ota) -> None:
    assert ota.refused("GET", "/cart", status=404)["error"] == "NOT_FOUND"
    assert ota.refused("PUT", "/products", {}, status=405)["error"] == "METHOD_NOT_ALLOWED"
    for raw, kind in ((b"{", "application/json"), (b"{}", "text/plain"), (b"[]", "application/json")):
        answer = ota.call("POST", "/bookings", data=raw, content_type=kind)
        assert (answer.status_code, answer.json["error"]) == (400, "BAD_REQUEST")


def test_both_forms_of_an_address_and_what_is_unknown_are_taken(ota: Ota, product: Document) -> None:
    for path in ("/supplier", "/products", f"/products/{product['id']}", "/capabilities"):
        assert ota.ok("GET", f"{path}/") == ota.ok("GET", path) == ota.ok("GET", f"{path}?unknown=1")
    held = ota.ok("POST", "/bookings/", {**ota.order(product), "unknown": {"x": 1}})
    assert ota.ok("GET", f"/bookings/{held['uuid']}/") == ota.ok("GET", f"/bookings/{held['uuid']}")
    assert ota.ok("POST", f"/bookings/{held['uuid']}/cancel/")["status"] == "CANCELLED"
