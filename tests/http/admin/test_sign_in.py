"""Signing in with a password, going on, and being locked out."""

from __future__ import annotations

import uuid

import jwt
import pytest

from admin_service.actions import upkeep
from tests.http.admin.desk import Desk, Reply, refusal
from tests.http.admin.people import (
    OTHER_PASSWORD,
    PASSWORD,
    login,
    person,
    refreshed,
    signed_in,
    tokens_of,
)


def test_who_signs_in_gets_an_access_token_that_says_what_it_may(any_desk: Desk) -> None:
    desk, places = any_desk, (uuid.UUID(int=1), uuid.UUID(int=2))
    user = person(desk, "poi_owner", "editor", poi_ids=places)
    answer = login(desk)
    assert answer.status_code == 200
    assert answer.json["expiresIn"] == 900
    assert answer.json["user"]["email"] == "ann@example.org"
    claims = jwt.decode(answer.json["accessToken"], options={"verify_signature": False})
    now = int(desk.clock.now.timestamp())
    assert claims == {
        "iss": "http://desk.test:3001", "aud": "destination", "sub": str(user.id), "iat": now,
        "exp": now + 900, "sid": answer.json["sessionId"], "ver": 1, "roles": ["editor", "poi_owner"],
        "poiIds": [str(place) for place in places],
    }  # fmt: skip
    header = jwt.get_unverified_header(answer.json["accessToken"])
    assert (header["alg"], header["typ"]) == ("EdDSA", "at+jwt")
    me = desk.call("GET", "/auth/me", token=answer.json["accessToken"]).json
    assert me["user"]["lastSignInAt"] == "2026-07-01T08:00:00.000Z"
    assert "pois:update" in me["permissions"]
    assert "users:read" not in me["permissions"]


def test_an_access_token_ends_after_15_minutes(desk: Desk) -> None:
    person(desk, "editor")
    tokens = signed_in(desk)
    desk.clock.move(minutes=14, seconds=59)
    assert desk.call("GET", "/auth/me", token=tokens.access).status_code == 200
    desk.clock.move(seconds=1)
    assert refusal(desk.call("GET", "/auth/me", token=tokens.access)) == (401, "TOKEN_EXPIRED")


def test_a_browser_keeps_the_refresh_token_where_no_script_reads_it(desk: Desk) -> None:
    person(desk, "editor")
    answer = login(desk, refreshTokenIn="cookie")
    assert "refreshToken" not in answer.json
    cookie = answer.headers["Set-Cookie"]
    for part in ("refresh=rft_", "HttpOnly", "SameSite=Strict", "Path=/api/v1/admin/auth", "Max-Age=604800"):
        assert part in cookie
    assert "Secure" not in cookie
    token = cookie.partition("refresh=")[2].partition(";")[0]
    answer = desk.call("POST", "/auth/refresh", {}, headers={"Cookie": f"refresh={token}"})
    assert answer.status_code == 200
    assert "refreshToken" not in answer.json
    following = answer.headers["Set-Cookie"].partition("refresh=")[2].partition(";")[0]
    assert following != token
    out = desk.call("POST", "/auth/logout", token=answer.json["accessToken"])
    assert out.status_code == 204
    assert "Expires=Thu, 01 Jan 1970" in out.headers["Set-Cookie"]
    answer = desk.call("POST", "/auth/refresh", {}, headers={"Cookie": f"refresh={following}"})
    assert refusal(answer) == (401, "SESSION_ENDED")


def refreshed_by_tab(desk: Desk, cookie: str) -> Reply:
    """What a tab gets whose browser sends `cookie`."""
    return desk.call("POST", "/auth/refresh", {}, headers={"Cookie": cookie})


def cookie_of(answer: Reply) -> str:
    """What the browser sends from then on."""
    assert answer.status_code == 200, answer.json
    cookie: str = answer.headers["Set-Cookie"].partition(";")[0]
    return cookie


def test_two_tabs_that_refresh_together_both_go_on(any_desk: Desk) -> None:
    desk = any_desk
    person(desk, "editor")
    first = cookie_of(login(desk, refreshTokenIn="cookie"))
    desk.clock.move(minutes=10)
    one = refreshed_by_tab(desk, first)
    second = cookie_of(one)
    ends_at = desk.call("GET", "/auth/sessions", token=one.json["accessToken"]).json["data"][0]["expiresAt"]
    desk.clock.move(seconds=9)
    other = refreshed_by_tab(desk, first)
    assert other.status_code == 200, other.json
    assert "Set-Cookie" not in other.headers
    assert other.json["sessionId"] == one.json["sessionId"]
    shown = desk.call("GET", "/auth/sessions", token=other.json["accessToken"]).json["data"]
    assert [each["expiresAt"] for each in shown] == [ends_at]
    assert refreshed_by_tab(desk, second).status_code == 200


@pytest.mark.parametrize("case", ["later", "after the next one was used", "in a body"])
def test_a_browsers_used_token_is_good_a_moment_only_for_its_tabs(desk: Desk, case: str) -> None:
    person(desk, "editor")
    first = cookie_of(login(desk, refreshTokenIn="cookie"))
    desk.clock.move(minutes=10)
    second = cookie_of(refreshed_by_tab(desk, first))
    last = second
    if case == "later":
        desk.clock.move(seconds=10)
    elif case == "after the next one was used":
        desk.clock.move(seconds=1)
        last = cookie_of(refreshed_by_tab(desk, second))
    if case == "in a body":
        body = {"refreshToken": first.partition("=")[2]}
        thief = desk.call("POST", "/auth/refresh", body)
    else:
        thief = refreshed_by_tab(desk, first)
    assert refusal(thief) == (401, "SESSION_ENDED")
    assert refusal(refreshed_by_tab(desk, last)) == (401, "SESSION_ENDED")


def test_the_cookie_of_a_site_with_tls_is_secure(tmp_path) -> None:
    desk = Desk(tmp_path, f"sqlite:///{tmp_path / 'store.db'}", PUBLIC_URL="https://desk.test")
    person(desk, "editor")
    cookie = login(desk, refreshTokenIn="cookie").headers["Set-Cookie"]
    assert cookie.startswith("__Secure-refresh=rft_")
    assert "; Secure;" in cookie
    desk.close()


def test_a_refresh_token_is_good_once_and_then_ends_its_session(any_desk: Desk) -> None:
    desk = any_desk
    person(desk, "editor")
    first, other = signed_in(desk), signed_in(desk)
    second = refreshed(desk, first)
    third = refreshed(desk, second)
    assert desk.call("GET", "/auth/me", token=third.access).status_code == 200
    again = desk.call("POST", "/auth/refresh", {"refreshToken": first.refresh})
    assert refusal(again) == (401, "SESSION_ENDED")
    # the thief's and the owner's alike, and the access tokens at once
    last = desk.call("POST", "/auth/refresh", {"refreshToken": third.refresh})
    assert refusal(last) == (401, "SESSION_ENDED")
    assert refusal(desk.call("GET", "/auth/me", token=third.access)) == (401, "TOKEN_INVALID")
    assert desk.call("GET", "/auth/me", token=other.access).status_code == 200
    refreshed(desk, other)
    entries = desk.ports.store.audit.after(0, 100)
    assert [entry.event.action for entry in entries][-1] == "sessions.reuse"


def test_a_session_ends_after_seven_days_without_use_and_after_thirty_in_all(desk: Desk) -> None:
    person(desk, "editor")
    idle = signed_in(desk)
    desk.clock.move(days=7)
    assert refusal(desk.call("POST", "/auth/refresh", {"refreshToken": idle.refresh})) == (
        401,
        "SESSION_ENDED",
    )
    used = signed_in(desk)
    for _ in range(4):
        desk.clock.move(days=6, hours=23)
        used = refreshed(desk, used)
    desk.clock.move(days=3)
    assert refusal(desk.call("POST", "/auth/refresh", {"refreshToken": used.refresh})) == (
        401,
        "SESSION_ENDED",
    )


@pytest.mark.parametrize("token", ["rft_unknown", "x", "x" * 2000])
def test_what_is_no_refresh_token_is_refused(desk: Desk, token: str) -> None:
    assert refusal(desk.call("POST", "/auth/refresh", {"refreshToken": token})) == (401, "SESSION_ENDED")
    assert refusal(desk.call("POST", "/auth/refresh", {})) == (401, "SESSION_ENDED")


def test_an_unknown_address_costs_and_tells_what_a_wrong_password_does(desk: Desk) -> None:
    person(desk, "editor")
    person(desk, "editor", email="new@example.org", password=None)
    answers, costs = [], []
    for email in ("ann@example.org", "nobody@example.org", "new@example.org"):
        before = desk.passwords.computed
        answer = login(desk, email, "not the password at all")
        costs.append(desk.passwords.computed - before)
        body = {name: value for name, value in answer.json.items() if name != "instance"}
        answers.append((answer.status_code, body, sorted(answer.headers.keys())))
    assert costs == [1, 1, 1]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][1]["code"] == "SIGN_IN_REFUSED"


def test_a_disabled_user_is_refused_like_a_stranger(desk: Desk) -> None:
    user = person(desk, "editor")
    person(desk, "platform_admin", email="root@example.org")
    tokens = signed_in(desk)
    answer = desk.call(
        "PATCH",
        f"/users/{user.id}",
        {"status": "disabled"},
        role="platform_admin",
        headers={"If-Match": '"1"'},
    )  # fmt: skip
    assert answer.status_code == 200
    before = desk.passwords.computed
    assert refusal(login(desk)) == (401, "SIGN_IN_REFUSED")
    assert desk.passwords.computed == before + 1
    assert desk.call("GET", "/auth/me", token=tokens.access).status_code == 401
    assert refusal(desk.call("POST", "/auth/refresh", {"refreshToken": tokens.refresh})) == (
        401,
        "SESSION_ENDED",
    )


@pytest.mark.parametrize("email", ["ann@example.org", "nobody@example.org"])
def test_five_failures_lock_an_address_for_two_hours_known_or_not(any_desk: Desk, email: str) -> None:
    desk = any_desk
    person(desk, "editor")
    for _ in range(4):
        assert refusal(login(desk, email, "wrong password")) == (401, "SIGN_IN_REFUSED")
    # however it is written, it is the same address
    assert refusal(login(desk, email.upper(), "wrong password")) == (401, "SIGN_IN_REFUSED")
    before = desk.passwords.computed
    locked = login(desk, email, PASSWORD)
    assert refusal(locked) == (423, "ACCOUNT_LOCKED")
    assert locked.headers["Retry-After"] == "7200"
    assert locked.json["lockedUntil"] == "2026-07-01T10:00:00.000Z"
    assert desk.passwords.computed == before, "a locked address costs no hash"
    desk.clock.move(hours=1, minutes=59, seconds=59)
    assert refusal(login(desk, email, PASSWORD)) == (423, "ACCOUNT_LOCKED")
    desk.clock.move(seconds=1)
    expected = 200 if email == "ann@example.org" else 401
    assert login(desk, email, PASSWORD).status_code == expected


def test_a_lock_stops_new_sign_ins_only(desk: Desk) -> None:
    person(desk, "editor")
    tokens = signed_in(desk)
    for _ in range(6):
        login(desk, password="wrong password")
    assert refusal(login(desk)) == (423, "ACCOUNT_LOCKED")
    assert desk.call("GET", "/auth/me", token=tokens.access).status_code == 200
    refreshed(desk, tokens)


def test_a_success_forgets_the_failures_before_it(desk: Desk) -> None:
    person(desk, "editor")
    for _ in range(3):
        for _ in range(4):
            login(desk, password="wrong password")
        signed_in(desk)


def test_failures_are_forgotten_after_two_hours(desk: Desk) -> None:
    for _ in range(3):
        for _ in range(4):
            assert refusal(login(desk, password="wrong")) == (401, "SIGN_IN_REFUSED")
        desk.clock.move(hours=2)
    upkeep.purge(desk.ports)


def test_an_administrator_unlocks_a_user(desk: Desk) -> None:
    user = person(desk, "editor")
    for _ in range(5):
        login(desk, password="wrong password")
    shown = desk.call("GET", f"/users/{user.id}", role="platform_admin")
    assert shown.json["lockedUntil"] == "2026-07-01T10:00:00.000Z"
    assert refusal(login(desk)) == (423, "ACCOUNT_LOCKED")
    assert desk.call("POST", f"/users/{user.id}/unlock", role="platform_admin").status_code == 204
    assert login(desk).status_code == 200
    assert desk.call("GET", f"/users/{user.id}", role="platform_admin").json["lockedUntil"] is None


def test_sessions_are_listed_and_ended(any_desk: Desk) -> None:
    desk = any_desk
    person(desk, "editor")
    person(desk, "editor", email="bob@example.org")
    one, two, three = signed_in(desk), signed_in(desk), signed_in(desk)
    foreign = signed_in(desk, "bob@example.org")
    listed = desk.call("GET", "/auth/sessions", token=one.access).json["data"]
    assert {each["id"] for each in listed} == {one.session_id, two.session_id, three.session_id}
    assert [each["id"] for each in listed if each["current"]] == [one.session_id]
    path = f"/auth/sessions/{two.session_id}"
    assert desk.call("DELETE", path, token=one.access).status_code == 204
    assert refusal(desk.call("DELETE", path, token=one.access)) == (404, "SESSION_NOT_FOUND")
    assert refusal(desk.call("GET", "/auth/me", token=two.access)) == (401, "TOKEN_INVALID")
    path = f"/auth/sessions/{foreign.session_id}"
    assert refusal(desk.call("DELETE", path, token=one.access)) == (404, "SESSION_NOT_FOUND")
    assert desk.call("GET", "/auth/me", token=foreign.access).status_code == 200
    assert desk.call("DELETE", "/auth/sessions", token=one.access).status_code == 204
    assert desk.call("GET", "/auth/me", token=one.access).status_code == 200
    assert refusal(desk.call("GET", "/auth/me", token=three.access)) == (401, "TOKEN_INVALID")


def test_another_process_learns_of_the_end_of_a_session(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    one = Desk(tmp_path, url)
    other = Desk(tmp_path, url, one.clock)
    person(one, "editor")
    tokens = signed_in(one)
    assert other.call("GET", "/auth/me", token=tokens.access).status_code == 200
    assert one.call("POST", "/auth/logout", token=tokens.access).status_code == 204
    assert refusal(other.call("GET", "/auth/me", token=tokens.access)) == (401, "TOKEN_INVALID")
    one.close()
    other.close()


def test_what_is_over_is_forgotten_and_nothing_else(any_desk: Desk) -> None:
    desk = any_desk
    person(desk, "editor")
    old = signed_in(desk)
    refreshed(desk, old)
    desk.clock.move(days=8, seconds=1)
    living = signed_in(desk)
    upkeep.purge(desk.ports)
    assert desk.ports.store.sessions.get(uuid.UUID(old.session_id)) is None
    refreshed(desk, living)


def test_every_sign_in_is_in_the_audit_trail_without_a_secret(desk: Desk) -> None:
    user = person(desk, "editor")
    login(desk, password="hunter2 hunter2")
    login(desk, "nobody@example.org")
    tokens = tokens_of(login(desk))
    events = [entry.event for entry in desk.ports.store.audit.after(0, 100)]
    assert [event.action for event in events] == [
        "users.create", "sessions.refused", "sessions.refused", "sessions.create",
    ]  # fmt: skip
    assert events[3].subject == str(user.id)
    assert events[3].origin.address == "127.0.0.1"
    assert events[3].origin.request_id
    written = repr(events)
    for secret in ("hunter2", PASSWORD, OTHER_PASSWORD, tokens.access, tokens.refresh, "nobody@", "$argon2"):
        assert secret not in written


def test_outcomes_are_counted(desk: Desk) -> None:
    person(desk, "editor")
    login(desk)
    for _ in range(6):
        login(desk, "nobody@example.org")
    text = desk.call("GET", "/monitoring/metrics/prometheus").text
    for outcome, number in (("success", 1), ("refused", 5), ("locked", 1)):
        assert f'admin_logins_total{{outcome="{outcome}"}} {number}' in text
