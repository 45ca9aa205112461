"""Hashes, seals and tokens of services."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from common.auth.passwords import Argon2Passwords
from common.auth.sealing import SealBroken, Sealing
from common.auth.service_tokens import ServiceTokens
from common.resilience.refusals import BulkheadFull

NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)
CHEAP = Argon2Passwords(memory_kib=8, passes=1)


class Ring:
    """Secrets that a test owns."""

    def __init__(self, *names: str) -> None:
        self.secrets = {name: name.encode().ljust(32, b".") for name in names}

    def keys(self) -> dict[str, bytes]:
        return self.secrets

    def newest(self) -> tuple[str, bytes]:
        *_, name = self.secrets
        return name, self.secrets[name]


@pytest.mark.parametrize("stored", ["", "$argon2id$", "plain", "$2b$12$" + "x" * 53, "x" * 500])
def test_what_is_no_hash_is_nobodys_password(stored: str) -> None:
    assert CHEAP.is_it(stored, stored) is False


def test_the_hash_for_nobody_is_never_it() -> None:
    assert CHEAP.is_it(None, "") is False
    assert CHEAP.is_it(None, "\x00 nobody's password") is False
    assert CHEAP.is_it(CHEAP.hashed("x"), "x") is True
    assert CHEAP.hashed("x") != CHEAP.hashed("x"), "salted"


def test_so_many_hashes_are_computed_at_once_and_no_more() -> None:
    passwords = Argon2Passwords(memory_kib=8, passes=1, at_once=1)
    passwords._places._patience = 0.0
    inside, leave = threading.Event(), threading.Event()

    class Slow:
        def hash(self, password: str) -> str:
            inside.set()
            leave.wait(10)
            return password

    passwords._hasher = Slow()  # type: ignore[assignment]
    first = threading.Thread(target=passwords.hashed, args=("x",))
    first.start()
    assert inside.wait(10)
    with pytest.raises(BulkheadFull):
        passwords.hashed("y")
    leave.set()
    first.join()
    assert passwords.hashed("y") == "y"


def test_a_seal_outlives_a_rotation_and_ends_with_its_key() -> None:
    ring = Ring("a")
    sealing = Sealing(ring)
    old = sealing.seal("secret", "ann")
    ring.secrets["b"] = b"b" * 32
    new = sealing.seal("secret", "ann")
    assert (old.partition(".")[0], new.partition(".")[0]) == ("a", "b")
    assert [sealing.open(text, "ann") for text in (old, new)] == ["secret", "secret"]
    assert sealing.seal("secret", "ann") != new
    del ring.secrets["a"]
    with pytest.raises(SealBroken):
        sealing.open(old, "ann")


def test_a_service_token_is_of_who_signed_it_for_whom_it_names() -> None:
    moment = [NOW]
    tokens = ServiceTokens(lambda: (b"new", b"old"), lambda: moment[0])
    token = tokens.issue("ticketing", "admin")
    caller = tokens.caller(token, "admin")
    assert caller is not None
    assert (caller.kind, caller.subject, caller.roles) == ("service", "ticketing", frozenset())
    assert tokens.caller(token, "ticketing") is None
    assert ServiceTokens(lambda: (b"x", b"new"), lambda: NOW).caller(token, "admin") is not None
    assert ServiceTokens(lambda: (b"old",), lambda: NOW).caller(token, "admin") is None
    for broken in (token[:-3], token + "A", token.replace("svc_", "svc_A"), "svc_", "svc_é"):
        assert tokens.caller(broken, "admin") is None
    moment[0] = NOW + timedelta(minutes=5)
    assert tokens.caller(token, "admin") is None
    moment[0] = NOW - timedelta(minutes=1)
    assert tokens.caller(token, "admin") is None, "from the future"
