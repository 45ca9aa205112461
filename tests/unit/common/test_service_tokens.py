"""A service is known by a token that only a service can have made, for this service, and not long ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from common.auth.service_tokens import LEEWAY, LIFETIME, PREFIX, ServiceTokens, shared_keys

KEY, OTHER = b"k" * 32, b"o" * 32
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def admin(clock: Clock, *keys: bytes) -> ServiceTokens:
    return ServiceTokens("admin", lambda: keys or (KEY,), clock)


def ticketing(clock: Clock, *keys: bytes) -> ServiceTokens:
    return ServiceTokens("ticketing", lambda: keys or (KEY,), clock)


def forged(**changes: Any) -> str:
    header = {"typ": changes.pop("typ", "service+jwt")}
    key, algorithm = changes.pop("key", KEY), changes.pop("algorithm", "HS256")
    claims = {"iss": "ticketing", "aud": "admin", "iat": NOW.timestamp(), "exp": NOW.timestamp() + 300}
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return PREFIX + jwt.encode(claims, key, algorithm=algorithm, headers=header)


def test_a_service_is_known_to_the_other() -> None:
    clock = Clock()
    caller = admin(clock).caller(ticketing(clock).issue("admin"))
    assert caller is not None
    assert (caller.kind, caller.subject, caller.roles) == ("service", "ticketing", frozenset())


def test_a_forged_token_that_is_right_in_all_is_good() -> None:
    assert admin(Clock()).caller(forged()) is not None  # else the cases below would prove nothing


@pytest.mark.parametrize(
    "changes",
    [
        {"key": OTHER},
        {"key": None, "algorithm": "none"},
        {"algorithm": "HS512"},
        {"aud": "ticketing"},
        {"aud": None},
        {"iss": None},
        {"exp": None},
        {"iat": None},
        {"exp": "soon"},
        {"exp": True},
        {"typ": "at+jwt"},
        {"exp": NOW.timestamp() - 31},
        {"iat": NOW.timestamp() + 301},
    ],
)
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_another_one_is_not(changes: dict[str, Any]) -> None:
    assert admin(Clock()).caller(forged(**changes)) is None


@pytest.mark.parametrize("token", ["", PREFIX, PREFIX + "a.b.c", PREFIX + "ä", PREFIX + "." * 99])
def test_nonsense_is_not(token: str) -> None:
    assert admin(Clock()).caller(token) is None


def test_a_token_ends() -> None:
    clock = Clock()
    token = ticketing(clock).issue("admin")
    clock.now += LIFETIME + LEEWAY
    assert admin(clock).caller(token) is not None
    clock.now += timedelta(seconds=1)
    assert admin(clock).caller(token) is None


def test_while_the_key_is_rotated_both_are_good() -> None:
    clock = Clock()
    assert admin(clock, OTHER, KEY).caller(ticketing(clock).issue("admin")) is not None
    assert ticketing(clock).caller(admin(clock, OTHER, KEY).issue("ticketing")) is None


def test_without_a_key_services_that_share_a_folder_share_one(tmp_path: Path) -> None:
    clock = Clock()
    one = ServiceTokens("ticketing", shared_keys((), tmp_path), clock)
    other = ServiceTokens("admin", shared_keys((), tmp_path), clock)
    apart = ServiceTokens("admin", shared_keys((), tmp_path / "elsewhere"), clock)
    token = one.issue("admin")
    assert other.caller(token) is not None
    assert apart.caller(token) is None
    assert shared_keys(("x" * 32, "y" * 32), tmp_path)() == (b"x" * 32, b"y" * 32)
