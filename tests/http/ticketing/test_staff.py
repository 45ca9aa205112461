"""What staff do over HTTP: vouchers with limits, slots, keys on every POST, and files for spreadsheets."""

from __future__ import annotations

import csv
import io
import uuid
from dataclasses import replace
from typing import Any

import pytest
from openapi_spec_validator import validate
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

from tests.http.ticketing.shop import CUSTOMER, Shop, item, pointers, refusal, ticket
from tests.sandbox.running import SandboxProcess
from ticketing_service.clients.payment_module import HttpPaymentModule
from ticketing_service.routes import bookings as bookings_routes
from ticketing_service.tasks import handlers

STAFF: dict[str, Any] = {"role": "ticket_manager"}
LAST = "2026-07-04"
VOUCHER = {
    "code": "SUMMER", "percentBasisPoints": 5000, "validFrom": "2026-07-01T00:00:00Z",
    "validUntil": "2026-07-02T00:00:00Z",
}  # fmt: skip


def key() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_the_description_of_the_api_is_valid_openapi(shop: Shop) -> None:
    document = shop.call("GET", "/openapi.json").json
    validate(document)
    document["paths"]["/api/v1/tickets"]["get"]["responses"]["200"]["content"] = {"application/json": 5}
    with pytest.raises(OpenAPIValidationError):
        validate(document)


def test_a_voucher_is_limited_for_each_customer_and_in_time(any_shop: Shop) -> None:
    shop = any_shop
    slot = shop.slots(shop.ticket(), dateTo=LAST)[3]
    body = {**VOUCHER, "maxUsesPerCustomer": 1, "maxUses": 3}
    assert shop.call("POST", "/vouchers", body, **STAFF).status_code == 201

    def hold(email: str) -> Any:
        return shop.hold(item(slot), voucherCode="SUMMER", customer={**CUSTOMER, "email": email})

    assert hold("ann@example.org").json["price"]["discount"]["amount"] == 500
    assert refusal(hold("ANN@example.org")) == (409, "VOUCHER_EXHAUSTED")
    assert hold("bob@example.org").status_code == 201
    shop.clock.move(hours=16)
    assert refusal(hold("cat@example.org")) == (409, "VOUCHER_NOT_VALID")
    shop.clock.move(hours=-16 - 9)
    assert refusal(hold("cat@example.org")) == (409, "VOUCHER_NOT_VALID")


@pytest.mark.parametrize("path", ["/tickets", "/vouchers"])
def test_a_key_makes_one_and_answers_the_same(any_shop: Shop, path: str) -> None:
    body = ticket() if path == "/tickets" else VOUCHER
    one = key()
    first = any_shop.call("POST", path, body, headers=one, **STAFF)
    again = any_shop.call("POST", path, body, headers=one, **STAFF)
    assert (first.status_code, again.status_code, again.data) == (201, 201, first.data)
    assert again.headers["ETag"] == first.headers["ETag"]
    assert len(any_shop.call("GET", path, **STAFF).json["data"]) == 1
    other = {**body, "title": {"en": "X"}} if path == "/tickets" else {**VOUCHER, "code": "OTHER"}
    reused = any_shop.call("POST", path, other, headers=one, **STAFF)
    assert refusal(reused) == (422, "IDEMPOTENCY_KEY_REUSED")


def test_a_cancellation_with_a_key_gives_back_once(any_shop: Shop, sandbox: SandboxProcess) -> None:
    shop = any_shop
    booking = shop.paid(sandbox, item(shop.slots(shop.ticket(), dateTo=LAST)[3], 2))
    path, token, one = f"/bookings/{booking['id']}/cancel", booking["accessToken"], key()
    units = [unit["id"] for unit in booking["items"][0]["units"]]
    body = {"reason": "ill", "unitItemIds": units[:1]}
    first = shop.call("POST", path, body, token=token, headers=one)
    again = shop.call("POST", path, body, token=token, headers=one)
    assert (first.status_code, again.status_code, again.data) == (200, 200, first.data)
    reused = shop.call("POST", path, {**body, "unitItemIds": units[1:]}, token=token, headers=one)
    assert refusal(reused) == (422, "IDEMPOTENCY_KEY_REUSED")
    read = shop.call("GET", f"/bookings/{booking['id']}", token=token).json
    assert len(read["refunds"]) == 1


def test_a_change_that_is_sold_out_leaves_the_old_hold_as_it_was(any_shop: Shop) -> None:
    shop = any_shop
    slots = shop.slots(shop.ticket(), capacity=3, dateTo=LAST)
    held = shop.hold(item(slots[0], 2)).json
    other = shop.hold(item(slots[1], 2), customer={**CUSTOMER, "email": "b@example.org"})
    assert other.status_code == 201
    path, token = f"/bookings/{held['id']}", held["accessToken"]
    both = {"items": [item(slots[2]), item(slots[1], 2)]}
    assert refusal(shop.call("PATCH", path, both, token=token)) == (409, "SOLD_OUT")
    wrong = {"items": [item(slots[2])], "expectedTotal": {"amount": 1, "currency": "EUR"}}
    assert refusal(shop.call("PATCH", path, wrong, token=token)) == (409, "PRICE_CHANGED")
    assert shop.call("GET", path, token=token).json == {
        name: value for name, value in held.items() if name != "accessToken"
    }
    left = shop.call("GET", f"/tickets/{slots[0]['ticketId']}/availability").json["data"]
    assert [each["vacancies"] for each in left[:3]] == [1, 1, 3]


def test_a_price_that_changed_counts_for_the_next_hold_and_a_closed_slot_sells_nothing(shop: Shop) -> None:
    slots = shop.slots(shop.ticket(), dateTo=LAST)
    held = shop.hold(item(slots[0], 4)).json
    path = f"/slots/{slots[0]['id']}"
    below = shop.call("PATCH", path, {"capacity": 3, "multiplier": 2}, **STAFF)
    assert refusal(below) == (409, "CAPACITY_BELOW_TAKEN")
    assert shop.call("PATCH", path, {"capacity": 5, "multiplier": "2"}, **STAFF).json["vacancies"] == 1
    shown = shop.call("GET", f"/bookings/{held['id']}", token=held["accessToken"]).json
    assert shown["price"] == held["price"]
    assert shop.hold(item(slots[0])).json["price"]["items"]["amount"] == 2000
    assert shop.call("PATCH", path, {"capacity": 9, "closed": True}, **STAFF).json["status"] == "closed"
    assert refusal(shop.hold(item(slots[0]))) == (409, "SLOT_CLOSED")
    assert shop.call("PATCH", path, {"closed": False}, **STAFF).json["status"] != "closed"
    assert shop.hold(item(slots[0])).status_code == 201


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_needs_the_tag_of_what_was_read(any_shop: Shop, method: str) -> None:
    path = f"/tickets/{any_shop.ticket()['id']}"
    body = None if method == "DELETE" else ticket() if method == "PUT" else {"title": {"en": "X"}}
    assert refusal(any_shop.call(method, path, body, **STAFF)) == (428, "PRECONDITION_REQUIRED")
    for tag, status, code in (
        ('W/"1"', 400, "IF_MATCH_MALFORMED"),
        ("*", 400, "IF_MATCH_MALFORMED"),
        ('"2"', 412, "VERSION_CONFLICT"),
    ):
        answer = any_shop.call(method, path, body, headers={"If-Match": tag}, **STAFF)
        assert refusal(answer) == (status, code)
    good = any_shop.call(method, path, body, headers={"If-Match": '"1"'}, **STAFF)
    assert good.status_code in (200, 204)


def test_a_slot_that_the_destination_cancels_is_given_back_whole_and_told(
    any_shop: Shop, sandbox: SandboxProcess
) -> None:
    shop = any_shop
    slot = shop.slots(shop.ticket(refundPolicy=[{"hoursBefore": 0, "percent": 0}]), dateTo=LAST)[2]
    booking = shop.paid(sandbox, item(slot, 2))
    assert booking["price"]["total"]["amount"] == 2250
    work_off(shop)
    mails = {path.name for path in mail_folder(shop).glob("*.eml")}
    answer = shop.call("POST", f"/slots/{slot['id']}/cancel", {"reason": "storm at sea"}, **STAFF)
    assert answer.json["status"] == "closed"
    work_off(shop)
    path = f"/bookings/{booking['id']}"
    read = shop.call("GET", path, token=booking["accessToken"]).json
    assert (read["status"], sum(each["amount"]["amount"] for each in read["refunds"])) == ("cancelled", 2250)
    payment = shop.ports.store.payments.of_booking(uuid.UUID(booking["id"]))[0]
    assert sum(each["amount"] for each in sandbox.read(str(payment.provider_id))["refunds"]) == 2250
    told = [path for path in mail_folder(shop).glob("*.eml") if path.name not in mails]
    assert told
    assert any(CUSTOMER["email"] in path.read_text() for path in told)


def test_with_the_payment_module_away_payers_and_webhooks_are_asked_to_come_again(shop: Shop) -> None:
    held = shop.hold(item(shop.slots(shop.ticket(), dateTo=LAST)[0])).json
    token = held["accessToken"]
    assert shop.call("POST", f"/bookings/{held['id']}/payment", token=token).status_code == 200
    module, away = shop.ports.payment_module, HttpPaymentModule("http://127.0.0.1:9", "x" * 20)
    object.__setattr__(shop.ports, "payment_module", away)
    pay = held["payment"]["paymentUrl"].partition("/api/v1")[2]
    hint = {"paymentId": "x", "resourceId": held["id"]}
    confirm = shop.call("POST", f"/bookings/{held['id']}/confirm", token=token)
    for answer in (shop.call("GET", pay), shop.webhook(hint), confirm):
        assert refusal(answer) == (503, "PAYMENT_UNAVAILABLE")
        assert answer.headers["Retry-After"] == "5"
    assert shop.call("GET", f"/bookings/{held['id']}", token=token).json["status"] == "on_hold"
    object.__setattr__(shop.ports, "payment_module", module)
    assert shop.call("GET", pay).status_code == 303


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", " =1+1", '=HYPERLINK("http://x")')


def test_no_cell_of_a_file_is_a_formula(shop: Shop, sandbox: SandboxProcess) -> None:
    slot = shop.slots(shop.ticket(title={"en": "=cmd|' /C calc'!A0"}), dateTo=LAST)[1]
    for number, name in enumerate(FORMULAS):
        customer = {**CUSTOMER, "name": name, "email": f"=a{number}@example.org", "phone": "+31 15 1"}
        assert shop.hold(item(slot), customer=customer).status_code == 201
    shop.paid(sandbox, item(slot))
    listed = shop.call("GET", "/bookings", role="support", headers={"Accept": "text/csv"})
    period = "/revenue/export.csv?from=2026-07-01&to=2026-07-31&groupBy="
    files = [
        listed,
        *(shop.call("GET", period + group, role="finance") for group in ("day", "ticket", "unit")),
    ]
    for answer in files:
        assert answer.headers["Content-Disposition"].startswith("attachment")
        table = rows(answer.text)
        assert len(table) > 1
        for cell in (cell for row in table for cell in row):
            number = cell.lstrip("-").isdigit()
            assert number or not cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")), cell
    assert {f"'{name}" for name in FORMULAS} <= {cell for row in rows(listed.text) for cell in row}


def test_a_file_of_bookings_is_whole_or_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    slot = shop.slots(shop.ticket(), dateTo=LAST)[1]
    for _ in range(3):
        assert shop.hold(item(slot), role="support").status_code == 201
    csv_wanted: dict[str, Any] = {"role": "support", "headers": {"Accept": "text/csv"}}
    # However small the page asked for: all of them.
    assert len(rows(shop.call("GET", "/bookings?limit=1", **csv_wanted).text)) == 4
    monkeypatch.setattr(bookings_routes, "MAX_CSV_ROWS", 2)
    assert pointers(shop.call("GET", "/bookings", **csv_wanted)) == [("?createdFrom", "OUT_OF_RANGE")]


def mail_folder(shop: Shop) -> Any:
    return shop.settings.data_dir / "mail"


def work_off(shop: Shop) -> None:
    """What the worker would do, in this thread."""
    do, outbox = handlers(shop.ports), shop.ports.store.outbox
    while True:
        now = shop.clock()
        tasks = outbox.claim(now, now.replace(year=now.year + 1), 10)
        if not tasks:
            return
        for task in tasks:
            do[task.kind](replace(task, attempts=2))
            outbox.done(task.id)
