"""Bookings over HTTP: bad input, keys, whose they are, and what staff see."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.http.ticketing.shop import CUSTOMER, UNKNOWN, Shop, item, pointers, refusal

KEY = "k" * 32


def lines(slot: dict[str, Any], **changes: Any) -> list[dict[str, Any]]:
    wanted = item(slot)
    return [{**wanted, "units": [{**wanted["units"][0], **changes}]}]


BAD_CUSTOMERS = [
    ({"name": ""}, "/customer/name", "TOO_SHORT"),
    ({"name": "x" * 201}, "/customer/name", "TOO_LONG"),
    ({"name": "a\rb"}, "/customer/name", "CONTROL_CHARACTER"),
    ({"email": "ann"}, "/customer/email", "INVALID"),
    ({"email": "ann@example.org\nBcc: x@y.org"}, "/customer/email", "CONTROL_CHARACTER"),
    ({"email": "a" * 250 + "@b.nl"}, "/customer/email", "INVALID"),
    ({"email": 5}, "/customer/email", "WRONG_TYPE"),
    ({"language": "xx"}, "/customer/language", "NOT_A_CHOICE"),
    ({"phone": "call me"}, "/customer/phone", "INVALID"),
    ({"age": 5}, "/customer/age", "UNKNOWN_FIELD"),
]


@pytest.mark.parametrize("change,pointer,code", BAD_CUSTOMERS)
def test_a_customer_that_cannot_be_names_the_field(
    shop: Shop, change: dict[str, Any], pointer: str, code: str
) -> None:
    slot = shop.slots(shop.ticket())[0]
    answer = shop.hold(item(slot), customer={**CUSTOMER, **change})
    assert answer.status_code == 422
    assert (pointer, code) in pointers(answer)


@pytest.mark.parametrize(
    "change,pointer,code",
    [
        ({"quantity": 0}, "/items/0/units/0/quantity", "OUT_OF_RANGE"),
        ({"quantity": 1001}, "/items/0/units/0/quantity", "OUT_OF_RANGE"),
        ({"quantity": 1000}, "/items/0/units/0/quantity", "TOO_MANY_UNITS"),
        ({"quantity": 1.5}, "/items/0/units/0/quantity", "WRONG_TYPE"),
        ({"unitId": str(UNKNOWN)}, "/items/0/units/0/unitId", "UNKNOWN_UNIT"),
        ({"price": 1}, "/items/0/units/0/price", "UNKNOWN_FIELD"),
    ],
)
def test_units_that_cannot_be_name_the_field(
    shop: Shop, change: dict[str, Any], pointer: str, code: str
) -> None:
    slots = shop.slots(shop.ticket())
    answer = shop.hold(*lines(slots[0], **change))
    assert answer.status_code == 422
    assert (pointer, code) in pointers(answer)
    path = f"/tickets/{slots[0]['ticketId']}/availability"
    assert shop.call("GET", path).json["data"][0]["vacancies"] == 10


def test_a_sale_that_cannot_be_is_refused_with_its_place(shop: Shop) -> None:
    slots = shop.slots(shop.ticket(), capacity=2)
    good, unknown = item(slots[0]), {**item(slots[0]), "slotId": str(UNKNOWN)}
    answer = shop.hold(good, unknown)
    assert (answer.status_code, pointers(answer)) == (404, [("/items/1/slotId", "SLOT_NOT_FOUND")])
    assert refusal(shop.hold(item(slots[0], 3))) == (409, "SOLD_OUT")
    assert refusal(shop.hold()) == (422, "VALIDATION_FAILED")
    wrong_total = {"amount": 1, "currency": "EUR"}
    price = shop.hold(good, expectedTotal=wrong_total)
    assert refusal(price) == (409, "PRICE_CHANGED")
    assert price.json["total"] == {"amount": 1250, "currency": "EUR"}
    for url in (
        "http://evil.test/",
        "http://shop.test:3001.evil.test/",
        "javascript:alert(1)",
        "//evil.test",
    ):
        assert refusal(shop.hold(good, returnUrl=url)) == (422, "RETURN_URL_NOT_ALLOWED")
    assert shop.hold(good, returnUrl="http://shop.test:3001/done").status_code == 201
    shop.clock.move(days=3)
    assert refusal(shop.hold(good)) == (409, "CUTOFF_PASSED")


@pytest.mark.parametrize(
    "how,status,code",
    [
        ({"data": b"{"}, 400, "MALFORMED_JSON"),
        ({"data": b"[" * 100_000}, 400, "MALFORMED_JSON"),
        ({"data": b"{}", "content_type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"data": b'"' + b"x" * 5_000_000 + b'"'}, 413, "CONTENT_TOO_LARGE"),
        ({"data": b"[]"}, 422, "VALIDATION_FAILED"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    shop: Shop, how: dict[str, Any], status: int, code: str
) -> None:
    how = {"content_type": "application/json", **how}
    answer = shop.call("POST", "/bookings", headers={"Idempotency-Key": KEY}, **how)
    assert refusal(answer) == (status, code)


def test_a_key_gives_one_effect_and_the_same_answer(shop: Shop) -> None:
    slot = shop.slots(shop.ticket())[0]
    assert refusal(shop.call("POST", "/bookings", {})) == (400, "IDEMPOTENCY_KEY_REQUIRED")
    assert refusal(shop.hold(item(slot), key="short")) == (400, "IDEMPOTENCY_KEY_MALFORMED")
    first = shop.hold(item(slot), key=KEY)
    again = shop.hold(item(slot), key=KEY)
    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Location"] == first.headers["Location"]
    assert refusal(shop.hold(item(slot, 2), key=KEY)) == (422, "IDEMPOTENCY_KEY_REUSED")
    path = f"/tickets/{slot['ticketId']}/availability"
    assert shop.call("GET", path).json["data"][0]["vacancies"] == 9


def test_a_guest_has_three_holds_an_address_and_ten_a_client(shop: Shop) -> None:
    slot = shop.slots(shop.ticket(), capacity=100)[0]
    for _ in range(3):
        assert shop.hold(item(slot)).status_code == 201
    fourth = shop.hold(item(slot))
    assert refusal(fourth) == (429, "TOO_MANY_HOLDS")
    assert fourth.headers["Retry-After"] == "60"
    for number in range(7):
        customer = {**CUSTOMER, "email": f"guest{number}@example.org"}
        assert shop.hold(item(slot), customer=customer).status_code == 201
    eleventh = shop.hold(item(slot), customer={**CUSTOMER, "email": "guest9@example.org"})
    assert refusal(eleventh) == (429, "TOO_MANY_HOLDS")
    assert shop.hold(item(slot), role="support").status_code == 201


def test_a_booking_is_there_for_its_holder_its_customer_and_support_alone(shop: Shop) -> None:
    slot = shop.slots(shop.ticket())[0]
    mine, other = shop.hold(item(slot)).json, shop.hold(item(slot)).json
    path = f"/bookings/{mine['id']}"
    assert shop.call("GET", path, token=mine["accessToken"]).status_code == 200
    assert shop.call("GET", path, role="support").json["channel"] == "web"
    foreign = other["accessToken"]
    attempts: tuple[tuple[str, str, Any], ...] = (
        ("GET", "", None),
        ("PATCH", "", {"customer": {"name": "Eve"}}),
        ("POST", "/extend", None),
        ("POST", "/cancel", {"reason": "x"}),
        ("POST", "/payment", None),
        ("POST", "/confirm", None),
        ("GET", "/admissions", None),
    )
    for method, rest, body in attempts:
        answer = shop.call(method, path + rest, body, token=foreign)
        assert refusal(answer) == (404, "BOOKING_NOT_FOUND"), rest
    assert refusal(shop.call("GET", f"{path}/pay?t=abc")) == (404, "BOOKING_NOT_FOUND")
    forged = mine["accessToken"][:-2] + ("AA" if mine["accessToken"][-2:] != "AA" else "BB")
    assert refusal(shop.call("GET", path, token=forged)) == (401, "TOKEN_INVALID")
    ann = shop.issuer.issue("customer", subject="ann")
    own = shop.hold(item(slot), token=ann).json
    assert shop.call("GET", f"/bookings/{own['id']}", token=ann).status_code == 200
    assert refusal(shop.call("GET", path, token=ann)) == (404, "BOOKING_NOT_FOUND")
    shop.clock.move(days=40)
    assert refusal(shop.call("GET", path, token=mine["accessToken"])) == (401, "TOKEN_EXPIRED")


def test_finance_lists_bookings_without_contact_and_support_with_it(shop: Shop) -> None:
    slot = shop.slots(shop.ticket())[0]
    customer = {**CUSTOMER, "name": "=HYPERLINK(1)"}
    made = shop.hold(item(slot), customer=customer).json
    found = shop.call("GET", f"/bookings?reference={made['reference'].lower()}", role="finance").json
    assert [each["customer"] for each in found["data"]] == [None]
    refused = shop.call("GET", "/bookings?email=ann@example.org", role="finance")
    assert refusal(refused) == (403, "FORBIDDEN")
    listed = shop.call("GET", "/bookings?status=on_hold&email=ANN@example.org", role="support").json
    assert [each["customer"]["name"] for each in listed["data"]] == ["=HYPERLINK(1)"]
    accepts = {"Accept": "text/csv"}
    sheet = shop.call("GET", "/bookings", role="support", headers=accepts)
    assert sheet.content_type.startswith("text/csv")
    assert "'=HYPERLINK(1)" in sheet.text
    assert "example.org" not in shop.call("GET", "/bookings", role="finance", headers=accepts).text


def test_a_lookup_always_says_the_same_and_mails_at_most_three_times_an_hour(shop: Shop) -> None:
    shop.hold(item(shop.slots(shop.ticket())[0]))

    def waiting() -> int:
        return shop.ports.store.outbox.depth(shop.clock())[0]

    before = waiting()
    answers = [shop.call("POST", "/bookings/lookup", {"email": "ann@example.org"}) for _ in range(5)]
    answers.append(shop.call("POST", "/bookings/lookup", {"email": "nobody@example.org"}))
    assert {(each.status_code, each.data) for each in answers} == {(202, answers[0].data)}
    assert waiting() - before == 4
    shop.clock.move(hours=1)
    shop.call("POST", "/bookings/lookup", {"email": "Ann@example.org", "reference": "K7QF-2MHP"})
    assert waiting() - before == 5


def test_a_free_booking_is_confirmed_without_the_payment_module(shop: Shop) -> None:
    ticket = shop.ticket()
    unit = {"type": "ADULT", "title": {"en": "Adult"}, "price": {"amount": 0, "currency": "EUR"}}
    options = [{"title": {"en": "Standard"}, "default": True, "units": [unit]}]
    tag = {"If-Match": '"1"'}
    path = f"/tickets/{ticket['id']}"
    ticket = shop.call("PATCH", path, {"options": options}, role="ticket_manager", headers=tag).json
    held = shop.hold(item(shop.slots(ticket)[0])).json
    assert held["payment"] == {"status": "none", "paymentUrl": None}
    token = held["accessToken"]
    payment = shop.call("POST", f"/bookings/{held['id']}/payment", token=token)
    assert refusal(payment) == (409, "PAYMENT_NOT_NEEDED")
    confirmed = shop.call("POST", f"/bookings/{held['id']}/confirm", token=token)
    assert confirmed.json["status"] == "confirmed"


def test_revenue_is_added_up_and_bounded(shop: Shop, sandbox: Any) -> None:
    shop.paid(sandbox, item(shop.slots(shop.ticket())[0], 2))
    found = shop.call("GET", "/revenue?from=2026-07-01&to=2026-07-31&groupBy=type", role="finance").json
    row = next(row for row in found["data"] if row["key"] == "single")
    assert (row["bookings"], row["units"]) == (1, 2)
    assert (row["sales"]["amount"], row["refunds"]["amount"]) == (2000, 0)
    sheet = shop.call("GET", "/revenue/export.csv?from=2026-07-01&to=2026-07-31", role="finance")
    assert sheet.text.startswith(
        "key,currency,bookings,units,sales,fees,refunds,commission\r\n2026-07-01,EUR,1,"
    )
    for query in ("", "from=2026-07-01", "from=2026-07-02&to=2026-07-01", "from=2024-01-01&to=2026-07-01"):
        assert shop.call("GET", f"/revenue?{query}", role="finance").status_code == 422


def test_a_cancelled_slot_takes_no_more_sales(shop: Shop) -> None:
    slot = shop.slots(shop.ticket())[0]
    path, key = f"/slots/{slot['id']}/cancel", {"Idempotency-Key": uuid.uuid4().hex}
    first = shop.call("POST", path, {"reason": "storm"}, role="ticket_manager", headers=key)
    assert first.json["status"] == "closed"
    again = shop.call("POST", path, {"reason": "storm"}, role="ticket_manager", headers=key)
    assert again.data == first.data
    assert refusal(shop.hold(item(slot))) == (409, "SLOT_CLOSED")
