"""People at the desk: users with passwords, and what they do to sign in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from admin_service.actions import users
from admin_service.actions.users import CreateUser
from admin_service.domain.audit import Origin
from admin_service.domain.second_factor import code_at
from admin_service.domain.users import User
from tests.http.admin.desk import Desk, Reply

PASSWORD = "a herd of purple bicycles"
OTHER_PASSWORD = "seven quiet lanterns 42"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a sign-in gave."""

    access: str
    refresh: str
    session_id: str


def person(
    desk: Desk,
    *roles: str,
    email: str = "ann@example.org",
    password: str | None = PASSWORD,
    poi_ids: tuple[uuid.UUID, ...] | None = None,
) -> User:
    """A user with a password."""
    hashed = None if password is None else desk.ports.passwords.hashed(password)
    command = CreateUser(
        email=email, name="Ann Example", roles=roles, poi_ids=poi_ids, password_hash=hashed,
        origin=Origin(actor="test"),
    )  # fmt: skip
    return users.create_user(command, desk.ports)


def login(desk: Desk, email: str = "ann@example.org", password: str = PASSWORD, **more: Any) -> Reply:
    """POST auth/login, with the refresh token in the body."""
    body = {"email": email, "password": password, "refreshTokenIn": "body", **more}
    return desk.call("POST", "/auth/login", body)


def signed_in(desk: Desk, email: str = "ann@example.org", password: str = PASSWORD) -> Tokens:
    """Sign in, without a second factor."""
    return tokens_of(login(desk, email, password))


def tokens_of(answer: Reply) -> Tokens:
    """Those in the body of an answer."""
    assert answer.status_code == 200, answer.json
    body = answer.json
    return Tokens(body["accessToken"], body["refreshToken"], body["sessionId"])


def refreshed(desk: Desk, tokens: Tokens) -> Tokens:
    """The next ones."""
    return tokens_of(desk.call("POST", "/auth/refresh", {"refreshToken": tokens.refresh}))


def enrolled(desk: Desk, access: str) -> tuple[str, list[str]]:
    """Set up a second factor; its secret and the recovery codes."""
    secret = desk.call("POST", "/auth/mfa/enrol", {"password": PASSWORD}, token=access).json["secret"]
    body = {"code": code_at(secret, desk.clock.now)}
    answer = desk.call("POST", "/auth/mfa/confirm", body, token=access)
    assert answer.status_code == 200, answer.json
    return secret, answer.json["recoveryCodes"]


def is_over(desk: Desk, tokens: Tokens) -> bool:
    """Whether the session cannot be refreshed any more."""
    answer = desk.call("POST", "/auth/refresh", {"refreshToken": tokens.refresh})
    return answer.status_code == 401 and answer.json["code"] == "SESSION_ENDED"
