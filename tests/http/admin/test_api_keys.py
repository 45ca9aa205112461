"""Keys of machines, and what other services are told of credentials."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from admin_service.actions import api_keys
from common.auth.api_keys import key_hash, looks_right
from common.auth.service_tokens import ServiceTokens
from common.auth.shared_key import service_secrets
from tests.http.admin.desk import Desk, Reply, later, refusal
from tests.http.admin.people import person, signed_in

PLACE = str(uuid.UUID(int=1))


def body(desk: Desk, **changes: Any) -> dict[str, Any]:
    return {
        "name": "North gate", "roles": ["gate"], "poiIds": [PLACE],
        "expiresAt": later(desk.clock.now, days=30), **changes,
    }  # fmt: skip


def create(desk: Desk, **changes: Any) -> Reply:
    return desk.call("POST", "/api-keys", body(desk, **changes), role="platform_admin")


def service(desk: Desk, audience: str = "admin") -> str:
    """A token of ticketing."""
    return ServiceTokens(service_secrets(desk.settings), desk.clock).issue("ticketing", audience)


def standing(desk: Desk) -> dict[str, Any]:
    """What services are told."""
    answer = desk.call("GET", "/auth/changes", token=service(desk))
    assert answer.status_code == 200
    return dict(answer.json)


def test_a_key_is_shown_once_and_kept_as_a_hash(any_desk: Desk) -> None:
    desk = any_desk
    made = create(desk).json
    key = made.pop("key")
    assert key.startswith(made["start"])
    assert key.startswith("apk_")
    assert looks_right(key)
    path = f"/api-keys/{made['id']}"
    assert desk.call("GET", path, role="platform_admin").json == made
    assert desk.call("GET", "/api-keys", role="platform_admin").json["data"] == [made]
    stored = desk.ports.store.api_keys.get(uuid.UUID(made["id"]))
    assert stored is not None
    assert stored.hash == key_hash(key)
    assert key not in repr(stored)
    assert key not in repr(desk.ports.store.audit.after(0, 10))


def test_a_repeated_request_shows_the_same_key_even_after_a_rotation(any_desk: Desk) -> None:
    desk = any_desk
    headers, token, sent = {"Idempotency-Key": "k" * 16}, desk.token("platform_admin"), body(desk)
    first = desk.call("POST", "/api-keys", sent, token=token, headers=headers)
    desk.running.ports.key_secrets.rotate()  # type: ignore[attr-defined]
    again = desk.call("POST", "/api-keys", sent, token=token, headers=headers)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json == first.json
    assert create(desk).json["key"] != first.json["key"]
    assert desk.call("GET", "/monitoring/live", token=first.json["key"]).status_code == 200


def test_a_key_opens_what_its_roles_do_and_no_more(desk: Desk) -> None:
    operator = create(desk, roles=["operator"], poiIds=None).json["key"]
    gate = create(desk).json["key"]
    assert desk.call("POST", "/monitoring/metrics/reset", token=operator).status_code == 200
    answer = desk.call("POST", "/monitoring/metrics/reset", token=gate)
    assert refusal(answer) == (403, "FORBIDDEN")
    for path in ("/users", "/auth/me", "/auth/sessions"):
        assert refusal(desk.call("GET", path, token=operator)) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"roles": ["platform_admin"]}, "VALIDATION_FAILED"),
        ({"roles": []}, "VALIDATION_FAILED"),
        ({"poiIds": None}, "INVALID_API_KEY"),
        ({"poiIds": []}, "INVALID_API_KEY"),
        ({"expiresAt": "2026-07-01T08:00:00Z"}, "INVALID_API_KEY"),
        ({"key": "apk_mine"}, "VALIDATION_FAILED"),
        ({"hash": "0" * 64}, "VALIDATION_FAILED"),
    ],
)
def test_what_a_key_cannot_be(desk: Desk, changes: dict[str, Any], code: str) -> None:
    assert refusal(create(desk, **changes)) == (422, code)
    assert desk.call("GET", "/api-keys", role="platform_admin").json["data"] == []


def test_a_key_ends_with_its_time_or_when_it_is_revoked(any_desk: Desk) -> None:
    desk = any_desk
    short, long = create(desk, expiresAt=later(desk.clock.now, hours=1)).json, create(desk).json
    for made in (short, long):
        assert desk.call("GET", "/monitoring/live", token=made["key"]).status_code == 200
    desk.clock.move(hours=1)
    assert refusal(desk.call("GET", "/monitoring/live", token=short["key"])) == (401, "TOKEN_INVALID")
    path = f"/api-keys/{long['id']}"
    assert desk.call("DELETE", path, role="platform_admin").status_code == 204
    assert refusal(desk.call("GET", "/monitoring/live", token=long["key"])) == (401, "TOKEN_INVALID")
    revoked = desk.call("GET", path, role="platform_admin").json["revokedAt"]
    desk.clock.move(hours=1)
    assert desk.call("DELETE", path, role="platform_admin").status_code == 204
    assert desk.call("GET", path, role="platform_admin").json["revokedAt"] == revoked
    answer = desk.call("DELETE", f"/api-keys/{uuid.uuid4()}", role="platform_admin")
    assert refusal(answer) == (404, "API_KEY_NOT_FOUND")


def test_a_slip_of_the_pen_is_seen_without_looking_anything_up(desk: Desk) -> None:
    key = create(desk).json["key"]
    for place in range(4, len(key), 5):
        other = "a" if key[place] != "a" else "b"
        touched = key[:place] + other + key[place + 1 :]
        assert not looks_right(touched)
        assert refusal(desk.call("GET", "/monitoring/live", token=touched)) == (401, "TOKEN_INVALID")
    for shape in ("apk_", key[:-1], key + "0", key.upper()):
        assert refusal(desk.call("GET", "/monitoring/live", token=shape)) == (401, "TOKEN_INVALID")


def test_the_last_use_is_recorded(any_desk: Desk) -> None:
    desk = any_desk
    made = create(desk).json
    path = f"/api-keys/{made['id']}"
    desk.clock.move(minutes=1)
    desk.call("GET", "/monitoring/live", token=made["key"])
    api_keys.keep_uses(desk.ports)
    assert desk.call("GET", path, role="platform_admin").json["lastUsedAt"] == "2026-07-01T08:01:00.000Z"
    desk.clock.move(minutes=4)
    for moment in ("2026-07-01T08:03:00Z", "2026-07-01T08:02:00Z", "2027-01-01T00:00:00Z"):
        uses = {"uses": [{"id": made["id"], "at": moment}]}
        assert desk.call("POST", "/auth/key-uses", uses, token=service(desk)).status_code == 204
        if moment != "2027-01-01T00:00:00Z":
            last = desk.call("GET", path, role="platform_admin").json["lastUsedAt"]
            assert last == "2026-07-01T08:03:00.000Z"
    # nobody uses a key in the future
    assert desk.call("GET", path, role="platform_admin").json["lastUsedAt"] == "2026-07-01T08:05:00.000Z"


def test_services_follow_what_credentials_have_become(any_desk: Desk) -> None:
    desk = any_desk
    user = person(desk, "editor")
    tokens, made = signed_in(desk), create(desk).json
    before = standing(desk)
    assert (before["endedSessions"], before["privileges"]) == ([], {str(user.id): 1})
    (key,) = before["apiKeys"]
    ends = int((desk.clock.now + timedelta(days=30)).timestamp())
    assert key == {
        "hash": key_hash(made["key"]), "id": made["id"], "roles": ["gate"], "poiIds": [PLACE],
        "expiresAt": ends,
    }  # fmt: skip
    desk.call("POST", "/auth/logout", token=tokens.access)
    headers = {"If-Match": '"1"'}
    desk.call("PATCH", f"/users/{user.id}", {"roles": []}, role="platform_admin", headers=headers)
    desk.call("DELETE", f"/api-keys/{made['id']}", role="platform_admin")
    after = standing(desk)
    assert after["endedSessions"] == [tokens.session_id]
    assert after["privileges"] == {str(user.id): 2}
    assert after["apiKeys"] == []
    assert after["generation"] > before["generation"]
    # told for as long as a token that knows nothing of it can be good
    desk.clock.move(minutes=20)
    create(desk)
    later_on = standing(desk)
    assert (later_on["endedSessions"], later_on["privileges"]) == ([], {})


def test_services_are_told_once(desk: Desk) -> None:
    first = desk.call("GET", "/auth/changes", token=service(desk))
    headers = {"If-None-Match": first.headers["ETag"]}
    again = desk.call("GET", "/auth/changes", token=service(desk), headers=headers)
    assert (again.status_code, again.data) == (304, b"")
    create(desk)
    changed = desk.call("GET", "/auth/changes", token=service(desk), headers=headers)
    assert changed.status_code == 200


def test_none_but_services_are_told(desk: Desk) -> None:
    key = create(desk, roles=["operator"], poiIds=None).json["key"]
    for token in (desk.token("operator"), desk.token("finance"), key):
        assert refusal(desk.call("GET", "/auth/changes", token=token)) == (403, "FORBIDDEN")
        answer = desk.call("POST", "/auth/key-uses", {"uses": []}, token=token)
        assert refusal(answer) == (403, "FORBIDDEN")
    assert refusal(desk.call("GET", "/auth/changes")) == (401, "UNAUTHENTICATED")
    assert refusal(desk.call("GET", "/users", token=service(desk))) == (403, "FORBIDDEN")


def test_a_service_token_is_for_one_service_and_five_minutes(desk: Desk) -> None:
    good = service(desk)
    assert desk.call("GET", "/auth/changes", token=good).status_code == 200
    bad = [service(desk, "ticketing"), good[:-2] + ("AA" if good[-2:] != "AA" else "BB"), "svc_", "svc_AAAA"]
    forged = ServiceTokens(lambda: (b"another secret, known to nobody",), desk.clock)
    for token in (*bad, forged.issue("ticketing", "admin")):
        assert refusal(desk.call("GET", "/auth/changes", token=token)) == (401, "TOKEN_INVALID")
    desk.clock.move(minutes=5)
    assert refusal(desk.call("GET", "/auth/changes", token=good)) == (401, "TOKEN_INVALID")


def test_with_two_service_keys_both_are_taken_and_the_first_signs(tmp_path) -> None:
    old, new = "o" * 32, "n" * 32
    desk = Desk(tmp_path, f"sqlite:///{tmp_path / 'store.db'}", SERVICE_KEY=f"{new},{old}")
    for secret in (old, new):
        token = signed_with(secret, desk)
        assert desk.call("GET", "/auth/changes", token=token).status_code == 200
    assert service(desk) == signed_with(new, desk)
    desk.close()


def signed_with(secret: str, desk: Desk) -> str:
    """A token of ticketing, signed with `secret`."""
    return ServiceTokens(lambda: (secret.encode(),), desk.clock).issue("ticketing", "admin")
