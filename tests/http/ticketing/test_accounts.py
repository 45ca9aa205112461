"""Resellers over HTTP: net prices, what they owe, and tests that cost nothing."""

from __future__ import annotations

import uuid

from tests.http.ticketing.agency import ADMIN, LAST, Agency, amount, priced_slots
from tests.http.ticketing.shop import Shop, item, refusal

CREDIT = [{"currency": "EUR", "limit": 1600}]


def test_a_reseller_buys_at_net_prices_on_account(any_shop: Shop) -> None:
    shop = any_shop
    slot = priced_slots(shop, 1000)[3]
    agency = Agency(shop, markupBasisPoints=1000, netBasisPoints=8000, credit=CREDIT)
    quote = agency.call("POST", "/availability/check", {"items": [item(slot, 2)]}).json
    assert amount(quote["price"]["total"]) == 2200
    held = agency.hold(item(slot, 2), expectedTotal={"amount": 2200, "currency": "EUR"}).json
    path = f"/bookings/{held['id']}"
    assert held["payment"] == {"status": "none", "paymentUrl": None}
    assert {name: amount(held["resale"][name]) for name in held["resale"]} == {
        "net": 1600,
        "commission": 600,
    }
    assert refusal(agency.call("POST", f"{path}/payment")) == (409, "PAYMENT_NOT_NEEDED")
    assert refusal(agency.hold(item(slot))) == (409, "CREDIT_EXHAUSTED")
    confirmed = agency.call("POST", f"{path}/confirm").json
    assert (confirmed["status"], confirmed["payment"]["status"]) == ("confirmed", "on_account")
    # its customer pays the reseller, and sees nothing of what is between the two of us
    assert "resale" not in shop.call("GET", path, token=held["accessToken"]).json
    assert "resale" in shop.call("GET", path, role="support").json
    (row,) = shop.call("GET", "/revenue?from=2026-07-01&to=2026-07-01&groupBy=channel", role="finance").json[
        "data"
    ]
    assert (row["key"], amount(row["sales"]), amount(row["fees"])) == ("reseller", 1600, 0)
    day = "from=2026-07-01&to=2026-07-01&groupBy=reseller"
    (row,) = shop.call("GET", f"/revenue?{day}", role="finance").json["data"]
    assert (row["key"], amount(row["sales"])) == (agency.id, 1600)
    sheet = shop.call("GET", f"/revenue/export.csv?{day}&resellerId={agency.id}", role="finance")
    assert sheet.text.splitlines()[1:] == [f"{agency.id},EUR,1,2,1600,0,0,{row['commission']['amount']}"]
    (account,) = shop.call("GET", agency.path, **ADMIN).json["credit"]
    assert {name: amount(account[name]) for name in account} == {
        "limit": 1600, "paid": 0, "used": 1600, "open": 1600,
    }  # fmt: skip


def test_what_a_reseller_has_paid_is_credit_again(any_shop: Shop) -> None:
    shop = any_shop
    slot = priced_slots(shop, 1000)[3]
    agency = Agency(shop, credit=[{"currency": "EUR", "limit": 1000}])
    booking = agency.hold(item(slot)).json
    assert agency.call("POST", f"/bookings/{booking['id']}/confirm").status_code == 200
    less = agency.change(credit=[{"currency": "EUR", "limit": 999}])
    assert refusal(less) == (409, "CREDIT_BELOW_USED")
    assert (less.json["used"], less.json["errors"][0]["pointer"]) == (1000, "/credit/0/limit")
    # an account that is not named any more has nothing left to give, but what stands open stands
    assert refusal(agency.change(credit=[])) == (409, "CREDIT_BELOW_USED")
    paid = agency.change(credit=[{"currency": "EUR", "limit": 1000, "paid": 1000}]).json["credit"][0]
    assert (amount(paid["open"]), amount(paid["used"])) == (0, 1000)
    assert agency.hold(item(slot)).status_code == 201
    twice = {"credit": [*CREDIT, *CREDIT]}
    assert refusal(agency.change(**twice)) == (422, "VALIDATION_FAILED")


def test_a_reseller_cancels_and_owes_it_no_more(any_shop: Shop) -> None:
    slot = priced_slots(any_shop, 1000)[3]
    agency = Agency(any_shop, credit=[{"currency": "EUR", "limit": 2000}])
    booking = agency.hold(item(slot, 2)).json
    path = f"/bookings/{booking['id']}"
    assert agency.call("POST", f"{path}/confirm").status_code == 200
    units = [unit["id"] for unit in booking["items"][0]["units"]]
    part = agency.call("POST", f"{path}/cancel", {"reason": "ill", "unitItemIds": units[:1]}).json
    assert (part["status"], part["refunds"], part["payment"]["status"]) == ("confirmed", [], "on_account")
    (account,) = any_shop.call("GET", agency.path, **ADMIN).json["credit"]
    assert amount(account["open"]) == 1000
    assert agency.call("POST", f"{path}/cancel", {"reason": "ill"}).json["status"] == "cancelled"
    (account,) = any_shop.call("GET", agency.path, **ADMIN).json["credit"]
    assert amount(account["open"]) == 0


def test_a_test_goes_through_everything_and_is_told_from_what_is_real(any_shop: Shop) -> None:
    shop = any_shop
    slot = priced_slots(shop, 1000, capacity=3)[3]
    agency = Agency(shop, credit=[{"currency": "EUR", "limit": 3000}])
    key = agency.new_key(isTest=True).json["key"]
    same = "s" * 16
    real = agency.hold(item(slot), key=same).json
    held = shop.hold(item(slot, 2), token=key, key=same).json
    assert (real["isTest"], held["isTest"]) == (False, True)
    assert refusal(shop.hold(item(slot, 3), token=key)) == (409, "SOLD_OUT")
    path = f"/bookings/{held['id']}"
    confirmed = shop.call("POST", f"{path}/confirm", token=key).json
    assert (confirmed["status"], confirmed["isTest"]) == ("confirmed", True)
    days = f"/tickets/{slot['ticketId']}/availability?from={LAST}&to={LAST}"
    assert shop.call("GET", days).json["data"][0]["vacancies"] == 2
    (account,) = shop.call("GET", agency.path, **ADMIN).json["credit"]
    assert amount(account["used"]) == 1000
    # each key finds its own kind
    for token, booking_id, other in ((key, held["id"], real["id"]), (agency.key, real["id"], held["id"])):
        assert [each["id"] for each in shop.call("GET", "/bookings", token=token).json["data"]] == [
            booking_id
        ]
        assert refusal(shop.call("GET", f"/bookings/{other}", token=token)) == (404, "BOOKING_NOT_FOUND")
    assert len(shop.call("GET", "/bookings", role="support").json["data"]) == 2
    shown = shop.call("GET", f"{path}/admissions", token=held["accessToken"]).json["data"]
    ticket = shop.call("GET", f"/tickets/{slot['ticketId']}").json
    scan = {"code": shown[0]["code"], "poiId": ticket["poiId"], "scanId": str(uuid.uuid4())}
    assert refusal(shop.call("POST", "/redemptions", scan, role="gate")) == (409, "TEST")
    assert shop.call("POST", f"{path}/cancel", {"reason": "done"}, token=key).json["status"] == "cancelled"
