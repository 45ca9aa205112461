"""Codes by time and recovery codes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from admin_service.domain.second_factor import (
    code_at,
    new_recovery_codes,
    new_secret,
    recovery_hash,
    step_of,
)

# RFC 6238, appendix B: the secret of its SHA-1 vectors, in base32
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
VECTORS = [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"),
           (2000000000, "279037"), (20000000000, "353130")]  # fmt: skip


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize("seconds, code", VECTORS)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert code_at(SECRET, at(seconds)) == code
    assert step_of(SECRET, code, at(seconds), 0) == seconds // 30


def test_a_clock_may_be_half_a_minute_off_and_no_more() -> None:
    now = at(1_900_000_015)
    for off, good in ((-60, False), (-30, True), (0, True), (30, True), (60, False)):
        code = code_at(SECRET, now + timedelta(seconds=off))
        assert (step_of(SECRET, code, now, 0) is not None) is good, off


def test_a_step_that_was_used_and_those_before_are_over() -> None:
    now = at(1_900_000_015)
    step = step_of(SECRET, code_at(SECRET, now), now, 0)
    assert step is not None
    assert step_of(SECRET, code_at(SECRET, now), now, step) is None
    assert step_of(SECRET, code_at(SECRET, now - timedelta(seconds=30)), now, step) is None
    assert step_of(SECRET, code_at(SECRET, now + timedelta(seconds=30)), now, step) == step + 1


def test_secrets_and_recovery_codes_are_many_and_differ() -> None:
    assert len({new_secret() for _ in range(50)}) == 50
    assert {len(new_secret()) for _ in range(5)} == {32}
    codes = [code for _ in range(20) for code in new_recovery_codes()]
    assert len(set(codes)) == 200
    assert all(len(code) == 17 for code in codes)


def test_a_recovery_code_is_the_same_however_it_is_typed() -> None:
    code = new_recovery_codes()[0]
    assert recovery_hash(f" {code.upper()} ") == recovery_hash(code) == recovery_hash(code.replace("-", "- "))
    assert recovery_hash(code) != recovery_hash(code[:-1] + ("a" if code[-1] != "a" else "b"))
