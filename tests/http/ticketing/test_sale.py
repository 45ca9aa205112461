"""A sale over HTTP, from the search to the gate."""

from __future__ import annotations

import uuid

from tests.http.ticketing.shop import CUSTOMER, MUSEUM, TOWER, Shop, item, refusal, settle
from tests.sandbox.running import SandboxProcess


def scan(code: str, **changes: object) -> dict[str, object]:
    return {"code": code, "poiId": str(TOWER), "scanId": str(uuid.uuid4()), **changes}


def test_a_ticket_is_found_held_paid_and_let_in_once(any_shop: Shop, sandbox: SandboxProcess) -> None:
    shop = any_shop
    ticket = shop.ticket()
    slot = shop.slots(ticket)[0]
    found = shop.call("GET", "/tickets?q=tower&lang=nl").json["data"]
    assert [each["title"] for each in found] == ["Toren"]
    held = shop.hold(item(slot, 2))
    assert held.status_code == 201
    assert held.json["price"]["total"] == {"amount": 2250, "currency": "EUR"}
    assert held.headers["Location"] == f"/api/v1/bookings/{held.json['id']}"
    path, token = f"/bookings/{held.json['id']}", held.json["accessToken"]
    assert refusal(shop.call("POST", f"{path}/confirm", token=token)) == (409, "PAYMENT_REQUIRED")
    pay = shop.call("GET", held.json["payment"]["paymentUrl"].partition("/api/v1")[2])
    assert pay.status_code == 303
    assert pay.headers["Location"]
    assert refusal(shop.call("POST", f"{path}/confirm", token=token)) == (409, "PAYMENT_PENDING")
    payment = shop.ports.store.payments.of_booking(uuid.UUID(held.json["id"]))[0]
    settle(sandbox, payment.provider_id, "capture")
    for _ in range(2):
        confirmed = shop.call("POST", f"{path}/confirm", token=token)
        assert (confirmed.status_code, confirmed.json["status"]) == (200, "confirmed")
    assert confirmed.json["payment"] == {"status": "captured", "paymentUrl": None}
    codes = [each["code"] for each in shop.call("GET", f"{path}/admissions", token=token).json["data"]]
    assert len(codes) == 2
    first = scan(codes[0])
    entered = shop.call("POST", "/redemptions", first, role="gate")
    assert entered.status_code == 201
    assert entered.json["people"] == 1
    assert entered.json.keys() == {"scanId", "title", "unit", "people", "redeemedAt"}
    assert shop.call("POST", "/redemptions", first, role="gate").data == entered.data
    again = shop.call("POST", "/redemptions", scan(codes[0]), role="gate")
    assert refusal(again) == (409, "ALREADY_REDEEMED")


def test_the_webhook_confirms_too_any_number_of_times(shop: Shop, sandbox: SandboxProcess) -> None:
    held = shop.hold(item(shop.slots(shop.ticket())[0])).json
    token = held["accessToken"]
    session = shop.call("POST", f"/bookings/{held['id']}/payment", token=token).json
    payment = shop.ports.store.payments.get(uuid.UUID(session["paymentId"]))
    assert payment is not None
    settle(sandbox, payment.provider_id, "capture")
    hint = {"event": "payment.captured", "paymentId": payment.provider_id, "resourceId": held["id"]}
    for _ in range(3):
        assert shop.webhook(hint).status_code == 200
    assert shop.call("GET", f"/bookings/{held['id']}", token=token).json["status"] == "confirmed"
    assert shop.webhook({**hint, "resourceId": str(uuid.uuid4())}).status_code == 200


def test_a_webhook_that_is_not_signed_or_is_old_has_no_effect(shop: Shop) -> None:
    hint = {"paymentId": "x", "resourceId": str(uuid.uuid4())}
    unsigned = shop.call("POST", "/webhooks/payment", hint)
    assert refusal(unsigned) == (401, "SIGNATURE_INVALID")
    assert refusal(shop.webhook(hint, secret="another-secret-of-somebody")) == (401, "SIGNATURE_INVALID")
    assert refusal(shop.webhook(hint, late=301)) == (401, "SIGNATURE_INVALID")
    assert refusal(shop.webhook(hint, late=-301)) == (401, "SIGNATURE_INVALID")
    assert shop.webhook(hint, late=299).status_code == 200


def test_a_decline_leaves_the_hold_and_a_new_session_follows(shop: Shop, sandbox: SandboxProcess) -> None:
    held = shop.hold(item(shop.slots(shop.ticket())[0])).json
    path, token = f"/bookings/{held['id']}", held["accessToken"]
    first = shop.call("POST", f"{path}/payment", token=token).json
    assert shop.call("POST", f"{path}/payment", token=token).json == first
    payment = shop.ports.store.payments.get(uuid.UUID(first["paymentId"]))
    assert payment is not None
    settle(sandbox, payment.provider_id, "decline")
    second = shop.call("POST", f"{path}/payment", token=token).json
    assert second["paymentId"] != first["paymentId"]
    assert shop.call("GET", path, token=token).json["status"] == "on_hold"


def test_with_the_payment_module_away_the_hold_stands(shop: Shop, sandbox: SandboxProcess) -> None:
    held = shop.hold(item(shop.slots(shop.ticket())[0])).json
    path, token = f"/bookings/{held['id']}", held["accessToken"]
    sandbox.behave(failNext=1)
    try:
        answer = shop.call("POST", f"{path}/payment", token=token)
    finally:
        sandbox.behave()
    assert refusal(answer) == (503, "PAYMENT_UNAVAILABLE")
    assert answer.headers["Retry-After"] == "5"
    assert shop.call("GET", path, token=token).json["status"] == "on_hold"
    assert shop.call("POST", f"{path}/payment", token=token).status_code == 200


def test_a_hold_ends_by_time_alone_and_then_cannot_be_paid(shop: Shop) -> None:
    held = shop.hold(item(shop.slots(shop.ticket())[0])).json
    path, token = f"/bookings/{held['id']}", held["accessToken"]
    shop.clock.move(minutes=15)
    shown = shop.call("GET", path, token=token).json
    assert (shown["status"], shown["payment"]["paymentUrl"]) == ("expired", None)
    assert {each["status"] for each in shown["items"]} == {"expired"}
    pay = held["payment"]["paymentUrl"].partition("/api/v1")[2]
    assert refusal(shop.call("GET", pay)) == (410, "BOOKING_EXPIRED")
    assert refusal(shop.call("POST", f"{path}/extend", token=token)) == (410, "BOOKING_EXPIRED")


def test_a_hold_is_extended_at_most_twice(shop: Shop) -> None:
    held = shop.hold(item(shop.slots(shop.ticket())[0])).json
    path, token = f"/bookings/{held['id']}/extend", held["accessToken"]
    for _ in range(2):
        shop.clock.move(minutes=10)
        assert shop.call("POST", path, token=token).status_code == 200
    shop.clock.move(minutes=10)
    assert refusal(shop.call("POST", path, token=token)) == (409, "EXTENSION_LIMIT")


def test_a_booking_is_changed_while_it_is_on_hold_all_or_nothing(shop: Shop) -> None:
    slots = shop.slots(shop.ticket(), capacity=3)
    held = shop.hold(item(slots[0], 2)).json
    path, token = f"/bookings/{held['id']}", held["accessToken"]
    too_many = shop.call("PATCH", path, {"items": [item(slots[1], 4)]}, token=token)
    assert refusal(too_many) == (409, "SOLD_OUT")
    moved = shop.call("PATCH", path, {"items": [item(slots[1], 3)]}, token=token)
    assert moved.status_code == 200
    assert moved.json["price"]["total"]["amount"] == 3250
    left = shop.call("GET", f"/tickets/{slots[0]['ticketId']}/availability").json["data"]
    assert [each["vacancies"] for each in left[:2]] == [3, 0]
    renamed = shop.call("PATCH", path, {"customer": {"name": "Bob"}}, token=token).json
    assert renamed["customer"] == {**CUSTOMER, "name": "Bob", "phone": None}


def test_one_unit_item_is_cancelled_and_refunded_by_policy(shop: Shop, sandbox: SandboxProcess) -> None:
    slots = shop.slots(shop.ticket())
    booking = shop.paid(sandbox, item(slots[5], 2))
    path, token = f"/bookings/{booking['id']}/cancel", booking["accessToken"]
    unit = booking["items"][0]["units"][0]["id"]
    body = {"unitItemIds": [unit], "reason": "ill"}
    answer = shop.call("POST", path, body, token=token)
    assert answer.status_code == 200
    assert [each["status"] for each in answer.json["items"][0]["units"]] == ["cancelled", "confirmed"]
    assert [each["amount"]["amount"] for each in answer.json["refunds"]] == [1000]
    read = shop.call("GET", f"/bookings/{booking['id']}", token=booking["accessToken"]).json
    assert read["refunds"] == answer.json["refunds"]
    repeated = shop.call("POST", path, body, token=token)
    assert refusal(repeated) == (409, "UNIT_ITEM_NOT_CANCELLABLE")
    override = {"reason": "ill", "refundPercent": 50}
    assert refusal(shop.call("POST", path, override, token=token)) == (403, "FORBIDDEN")
    assert shop.call("POST", path, override, role="support").json["status"] == "cancelled"


def test_gates_are_told_which_way_a_code_is_not_good(shop: Shop, sandbox: SandboxProcess) -> None:
    slots = shop.slots(shop.ticket())
    booking = shop.paid(sandbox, item(slots[2]))
    path = f"/bookings/{booking['id']}"
    code = shop.call("GET", f"{path}/admissions", token=booking["accessToken"]).json["data"][0]["code"]

    def refused(body: dict[str, object]) -> tuple[int, str]:
        return refusal(shop.call("POST", "/redemptions", body, role="gate"))

    assert refused(scan(code)) == (409, "ADMISSION_WRONG_DAY")
    assert refused(scan("nonsense")) == (422, "CODE_UNREADABLE")
    assert refused(scan(code, poiId=str(MUSEUM)))[1] == "ADMISSION_WRONG_POI"
    limited = shop.issuer.issue("gate", poi_ids=[MUSEUM])
    elsewhere = shop.call("POST", "/redemptions", scan(code), token=limited)
    assert refusal(elsewhere) == (403, "POI_NOT_ALLOWED")
    shop.clock.move(days=2, hours=2)
    offline = [
        scan(code, scannedAt="2026-07-03T09:00:00Z"),
        scan(code, scannedAt="2026-07-03T09:30:00Z"),
        scan("nonsense", scannedAt="2026-07-03T09:30:00Z"),
        scan(code, scannedAt="2026-07-04T09:30:00Z"),
        scan(code, scannedAt="2026-06-01T09:30:00Z"),
    ]
    rows = shop.call("POST", "/redemptions/batch", {"scans": offline}, role="gate").json["data"]
    assert [row.get("code", row["status"]) for row in rows] == [
        "redeemed",
        "ALREADY_REDEEMED",
        "CODE_UNREADABLE",
        "SCAN_TIME_INVALID",
        "SCAN_TIME_INVALID",
    ]
    keys = shop.call("GET", "/redemptions/keys", role="gate").json["keys"]
    assert [key["crv"] for key in keys] == ["Ed25519"]


def test_codes_come_as_pictures_and_the_visit_as_a_calendar_entry(
    shop: Shop, sandbox: SandboxProcess
) -> None:
    booking = shop.paid(sandbox, item(shop.slots(shop.ticket())[1]))
    path, token = f"/bookings/{booking['id']}", booking["accessToken"]
    admission = shop.call("GET", f"{path}/admissions", token=token).json["data"][0]
    svg = shop.call("GET", f"/admissions/{admission['id']}/qr.svg", token=token)
    png = shop.call("GET", f"/admissions/{admission['id']}/qr.png", token=token)
    assert svg.data.startswith(b"<svg")
    assert png.data.startswith(b"\x89PNG")
    calendar = shop.call("GET", f"{path}/calendar.ics", token=token)
    assert b"SUMMARY:Toren" in calendar.data
    pending = shop.call("GET", f"{path}/admissions.pdf", token=token)
    assert refusal(pending) == (503, "DOCUMENT_PENDING")
    assert pending.headers["Retry-After"] == "1"
    version = shop.ports.store.bookings.get(uuid.UUID(booking["id"])).version  # type: ignore[union-attr]
    shop.ports.store.admissions.put_document(uuid.UUID(booking["id"]), version, b"%PDF-", shop.clock())
    assert shop.call("GET", f"{path}/admissions.pdf", token=token).data == b"%PDF-"
    stranger = shop.hold(item(shop.slots(shop.ticket())[1])).json["accessToken"]
    foreign = shop.call("GET", f"/admissions/{admission['id']}/qr.svg", token=stranger)
    assert refusal(foreign) == (404, "ADMISSION_NOT_FOUND")
