"""What the admin service gives, ticketing takes; what it takes back, ticketing follows."""

from __future__ import annotations

import time
import uuid
from typing import Any

from common.auth.api_keys import key_start
from common.auth.jwks import RETRY_SECONDS
from tests.http.admin.desk import Desk, later, refusal
from tests.http.admin.people import person, refreshed, signed_in
from tests.http.both.conftest import Both
from tests.http.ticketing.shop import TOWER, Shop

SCAN = {"code": "TA1:NOTHING", "poiId": str(TOWER)}


def scan(shop: Shop, key: str) -> tuple[int, str]:
    """What a gate with `key` is answered; whoever is let in is told that the code is none."""
    return refusal(shop.call("POST", "/redemptions", {**SCAN, "scanId": str(uuid.uuid4())}, token=key))


def gate_key(desk: Desk, **changes: Any) -> dict[str, Any]:
    body = {
        "name": "North", "roles": ["gate"], "poiIds": [str(TOWER)],
        "expiresAt": later(desk.clock.now, days=1), **changes,
    }  # fmt: skip
    answer = desk.call("POST", "/api-keys", body, role="platform_admin")
    assert answer.status_code == 201, answer.json
    return dict(answer.json)


def test_ticketing_takes_the_tokens_of_who_signed_in(both: Both) -> None:
    person(both.desk, "ticket_manager")
    tokens = signed_in(both.desk)
    assert both.shop.call("GET", "/vouchers", token=tokens.access).status_code == 200
    assert refusal(both.shop.call("GET", "/revenue", token=tokens.access))[0] == 403


def test_places_that_a_user_is_limited_to_hold_in_ticketing(both: Both) -> None:
    person(both.desk, "ticket_manager", poi_ids=(uuid.UUID(int=99),))
    tokens = signed_in(both.desk)
    voucher = {
        "code": "SUMMER", "percentBasisPoints": 100, "validFrom": later(both.clock.now),
        "validUntil": later(both.clock.now, days=1),
    }  # fmt: skip
    answer = both.shop.call("POST", "/vouchers", voucher, token=tokens.access)
    assert refusal(answer) == (403, "POI_NOT_ALLOWED")


def test_a_session_that_has_ended_opens_nothing_in_ticketing(both: Both) -> None:
    person(both.desk, "ticket_manager")
    ended, other = signed_in(both.desk), signed_in(both.desk)
    assert both.shop.call("GET", "/vouchers", token=ended.access).status_code == 200
    both.desk.call("POST", "/auth/logout", token=ended.access)
    both.followed.look()
    assert refusal(both.shop.call("GET", "/vouchers", token=ended.access)) == (401, "TOKEN_INVALID")
    assert both.shop.call("GET", "/vouchers", token=other.access).status_code == 200


def test_other_privileges_hold_in_ticketing(both: Both) -> None:
    user = person(both.desk, "ticket_manager")
    tokens = signed_in(both.desk)
    assert both.shop.call("GET", "/vouchers", token=tokens.access).status_code == 200
    both.desk.call(
        "PATCH",
        f"/users/{user.id}",
        {"roles": ["editor"]},
        role="platform_admin",
        headers={"If-Match": '"1"'},
    )
    both.followed.look()
    assert refusal(both.shop.call("GET", "/vouchers", token=tokens.access)) == (401, "TOKEN_EXPIRED")
    fresh = refreshed(both.desk, tokens)
    assert refusal(both.shop.call("GET", "/vouchers", token=fresh.access)) == (403, "FORBIDDEN")


def test_a_gate_scans_with_its_key_until_that_is_revoked(both: Both) -> None:
    made = gate_key(both.desk)
    both.followed.look()
    assert scan(both.shop, made["key"]) == (422, "CODE_UNREADABLE")
    assert refusal(both.shop.call("GET", "/vouchers", token=made["key"])) == (403, "FORBIDDEN")
    both.desk.call("DELETE", f"/api-keys/{made['id']}", role="platform_admin")
    both.followed.look()
    assert scan(both.shop, made["key"]) == (401, "TOKEN_INVALID")


def test_a_key_ends_in_ticketing_by_its_own_time(both: Both) -> None:
    made = gate_key(both.desk, expiresAt=later(both.clock.now, hours=1))
    both.followed.look()
    assert scan(both.shop, made["key"]) == (422, "CODE_UNREADABLE")
    both.served.away()
    both.clock.move(hours=1)
    assert scan(both.shop, made["key"]) == (401, "TOKEN_INVALID")


def test_the_use_of_a_key_in_ticketing_is_recorded(both: Both) -> None:
    made = gate_key(both.desk)
    both.followed.look()
    scan(both.shop, made["key"])
    both.served.away()
    both.followed.look()
    both.served.back()
    both.followed.look()
    shown = both.desk.call("GET", f"/api-keys/{made['id']}", role="platform_admin").json
    assert shown["lastUsedAt"] == later(both.clock.now).replace("000Z", "Z")


def test_with_the_admin_service_away_the_last_standing_stands(both: Both) -> None:
    person(both.desk, "ticket_manager")
    ended, tokens = signed_in(both.desk), signed_in(both.desk)
    made, gone = gate_key(both.desk), gate_key(both.desk)
    both.desk.call("POST", "/auth/logout", token=ended.access)
    both.desk.call("DELETE", f"/api-keys/{gone['id']}", role="platform_admin")
    both.followed.look()
    assert both.shop.call("GET", "/vouchers", token=tokens.access).status_code == 200
    both.served.away()
    both.followed.look()

    def holds(shop: Shop) -> None:
        assert shop.call("GET", "/vouchers", token=tokens.access).status_code == 200
        assert scan(shop, made["key"]) == (422, "CODE_UNREADABLE")
        assert scan(shop, gone["key"]) == (401, "TOKEN_INVALID")

    holds(both.shop)
    assert both.shop.call("GET", "/vouchers", token=tokens.access).status_code == 200
    assert refusal(both.shop.call("GET", "/vouchers", token=ended.access)) == (401, "TOKEN_INVALID")
    # a process that starts meanwhile has it from the one before
    successor = both.new_shop()
    holds(successor)
    successor.close()
    both.served.back()
    gate = gate_key(both.desk)
    both.followed.look()
    assert scan(both.shop, gate["key"]) == (422, "CODE_UNREADABLE")


def test_no_secret_of_a_key_lies_in_the_file_that_is_kept(both: Both) -> None:
    made = gate_key(both.desk)
    both.followed.look()
    file = both.folder / "standing" / "ticketing.json"
    content = file.read_text()
    assert made["id"] in content
    assert key_start(made["key"]) not in content
    assert file.stat().st_mode & 0o077 == 0


def test_a_rotation_of_keys_signs_nobody_out(both: Both) -> None:
    person(both.desk, "ticket_manager")
    before = signed_in(both.desk)
    assert both.shop.call("GET", "/vouchers", token=before.access).status_code == 200
    ring = both.desk.ports.token_keys
    old, _ = ring.newest()
    ring.rotate()
    assert ring.newest()[0] == old, "who verifies must be able to learn of it first"
    assert both.shop.call("GET", "/vouchers", token=signed_in(both.desk).access).status_code == 200
    ring._wall = lambda: time.time() + 61
    assert ring.newest()[0] != old
    after = signed_in(both.desk)
    verifier: Any = both.shop.app.extensions["authenticator"]._access
    jwks = verifier._tokens._issuers[both.desk.settings.token_issuer]
    # in the minute since, ticketing may look again
    jwks._monotonic = lambda: time.monotonic() + RETRY_SECONDS
    for tokens in (after, before, refreshed(both.desk, before)):
        assert both.shop.call("GET", "/vouchers", token=tokens.access).status_code == 200
        assert both.desk.call("GET", "/auth/me", token=tokens.access).status_code == 200
