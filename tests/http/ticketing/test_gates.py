"""What gates need without a network: revocations by page, and batches that tell each scan its own answer."""

from __future__ import annotations

import uuid
from typing import Any

from tests.http.ticketing.shop import TOWER, Shop, item, pointers, refusal
from tests.sandbox.running import SandboxProcess

GATE: dict[str, Any] = {"role": "gate"}


def codes_of(shop: Shop, booking: dict[str, Any]) -> list[str]:
    path = f"/bookings/{booking['id']}/admissions"
    return [each["code"] for each in shop.call("GET", path, token=booking["accessToken"]).json["data"]]


def test_revocations_come_in_order_page_by_page_and_since(any_shop: Shop, sandbox: SandboxProcess) -> None:
    shop = any_shop
    slots = shop.slots(shop.ticket(), dateTo="2026-07-08")
    booking = shop.paid(sandbox, item(slots[6], 3))
    cancel, token = f"/bookings/{booking['id']}/cancel", booking["accessToken"]
    expected = []
    for unit in booking["items"][0]["units"]:
        shop.clock.move(minutes=1)
        body = {"unitItemIds": [unit["id"]], "reason": "ill"}
        assert shop.call("POST", cancel, body, token=token).status_code == 200
        expected.append(unit["admissionId"])
    found, cursor = [], ""
    while True:
        page = shop.call("GET", f"/redemptions/revocations?limit=1{cursor}", **GATE).json
        found += page["data"]
        if page["nextCursor"] is None:
            break
        cursor = f"&cursor={page['nextCursor']}"
    assert [each["admissionId"] for each in found] == expected
    since = found[1]["cancelledAt"]
    later = shop.call("GET", f"/redemptions/revocations?since={since}", **GATE).json["data"]
    assert [each["admissionId"] for each in later] == expected[1:]
    assert shop.call("GET", "/redemptions/revocations?since=2027-01-01T00:00:00Z", **GATE).json["data"] == []
    foreign = shop.call("GET", "/redemptions/revocations?cursor=x", **GATE)
    assert pointers(foreign) == [("?cursor", "INVALID")]


def test_a_batch_is_decided_in_the_order_of_its_scans_and_once(
    any_shop: Shop, sandbox: SandboxProcess
) -> None:
    shop = any_shop
    slots = shop.slots(shop.ticket(), dateTo="2026-07-02")
    booking = shop.paid(sandbox, item(slots[0], 2))
    first, second = codes_of(shop, booking)
    shop.clock.move(hours=3)

    def scan(code: str, at: str) -> dict[str, Any]:
        return {"code": code, "poiId": str(TOWER), "scanId": str(uuid.uuid4()), "scannedAt": at}

    late, early = scan(first, "2026-07-01T10:00:00Z"), scan(first, "2026-07-01T09:00:00Z")
    batch = {"scans": [late, early, scan(second, "2026-07-01T09:00:00Z")]}
    answer = shop.call("POST", "/redemptions/batch", batch, **GATE)
    rows = answer.json["data"]
    assert [row["scanId"] for row in rows] == [each["scanId"] for each in batch["scans"]]
    assert [row["status"] for row in rows] == ["refused", "redeemed", "redeemed"]
    assert rows[0]["code"] == "ALREADY_REDEEMED"
    again = shop.call("POST", "/redemptions/batch", batch, **GATE)
    assert again.json == answer.json
    many = {"scans": [early] * 501}
    assert pointers(shop.call("POST", "/redemptions/batch", many, **GATE)) == [("/scans", "TOO_LONG")]


def test_a_repeated_scan_with_a_key_answers_the_same_bytes(shop: Shop, sandbox: SandboxProcess) -> None:
    slots = shop.slots(shop.ticket(), dateTo="2026-07-02")
    (code,) = codes_of(shop, shop.paid(sandbox, item(slots[0])))
    body = {"code": code, "poiId": str(TOWER), "scanId": str(uuid.uuid4())}
    key = {"Idempotency-Key": uuid.uuid4().hex}
    shop.clock.move(hours=1)
    first = shop.call("POST", "/redemptions", body, headers=key, **GATE)
    again = shop.call("POST", "/redemptions", body, headers=key, **GATE)
    assert (first.status_code, again.status_code, again.data) == (201, 201, first.data)
    other = shop.call("POST", "/redemptions", {**body, "scanId": str(uuid.uuid4())}, headers=key, **GATE)
    assert refusal(other) == (422, "IDEMPOTENCY_KEY_REUSED")
