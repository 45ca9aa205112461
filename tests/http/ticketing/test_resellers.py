"""Resellers over HTTP: who makes them, what their keys open, and that each sees its own bookings only."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import pytest

from common.auth.api_keys import key_hash, looks_right
from common.database.unavailable import StoreUnavailable
from tests.http.ticketing.agency import ADMIN, BOTH, Agency, priced_slots
from tests.http.ticketing.shop import CUSTOMER, Shop, item, refusal
from ticketing_service.actions.known_resellers import KnownResellers
from ticketing_service.actions.resellers import keep_key_uses
from ticketing_service.domain.platform import Mode, Platform
from ticketing_service.domain.resellers import KEY_PREFIX


@pytest.fixture
def free(any_shop: Shop) -> list[dict[str, Any]]:
    return priced_slots(any_shop)


def test_a_key_is_shown_once_and_kept_as_a_hash(any_shop: Shop) -> None:
    agency = Agency(any_shop)
    made = agency.new_key().json
    key = made.pop("key")
    assert key.startswith(made["start"])
    assert key.startswith(KEY_PREFIX)
    assert looks_right(key, KEY_PREFIX)
    listed = any_shop.call("GET", f"{agency.path}/keys", **ADMIN).json["data"]
    assert listed[0] == made
    assert len(listed) == 2
    kept = any_shop.ports.store.resellers.keys(uuid.UUID(agency.id), 10, None).items[0]
    assert kept.hash == key_hash(key)
    assert key not in repr(kept)


def test_a_repeated_request_shows_the_same_key(shop: Shop) -> None:
    agency = Agency(shop)
    body = {"name": "k", "scopes": BOTH, "expiresAt": "2026-08-01T00:00:00Z"}
    token = shop.issuer.issue("platform_admin")
    first, again = (
        shop.call("POST", f"{agency.path}/keys", body, token=token, headers={"Idempotency-Key": "k" * 16})
        for _ in range(2)
    )
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json == again.json


def test_an_administrator_makes_reads_and_changes_a_reseller(any_shop: Shop) -> None:
    ticket = any_shop.ticket()
    agency = Agency(any_shop, ticketIds=[ticket["id"]], maxHolds=3)
    assert agency.made["ticketIds"] == [ticket["id"]]
    assert any_shop.call("GET", "/resellers", **ADMIN).json["data"] == [agency.made]
    changed = agency.change(ticketIds=None, active=False).json
    assert changed == {**agency.made, "ticketIds": None, "active": False, "version": 2}
    stale = any_shop.call("PATCH", agency.path, {"name": "x"}, headers={"If-Match": '"1"'}, **ADMIN)
    assert refusal(stale) == (412, "VERSION_CONFLICT")
    unknown = any_shop.call("POST", "/resellers", {"name": "x", "ticketIds": [str(uuid.uuid4())]}, **ADMIN)
    assert refusal(unknown) == (404, "TICKET_NOT_FOUND")
    for method, path in (("GET", ""), ("GET", "/keys")):
        answer = any_shop.call(method, f"/resellers/{uuid.uuid4()}{path}", **ADMIN)
        assert refusal(answer) == (404, "RESELLER_NOT_FOUND")
    assert refusal(agency.new_key(expiresAt="2026-07-01T08:00:00Z")) == (422, "INVALID_API_KEY")
    assert refusal(agency.new_key(scopes=[])) == (422, "VALIDATION_FAILED")


def test_a_reseller_lives_through_a_booking_with_its_key(any_shop: Shop, free: list[dict[str, Any]]) -> None:
    agency = Agency(any_shop)
    held = agency.hold(item(free[0], 2))
    assert held.status_code == 201, held.json
    path = f"/bookings/{held.json['id']}"
    assert (held.json["channel"], held.json["resellerId"]) == ("reseller", agency.id)
    assert agency.call("PATCH", path, {"items": [item(free[1])]}).json["items"][0]["slotId"] == free[1]["id"]
    assert agency.call("PATCH", path, {"customer": {"name": "Bo"}}).json["customer"]["name"] == "Bo"
    any_shop.clock.move(minutes=1)
    assert agency.call("POST", f"{path}/extend").status_code == 200
    assert agency.call("POST", f"{path}/confirm").json["status"] == "confirmed"
    assert agency.call("POST", f"{path}/cancel", {"reason": "ill"}).json["status"] == "cancelled"
    assert agency.call("GET", path).json["status"] == "cancelled"
    history = any_shop.ports.store.bookings.history(uuid.UUID(held.json["id"]))
    assert {row.actor for row in history} == {f"reseller:{agency.id}"}


def test_a_reseller_sees_its_own_bookings_only(any_shop: Shop, free: list[dict[str, Any]]) -> None:
    one, other = Agency(any_shop), Agency(any_shop, "Day Tours")
    mine = [one.hold(item(free[0])).json["id"] for _ in range(2)]
    theirs = other.hold(item(free[0])).json["id"]
    guests = any_shop.hold(item(free[0])).json["id"]
    for path in ("/bookings", f"/bookings?resellerId={other.id}"):
        listed = one.call("GET", path).json["data"]
        assert [each["id"] for each in listed] == mine[::-1]
        assert listed[0]["customer"]["email"] == CUSTOMER["email"]
    table = one.call("GET", "/bookings", headers={"Accept": "text/csv"}).text
    assert len(table.splitlines()) == 3
    for booking_id in (theirs, guests):
        path = f"/bookings/{booking_id}"
        for method, end, body in (
            ("GET", "", None),
            ("PATCH", "", {"customer": {"name": "Eve"}}),
            ("POST", "/extend", None),
            ("POST", "/confirm", None),
            ("POST", "/payment", None),
            ("POST", "/cancel", {"reason": "mine now"}),
        ):
            answer = one.call(method, path + end, body)
            assert refusal(answer) == (404, "BOOKING_NOT_FOUND"), (method, end)
    listed = any_shop.call("GET", f"/bookings?resellerId={other.id}", role="support").json["data"]
    assert [each["id"] for each in listed] == [theirs]


def test_keys_are_exchanged_while_both_are_good(any_shop: Shop, free: list[dict[str, Any]]) -> None:
    agency = Agency(any_shop)
    new = agency.new_key().json
    held = agency.hold(item(free[0]), key="a" * 16).json
    # whichever key it uses, it is the same caller: its idempotency keys are too
    again = any_shop.hold(item(free[0]), token=new["key"], key="a" * 16)
    assert (again.json, again.headers["Idempotency-Replayed"]) == (held, "true")
    old = any_shop.call("GET", f"{agency.path}/keys", **ADMIN).json["data"][1]
    path = f"{agency.path}/keys/{old['id']}"
    for _ in range(2):
        assert any_shop.call("DELETE", path, **ADMIN).status_code == 204
    any_shop.clock.move(seconds=2)
    assert refusal(agency.call("GET", "/bookings")) == (401, "TOKEN_INVALID")
    assert any_shop.call("GET", "/bookings", token=new["key"]).status_code == 200
    any_shop.clock.move(days=32)
    assert refusal(any_shop.call("GET", "/bookings", token=new["key"])) == (401, "TOKEN_INVALID")


def test_a_key_does_what_its_scopes_say(shop: Shop) -> None:
    agency, slot = Agency(shop), priced_slots(shop)[0]
    reads, writes = (agency.new_key(scopes=[scope]).json["key"] for scope in BOTH)
    assert shop.call("GET", "/bookings", token=reads).status_code == 200
    assert refusal(shop.hold(item(slot), token=reads)) == (403, "FORBIDDEN")
    held = shop.hold(item(slot), token=writes).json
    path = f"/bookings/{held['id']}"
    assert refusal(shop.call("GET", path, token=writes)) == (403, "FORBIDDEN")
    assert refusal(shop.call("GET", "/bookings", token=writes)) == (403, "FORBIDDEN")
    assert shop.call("GET", path, token=reads).json["id"] == held["id"]
    assert refusal(shop.call("POST", f"{path}/confirm", token=reads)) == (403, "FORBIDDEN")
    assert shop.call("POST", f"{path}/confirm", token=writes).status_code == 200
    assert refusal(shop.call("GET", "/vouchers", token=reads)) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    "change", [lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"), lambda key: key + "x"]
)
def test_a_slip_of_the_pen_is_no_key(shop: Shop, change: Any) -> None:
    key = change(Agency(shop).key)
    assert refusal(shop.call("GET", "/tickets", token=key)) == (401, "TOKEN_INVALID")


def test_a_reseller_sells_the_tickets_that_it_may(any_shop: Shop, free: list[dict[str, Any]]) -> None:
    others = priced_slots(any_shop)
    agency = Agency(any_shop, ticketIds=[free[0]["ticketId"]])
    held = agency.hold(item(free[0])).json
    both = agency.hold(item(free[0]), item(others[0]))
    assert refusal(both) == (403, "TICKET_NOT_ALLOWED")
    assert both.json["errors"][0]["pointer"] == "/items/1/slotId"
    path = f"/bookings/{held['id']}"
    for token in (agency.key, any_shop.issuer.issue("support"), held["accessToken"]):
        answer = any_shop.call("PATCH", path, {"items": [item(others[0])]}, token=token)
        assert refusal(answer) == (403, "TICKET_NOT_ALLOWED")
    quote = agency.call("POST", "/availability/check", {"items": [item(others[0])]}).json
    assert [reason["code"] for reason in quote["reasons"]] == ["TICKET_NOT_ALLOWED"]
    agency.change(ticketIds=None)
    any_shop.clock.move(seconds=2)
    assert agency.hold(item(others[0])).status_code == 201


def test_standing_holds_are_limited_and_no_address_counts(shop: Shop) -> None:
    slot = priced_slots(shop)[0]
    agency = Agency(shop, maxHolds=4)
    held = [agency.hold(item(slot)) for _ in range(4)]
    assert [each.status_code for each in held] == [201] * 4
    full = agency.hold(item(slot))
    assert refusal(full) == (429, "TOO_MANY_HOLDS")
    assert full.headers["Retry-After"] == "60"
    shop.clock.move(minutes=20)
    assert agency.hold(item(slot)).status_code == 201


def test_an_inactive_reseller_sells_nothing_and_steers_what_it_has(shop: Shop) -> None:
    agency, slot = Agency(shop), priced_slots(shop)[3]
    path = f"/bookings/{agency.hold(item(slot)).json['id']}"
    agency.change(active=False)
    shop.clock.move(seconds=2)
    assert refusal(agency.hold(item(slot))) == (403, "RESELLER_INACTIVE")
    assert agency.call("GET", path).status_code == 200
    assert agency.call("POST", f"{path}/cancel", {"reason": "ended"}).status_code == 200


def test_the_last_use_of_a_key_is_written_down(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    agency = Agency(shop)
    agency.call("GET", "/bookings")
    store, away = shop.ports.store.resellers, True

    def used(uses: Any) -> None:
        if away:
            raise StoreUnavailable("away")
        store.used(uses)

    ports = replace(shop.ports, store=replace(shop.ports.store, resellers=_Other(store, used=used)))
    keep_key_uses(ports)
    away = False
    shop.ports.followed.platform = Platform(mode=Mode.READ_ONLY)
    keep_key_uses(ports)
    shop.ports.followed.platform = Platform()
    (kept,) = shop.call("GET", f"{agency.path}/keys", **ADMIN).json["data"]
    assert kept["lastUsedAt"] is None
    for _ in range(2):
        keep_key_uses(ports)
    (kept,) = shop.call("GET", f"{agency.path}/keys", **ADMIN).json["data"]
    assert kept["lastUsedAt"] == "2026-07-01T08:00:00.000Z"


class _Other:
    """A port with some verbs of another one."""

    def __init__(self, port: Any, **verbs: Any) -> None:
        self._port = port
        self.__dict__.update(verbs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)


def test_what_was_last_known_of_resellers_stands_while_the_store_is_away(shop: Shop) -> None:
    agency = Agency(shop)
    store, now, away = shop.ports.store.resellers, 0.0, True

    def generation() -> int:
        if away:
            raise StoreUnavailable("away")
        return store.generation()

    known = KnownResellers(_Other(store, generation=generation), monotonic=lambda: now)
    hashed = key_hash(agency.key)
    with pytest.raises(StoreUnavailable):
        known.of_key(hashed)
    away = False
    found = known.of_key(hashed)
    assert found is not None
    away, now = True, 100.0
    assert known.of_key(hashed) == found
    assert known.of_key("0" * 64) is None


def test_what_another_process_changed_holds_within_two_seconds(shop: Shop) -> None:
    agency = Agency(shop)
    now = 0.0
    signal = shop.ports.known_resellers.signal
    known = KnownResellers(shop.ports.store.resellers, signal, monotonic=lambda: now)
    key = agency.new_key().json
    assert known.of_key(key_hash(key["key"])) is not None
    # one that was made after the last look is found at once
    later = agency.new_key().json
    assert known.of_key(key_hash(later["key"])) is not None
    shop.call("DELETE", f"{agency.path}/keys/{key['id']}", **ADMIN)
    assert known.of_key(key_hash(key["key"])) is None
    # where no signal comes, too
    deaf = KnownResellers(shop.ports.store.resellers, monotonic=lambda: now)
    assert deaf.of_key(key_hash(later["key"])) is not None
    shop.call("DELETE", f"{agency.path}/keys/{later['id']}", **ADMIN)
    now = 2.0
    assert deaf.of_key(key_hash(later["key"])) is None


def test_who_tries_keys_does_not_ask_the_store_each_time(shop: Shop) -> None:
    agency, now, asked = Agency(shop), 0.0, 0
    store = shop.ports.store.resellers

    def generation() -> int:
        nonlocal asked
        asked += 1
        return store.generation()

    known = KnownResellers(_Other(store, generation=generation), monotonic=lambda: now)
    for number in range(50):
        assert known.of_key(f"{number:064}") is None
        assert known.of_key(key_hash(agency.key)) is not None
    assert asked == 1
    new = agency.new_key().json["key"]
    now = 0.25
    assert known.of_key(key_hash(new)) is not None
    assert asked == 2


def test_in_maintenance_a_reseller_sells_no_more_than_others(shop: Shop) -> None:
    agency, slot = Agency(shop), priced_slots(shop)[0]
    shop.ports.followed.platform = Platform(mode=Mode.MAINTENANCE)
    assert refusal(agency.hold(item(slot))) == (503, "MAINTENANCE")
    assert agency.call("GET", "/bookings").status_code == 200
