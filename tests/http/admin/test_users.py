"""Users, for those who govern: made, found, changed, disabled."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.http.admin.desk import Desk, Reply, pointers, refusal
from tests.http.admin.people import is_over, person, refreshed, signed_in

PLACE = str(uuid.UUID(int=1))
NEW = {"email": "Nia@Example.org", "name": "Nia New", "roles": ["editor", "reviewer", "editor"]}


def patch(desk: Desk, user: Any, body: dict[str, Any], version: int = 1) -> Reply:
    headers = {"If-Match": f'"{version}"'}
    return desk.call("PATCH", f"/users/{user}", body, role="platform_admin", headers=headers)


def test_a_user_is_made_read_and_found(any_desk: Desk) -> None:
    desk = any_desk
    answer = desk.call("POST", "/users", NEW, role="platform_admin")
    assert answer.status_code == 201
    made = answer.json
    assert answer.headers["Location"] == f"/api/admin/users/{made['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert (made["roles"], made["poiIds"], made["status"]) == (["editor", "reviewer"], None, "active")
    read = desk.call("GET", f"/users/{made['id']}", role="platform_admin")
    assert read.json == {**made, "lockedUntil": None}
    person(desk, "gate", email="gate@example.org", password=None)
    for query, found in (
        ("", ["gate@example.org", "Nia@Example.org"]), ("?q=nia", ["Nia@Example.org"]),
        ("?q=NEW", ["Nia@Example.org"]), ("?q=%25", []), ("?role=gate", ["gate@example.org"]),
        ("?role=reviewer", ["Nia@Example.org"]), ("?status=disabled", []),
    ):  # fmt: skip
        page = desk.call("GET", f"/users{query}", role="platform_admin").json
        assert [user["email"] for user in page["data"]] == found, query


def test_pages_hold_everybody_once(any_desk: Desk) -> None:
    desk = any_desk
    for number in range(7):
        person(desk, "editor", email=f"user{number}@example.org", password=None)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"limit=3&cursor={cursor}" if cursor else "limit=3"
        page = desk.call("GET", f"/users?{query}", role="platform_admin").json
        seen += [user["email"] for user in page["data"]]
        cursor = page["nextCursor"]
    assert seen == [f"user{number}@example.org" for number in range(7)]


def test_an_address_is_one_users_however_it_is_written(any_desk: Desk) -> None:
    desk = any_desk
    person(desk, "editor", email="nia@example.org")
    other = person(desk, "editor", email="bob@example.org")
    answer = desk.call("POST", "/users", NEW, role="platform_admin")
    assert refusal(answer) == (409, "EMAIL_TAKEN")
    assert refusal(patch(desk, other.id, {"email": "NIA@example.org"})) == (409, "EMAIL_TAKEN")


@pytest.mark.parametrize(
    "body, pointer",
    [
        ({**NEW, "roles": ["root"]}, "/roles/0"),
        ({**NEW, "email": "no address"}, "/email"),
        ({**NEW, "poiIds": ["x"]}, "/poiIds/0"),
        ({**NEW, "language": "tlh"}, "/language"),
        ({**NEW, "password": "secret secret"}, "/password"),
        ({**NEW, "passwordHash": "$argon2id$"}, "/passwordHash"),
        ({**NEW, "status": "active"}, "/status"),
        ({**NEW, "privileges": 9}, "/privileges"),
        ({**NEW, "id": PLACE}, "/id"),
        ({**NEW, "secondFactor": False}, "/secondFactor"),
    ],
)
def test_what_cannot_be_written_is_refused(desk: Desk, body: dict[str, Any], pointer: str) -> None:
    answer = desk.call("POST", "/users", body, role="platform_admin")
    assert refusal(answer) == (422, "VALIDATION_FAILED")
    assert [place for place, _ in pointers(answer)] == [pointer]
    assert desk.call("GET", "/users", role="platform_admin").json["data"] == []


def test_a_poi_owner_is_always_limited_to_places(desk: Desk) -> None:
    body = {**NEW, "roles": ["poi_owner", "ticket_manager"]}
    made = desk.call("POST", "/users", body, role="platform_admin").json
    assert made["poiIds"] == []
    assert patch(desk, made["id"], {"poiIds": [PLACE]}).json["poiIds"] == [PLACE]
    assert patch(desk, made["id"], {"poiIds": None}, 2).json["poiIds"] == []
    assert patch(desk, made["id"], {"roles": ["ticket_manager"], "poiIds": None}, 3).json["poiIds"] is None


def test_a_repeated_request_makes_one_user(any_desk: Desk) -> None:
    desk = any_desk
    headers = {"Idempotency-Key": "k" * 16}
    token = desk.token("platform_admin")
    first = desk.call("POST", "/users", NEW, token=token, headers=headers)
    again = desk.call("POST", "/users", NEW, token=token, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert desk.ports.store.outbox.depth(desk.clock.now)[0] == 1


def test_two_who_change_the_same_user_do_not_overwrite_each_other(any_desk: Desk) -> None:
    desk = any_desk
    user = person(desk, "editor")
    answer = desk.call("PATCH", f"/users/{user.id}", {"name": "X"}, role="platform_admin")
    assert refusal(answer) == (428, "PRECONDITION_REQUIRED")
    assert patch(desk, user.id, {"name": "Ann One"}).headers["ETag"] == '"2"'
    stale = patch(desk, user.id, {"name": "Ann Two"})
    assert refusal(stale) == (412, "VERSION_CONFLICT")
    assert desk.call("GET", f"/users/{user.id}", role="platform_admin").json["name"] == "Ann One"
    assert refusal(patch(desk, uuid.uuid4(), {"name": "X"})) == (404, "USER_NOT_FOUND")


def test_other_privileges_hold_at_once_for_who_is_signed_in(any_desk: Desk) -> None:
    desk = any_desk
    user = person(desk, "platform_admin")
    person(desk, "platform_admin", email="root@example.org")
    tokens = signed_in(desk)
    assert desk.call("GET", "/users", token=tokens.access).status_code == 200
    assert patch(desk, user.id, {"roles": ["editor"]}).status_code == 200
    # the old token says more than its owner may do: a fresh one is to be had
    assert refusal(desk.call("GET", "/users", token=tokens.access)) == (401, "TOKEN_EXPIRED")
    fresh = refreshed(desk, tokens)
    assert refusal(desk.call("GET", "/users", token=fresh.access)) == (403, "FORBIDDEN")
    assert desk.call("GET", "/auth/me", token=fresh.access).json["user"]["roles"] == ["editor"]


def test_another_name_takes_nothing_from_who_is_signed_in(desk: Desk) -> None:
    user = person(desk, "editor")
    tokens = signed_in(desk)
    assert patch(desk, user.id, {"name": "Ann Other", "email": "other@example.org"}).status_code == 200
    me = desk.call("GET", "/auth/me", token=tokens.access)
    assert (me.status_code, me.json["user"]["name"]) == (200, "Ann Other")


def test_a_disabled_user_loses_every_session_and_may_come_back(any_desk: Desk) -> None:
    desk = any_desk
    user = person(desk, "editor")
    tokens = signed_in(desk)
    path = f"/users/{user.id}"
    answer = desk.call("DELETE", path, role="platform_admin", headers={"If-Match": '"1"'})
    assert answer.status_code == 204
    assert desk.call("GET", "/auth/me", token=tokens.access).status_code == 401
    assert is_over(desk, tokens)
    assert desk.call("GET", path, role="platform_admin").json["status"] == "disabled"
    assert patch(desk, user.id, {"status": "active"}, 2).status_code == 200
    assert is_over(desk, tokens)
    signed_in(desk)


def test_somebody_always_administers_the_platform(any_desk: Desk) -> None:
    desk = any_desk
    root = person(desk, "platform_admin")
    other = person(desk, "platform_admin", email="bob@example.org")
    assert patch(desk, other.id, {"roles": ["editor"]}).status_code == 200
    assert refusal(patch(desk, root.id, {"roles": []})) == (409, "LAST_ADMINISTRATOR")
    assert refusal(patch(desk, root.id, {"status": "disabled"})) == (409, "LAST_ADMINISTRATOR")
    path = f"/users/{root.id}"
    answer = desk.call("DELETE", path, role="platform_admin", headers={"If-Match": '"1"'})
    assert refusal(answer) == (409, "LAST_ADMINISTRATOR")
    assert desk.call("GET", path, role="platform_admin").json["version"] == 1


def test_an_administrator_ends_a_users_sessions(desk: Desk) -> None:
    user = person(desk, "editor")
    tokens = signed_in(desk)
    path = f"/users/{user.id}/sessions"
    listed = desk.call("GET", path, role="platform_admin").json["data"]
    assert [(each["id"], each["current"]) for each in listed] == [(tokens.session_id, False)]
    assert desk.call("DELETE", path, role="platform_admin").status_code == 204
    assert refusal(desk.call("GET", "/auth/me", token=tokens.access)) == (401, "TOKEN_INVALID")
    for method in ("GET", "DELETE"):
        answer = desk.call(method, f"/users/{uuid.uuid4()}/sessions", role="platform_admin")
        assert refusal(answer) == (404, "USER_NOT_FOUND")


def test_a_change_is_in_the_audit_trail_with_before_and_after(desk: Desk) -> None:
    user = person(desk, "editor")
    patch(desk, user.id, {"roles": ["reviewer"], "name": "Ann Example"})
    event = desk.ports.store.audit.after(0, 10)[-1].event
    assert (event.action, event.subject) == ("users.update", str(user.id))
    assert (event.before, event.after) == ({"roles": ["editor"]}, {"roles": ["reviewer"]})
    assert event.origin.actor.startswith("access:")
