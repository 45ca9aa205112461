"""Tickets, slots, vouchers and quotes over HTTP."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.http.ticketing.shop import (
    MUSEUM,
    TODAY,
    TOWER,
    UNKNOWN,
    Reply,
    Shop,
    item,
    pointers,
    refusal,
    ticket,
)
from ticketing_service.domain.platform import Platform
from ticketing_service.domain.pricing import SalePolicy

STAFF: dict[str, Any] = {"role": "ticket_manager"}


def with_tag(tag: str) -> dict[str, Any]:
    return {"headers": {"If-Match": tag}, **STAFF}


def test_a_ticket_is_read_in_the_language_asked_for(any_shop: Shop) -> None:
    made = any_shop.ticket()
    assert made["texts"]["title"] == {"en": "Tower", "nl": "Toren"}
    path = f"/tickets/{made['id']}"
    dutch = any_shop.call("GET", path, headers={"Accept-Language": "nl-NL,en;q=0.5"})
    assert (dutch.json["title"], dutch.headers["Content-Language"]) == ("Toren", "nl")
    assert "texts" not in dutch.json
    assert "version" not in dutch.json
    assert any_shop.call("GET", f"{path}?lang=fr").json["title"] == "Tower"
    assert any_shop.call("GET", f"{path}?lang=xx").status_code == 422


def test_a_change_names_the_version_that_it_was_made_from(shop: Shop) -> None:
    made = shop.ticket()
    path = f"/tickets/{made['id']}"
    tag = shop.call("GET", path).headers["ETag"]
    patch = {"title": {"en": "High tower"}}
    assert refusal(shop.call("PATCH", path, patch, **STAFF)) == (428, "PRECONDITION_REQUIRED")
    changed = shop.call("PATCH", path, patch, **with_tag(tag))
    assert changed.status_code == 200
    assert changed.json["title"] == "High tower"
    assert changed.json["options"] == made["options"]
    assert refusal(shop.call("PATCH", path, patch, **with_tag(tag))) == (412, "VERSION_CONFLICT")
    assert refusal(shop.call("DELETE", path, **with_tag(tag))) == (412, "VERSION_CONFLICT")
    replaced = shop.call("PUT", path, ticket(), **with_tag(changed.headers["ETag"]))
    assert replaced.json["title"] == "Tower"
    assert shop.call("DELETE", path, **with_tag(replaced.headers["ETag"])).status_code == 204
    assert refusal(shop.call("GET", path)) == (404, "TICKET_NOT_FOUND")
    assert shop.call("GET", path, **STAFF).json["status"] == "archived"
    assert shop.call("GET", "/tickets").json["data"] == []
    assert len(shop.call("GET", "/tickets?status=archived", **STAFF).json["data"]) == 1
    assert refusal(shop.call("GET", "/tickets?status=draft")) == (403, "FORBIDDEN")


def test_a_put_keeps_the_ids_of_the_parts_that_it_names(shop: Shop) -> None:
    made = shop.ticket()
    body = ticket()
    body["options"][0]["id"] = made["options"][0]["id"]
    body["options"][0]["units"][0]["id"] = made["options"][0]["units"][0]["id"]
    kept = shop.call("PUT", f"/tickets/{made['id']}", body, **with_tag('"1"')).json
    assert kept["options"] == made["options"]
    body["options"][0]["id"] = str(uuid.uuid4())
    answer = shop.call("PUT", f"/tickets/{made['id']}", body, **with_tag('"2"'))
    assert refusal(answer) == (422, "UNKNOWN_OPTION")


def option(**changes: Any) -> dict[str, Any]:
    return {**ticket()["options"][0], **changes}


@pytest.mark.parametrize(
    "changes,pointer,code",
    [
        ({"id": str(UNKNOWN)}, "/id", "UNKNOWN_FIELD"),
        ({"version": 3}, "/version", "UNKNOWN_FIELD"),
        ({"poiId": str(UNKNOWN)}, "/poiId", "UNKNOWN_POI"),
        ({"poiId": 7}, "/poiId", "INVALID"),
        ({"title": {}}, "/title", "TOO_SHORT"),
        ({"title": {"en": "x" * 121}}, "/title/en", "TOO_LONG"),
        ({"title": {"en": "a\nb"}}, "/title/en", "CONTROL_CHARACTER"),
        ({"title": {"xx": "Tower"}}, "/title/xx", "NOT_A_CHOICE"),
        ({"options": []}, "/options", "TOO_SHORT"),
        ({"options": [option(default=False)]}, "/options", "INVALID_TICKET"),
        ({"options": [option(), option()]}, "/options", "INVALID_TICKET"),
        ({"options": [option(default="yes")]}, "/options/0/default", "WRONG_TYPE"),
        ({"options": [option(price={"amount": 1, "currency": "EUR"})]}, "/options/0/price", "INVALID_TICKET"),
        ({"type": "group"}, "/options/0/price", "INVALID_TICKET"),
        ({"type": "combo"}, "/poiIds", "INVALID_TICKET"),
        ({"type": "combo", "poiIds": [str(TOWER), str(UNKNOWN)]}, "/poiIds/1", "UNKNOWN_POI"),
        ({"validDays": 3}, "/validDays", "INVALID_TICKET"),
        ({"status": "archived"}, "/status", "INVALID"),
        ({"cutoffMinutes": -1}, "/cutoffMinutes", "OUT_OF_RANGE"),
        ({"cutoffMinutes": "5"}, "/cutoffMinutes", "WRONG_TYPE"),
        ({"refundPolicy": [{"hoursBefore": 1, "percent": 101}]}, "/refundPolicy/0/percent", "OUT_OF_RANGE"),
    ],
)
def test_a_ticket_that_cannot_be_names_the_field(
    shop: Shop, changes: dict[str, Any], pointer: str, code: str
) -> None:
    answer = shop.call("POST", "/tickets", ticket(**changes), **STAFF)
    assert answer.status_code == 422
    assert (pointer, code) in pointers(answer)
    assert shop.call("GET", "/tickets").json["data"] == []


def priced(*currencies: str | None) -> dict[str, Any]:
    """A ticket body with a unit for each currency; None names none."""
    units = [
        {
            "type": "ADULT",
            "title": {"en": f"Unit {number}"},
            "price": {"amount": 1000, **({} if currency is None else {"currency": currency})},
        }
        for number, currency in enumerate(currencies)
    ]
    return ticket(options=[option(units=units)])


def test_a_price_without_a_currency_is_in_that_of_the_ticket_or_of_the_destination(shop: Shop) -> None:
    shop.ports.followed.platform = Platform(SalePolicy(currency="CHF"))

    def currencies(answer: Reply) -> set[str]:
        assert answer.status_code in (200, 201), answer.json
        return {unit["price"]["currency"] for unit in answer.json["options"][0]["units"]}

    made = shop.call("POST", "/tickets", priced(None, None), **STAFF)
    assert currencies(made) == {"CHF"}
    assert currencies(shop.call("POST", "/tickets", priced(None, "USD"), **STAFF)) == {"USD"}
    mixed = shop.call("POST", "/tickets", priced("USD", None, "EUR"), **STAFF)
    assert refusal(mixed) == (422, "MIXED_CURRENCIES")
    assert pointers(mixed) == [("/options/0/units/2/price/currency", "MIXED_CURRENCIES")]
    # what is on sale already stays what it is, whatever is chosen for new tickets
    shop.ports.followed.platform = Platform(SalePolicy(currency="GBP"))
    path = f"/tickets/{made.json['id']}"
    assert currencies(shop.call("PUT", path, priced(None), **with_tag('"1"'))) == {"CHF"}
    patch = {"options": priced("EUR")["options"]}
    assert currencies(shop.call("PATCH", path, patch, **with_tag('"2"'))) == {"EUR"}


def test_a_manager_of_one_place_cannot_touch_another(shop: Shop) -> None:
    token = shop.issuer.issue("ticket_manager", poi_ids=[MUSEUM])
    assert refusal(shop.call("POST", "/tickets", ticket(), token=token)) == (403, "POI_NOT_ALLOWED")
    mine = shop.call("POST", "/tickets", ticket(poiId=str(MUSEUM)), token=token)
    assert mine.status_code == 201
    slot = shop.slots(shop.ticket())[0]
    closing = shop.call("PATCH", f"/slots/{slot['id']}", {"closed": True}, token=token)
    assert refusal(closing) == (403, "POI_NOT_ALLOWED")


def test_the_search_filters_and_pages(shop: Shop) -> None:
    for name in ("Alpha tower", "Beta tower", "Gamma mill"):
        shop.ticket(title={"en": name})

    def titles(query: str) -> list[str]:
        return [each["title"] for each in shop.call("GET", f"/tickets?{query}").json["data"]]

    assert titles("q=tow") == ["Alpha tower", "Beta tower"]
    assert titles("city=Delft&type=single&minPrice=1000&maxPrice=1000") == [
        "Alpha tower",
        "Beta tower",
        "Gamma mill",
    ]
    assert titles("minPrice=1001") == []
    assert titles("near=52.01,4.36&radiusKm=1&sort=distance&limit=1") != []
    assert titles("near=48.1,11.5&radiusKm=1") == []
    assert titles(f"from={TODAY}") == []
    page = shop.call("GET", "/tickets?limit=2").json
    rest = shop.call("GET", f"/tickets?limit=2&cursor={page['nextCursor']}").json
    assert (len(page["data"]), len(rest["data"]), rest["nextCursor"]) == (2, 1, None)


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "cursor=x", "x=1", "near=1", "near=91,0", "sort=distance", "radiusKm=3",
     "from=2026-02-30", "from=2026-02-03&to=2026-02-01", "type=x", "minPrice=-1", "limit=1&limit=2"],
)  # fmt: skip
def test_a_search_that_cannot_be_names_the_parameter(shop: Shop, query: str) -> None:
    answer = shop.call("GET", f"/tickets?{query}")
    assert refusal(answer) == (422, "VALIDATION_FAILED")
    assert all(pointer.startswith("?") for pointer, _ in pointers(answer))


def test_availability_is_bounded_and_a_slot_can_be_changed(shop: Shop) -> None:
    slots = shop.slots(shop.ticket())
    path = f"/tickets/{slots[0]['ticketId']}/availability"
    assert refusal(shop.call("GET", f"{path}?from=2026-07-01&to=2026-10-09")) == (422, "INVALID_PERIOD")
    assert shop.call("GET", f"{path}?from=2026-07-01&to=2026-10-08").status_code == 200
    assert refusal(shop.call("GET", f"{path}?optionId={UNKNOWN}")) == (422, "UNKNOWN_OPTION")
    slot = f"/slots/{slots[0]['id']}"
    changed = shop.call("PATCH", slot, {"capacity": None, "multiplier": 1.5}, **STAFF).json
    assert (changed["capacity"], changed["vacancies"], changed["multiplier"]) == (None, None, 1.5)
    assert changed["units"][0]["price"]["amount"] == 1500
    assert shop.call("PATCH", slot, {"closed": True}, **STAFF).json["status"] == "closed"
    for wrong in ({"multiplier": 3.1}, {"multiplier": 0.4}, {"capacity": -1}, {"closed": 1}):
        assert shop.call("PATCH", slot, wrong, **STAFF).status_code == 422
    shop.hold(item(slots[1], 4))
    lower = shop.call("PATCH", f"/slots/{slots[1]['id']}", {"capacity": 3}, **STAFF)
    assert refusal(lower) == (409, "CAPACITY_BELOW_TAKEN")


def test_a_schedule_that_drops_a_taken_slot_reports_the_conflict(shop: Shop) -> None:
    made = shop.ticket()
    slots = shop.slots(made)
    shop.hold(item(slots[3]))
    day = slots[3]["localStart"][:10]
    path = f"/tickets/{made['id']}/schedule"
    schedule = shop.call("GET", path, **STAFF).json
    rule = {name: value for name, value in schedule["rules"][0].items() if value not in ([], None)}
    answer = shop.call(
        "PUT", path, {"rules": [rule], "closures": [{"dateFrom": day, "dateTo": day}]}, **STAFF
    )
    assert [each["id"] for each in answer.json["conflicts"]] == [slots[3]["id"]]
    wrong = shop.call("PUT", path, {"rules": [{**rule, "rrule": "FREQ=NEVER"}]}, **STAFF)
    assert pointers(wrong) == [("/rules/0/rrule", "INVALID_SCHEDULE")]


def test_a_quote_explains_itself_and_takes_nothing(shop: Shop) -> None:
    slots = shop.slots(shop.ticket(), capacity=3)
    quote = shop.call("POST", "/availability/check", {"items": [item(slots[0], 2)]}).json
    assert (quote["canBook"], quote["price"]["total"]["amount"]) == (True, 2250)
    twice = {"items": [item(slots[0], 2), item(slots[0], 2)]}
    refused = shop.call("POST", "/availability/check", twice).json
    assert refused["canBook"] is False
    assert [(each["code"], each["pointer"]) for each in refused["reasons"]] == [("SOLD_OUT", "/items/1")]
    unknown = {"items": [{**item(slots[0]), "slotId": str(UNKNOWN)}], "voucherCode": "NOPE"}
    reasons = shop.call("POST", "/availability/check", unknown).json["reasons"]
    assert [each["code"] for each in reasons] == ["VOUCHER_UNKNOWN", "SLOT_NOT_FOUND"]
    path = f"/tickets/{slots[0]['ticketId']}/availability"
    assert shop.call("GET", path).json["data"][0]["vacancies"] == 3


def test_a_voucher_is_scarce_and_changes_by_version(shop: Shop) -> None:
    body = {
        "code": "summer-10",
        "percentBasisPoints": 1000,
        "validFrom": "2026-06-01T00:00:00Z",
        "validUntil": "2026-09-01T00:00:00Z",
        "maxUses": 1,
    }
    made = shop.call("POST", "/vouchers", body, **STAFF)
    assert (made.status_code, made.json["code"]) == (201, "SUMMER-10")
    assert refusal(shop.call("POST", "/vouchers", body, **STAFF)) == (409, "VOUCHER_CODE_TAKEN")
    slot = shop.slots(shop.ticket())[0]
    assert shop.hold(item(slot), voucherCode="Summer-10").json["price"]["discount"]["amount"] == 100
    assert refusal(shop.hold(item(slot), voucherCode="SUMMER-10")) == (409, "VOUCHER_EXHAUSTED")
    assert refusal(shop.hold(item(slot), voucherCode="OTHER")) == (422, "VOUCHER_UNKNOWN")
    path = f"/vouchers/{made.json['id']}"
    changed = shop.call("PATCH", path, {"maxUses": 2}, **with_tag(made.headers["ETag"]))
    assert changed.json["maxUses"] == 2
    stale = shop.call("PATCH", path, {"maxUses": 3}, **with_tag(made.headers["ETag"]))
    assert refusal(stale) == (412, "VERSION_CONFLICT")
    both = shop.call(
        "POST", "/vouchers", {**body, "code": "X-2", "amount": {"amount": 1, "currency": "EUR"}}, **STAFF
    )
    assert refusal(both) == (422, "INVALID_VOUCHER")
    assert [each["used"] for each in shop.call("GET", "/vouchers", **STAFF).json["data"]] == [1]


def test_a_schedule_is_read_as_it_was_put(shop: Shop) -> None:
    made = shop.ticket()
    shop.slots(made)
    path = f"/tickets/{made['id']}/schedule"
    answer = shop.call("GET", path, role="ticket_manager")
    assert answer.status_code == 200
    (rule,) = answer.json["rules"]
    assert rule["optionId"] == made["options"][0]["id"]
    assert rule["dateFrom"] <= "2026-07-01"
    assert answer.json["closures"] == []
