"""What is known of credentials: how it travels, how it is followed, and what it does to callers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import pytest

from common.auth.api_keys import key_hash, looks_right, made_key
from common.auth.policy import Caller
from common.auth.standing import (
    FixedStanding,
    KeyUses,
    KnownKey,
    Standing,
    read_standing,
    standing_document,
)
from common.auth.standing_checks import ApiKeys, StandingVerifier
from common.auth.store_standing import LOOK_SECONDS, StoreStanding
from common.database import StoreUnavailable
from common.web.problems import Problem

NOW = datetime(2026, 7, 1, 8, tzinfo=UTC)
KEY_ID = UUID(int=7)
KEY = made_key(b"s" * 32, KEY_ID)
KNOWN = KnownKey(id=KEY_ID, roles=("gate",), poi_ids=(UUID(int=1),), expires_at=NOW + timedelta(hours=1))
STANDING = Standing(
    generation=3, ended=frozenset({"s-1"}), privileges={"u-1": 2}, keys={key_hash(KEY): KNOWN}
)


class Source:
    """Stands still until it is given another."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing

    def current(self) -> Standing:
        return self.standing


class Tokens:
    """Reads every token as the same claims."""

    def __init__(self, **claims: object) -> None:
        self.claims = claims

    def caller(self, token: str) -> Caller:
        return Caller(kind="access", subject="u-1", claims=self.claims)


def test_it_travels_whole() -> None:
    assert read_standing(orjson.loads(orjson.dumps(standing_document(STANDING)))) == STANDING
    anywhere = Standing(keys={"h": KnownKey(id=KEY_ID, roles=(), poi_ids=None, expires_at=NOW)})
    assert read_standing(standing_document(anywhere)) == anywhere


@pytest.mark.parametrize(
    "document",
    [None, [], {}, {"generation": 1}, {**standing_document(STANDING), "apiKeys": [{}]},
     {**standing_document(STANDING), "privileges": {"u": "x"}},
     {**standing_document(STANDING), "apiKeys": [{**standing_document(STANDING)["apiKeys"][0], "id": "x"}]}],
)  # fmt: skip
def test_what_is_none_is_refused_whole(document: object) -> None:
    with pytest.raises(ValueError):
        read_standing(document)


@pytest.mark.parametrize(
    "claims, code",
    [
        ({"sid": "s-2", "ver": 2}, None),
        ({"sid": "s-2", "ver": 3}, None),
        ({"sid": "s-1", "ver": 2}, "TOKEN_INVALID"),
        ({"sid": "s-2", "ver": 1}, "TOKEN_EXPIRED"),
        ({"sid": "s-2"}, "TOKEN_EXPIRED"),
        ({"sid": "s-2", "ver": "9"}, "TOKEN_EXPIRED"),
        ({"ver": 2}, None),
    ],
)
def test_tokens_are_held_to_it(claims: dict[str, object], code: str | None) -> None:
    verifier = StandingVerifier(Tokens(**claims), Source(STANDING))
    if code is None:
        assert verifier.caller("x").subject == "u-1"
        return
    with pytest.raises(Problem) as refused:
        verifier.caller("x")
    assert refused.value.code == code
    assert StandingVerifier(Tokens(**claims), FixedStanding()).caller("x").subject == "u-1"


def test_keys_are_good_until_their_time_and_their_use_is_noted() -> None:
    uses, now = KeyUses(), [NOW]
    keys = ApiKeys(Source(STANDING), lambda: now[0], uses.note)
    caller = keys.caller(KEY)
    assert caller is not None
    assert (caller.kind, caller.subject, sorted(caller.roles)) == ("api-key", str(KEY_ID), ["gate"])
    assert caller.poi_ids == frozenset({UUID(int=1)})
    assert keys.caller(made_key(b"t" * 32, KEY_ID)) is None
    assert keys.caller(KEY[:-1]) is None
    now[0] = KNOWN.expires_at
    assert keys.caller(KEY) is None
    assert uses.taken() == {KEY_ID: NOW}
    assert uses.taken() == {}


def test_uses_that_could_not_be_told_are_told_later_unless_there_are_later_ones() -> None:
    uses, other = KeyUses(), UUID(int=8)
    uses.note(KEY_ID, NOW)
    uses.note(other, NOW)
    taken = uses.taken()
    uses.note(KEY_ID, NOW + timedelta(seconds=1))
    uses.give_back(taken)
    assert uses.taken() == {KEY_ID: NOW + timedelta(seconds=1), other: NOW}


def test_a_key_shows_every_slip_of_one_letter() -> None:
    assert looks_right(KEY)
    for place, letter in enumerate(KEY):
        for other in "0aZ":
            if other != letter and place >= 4:
                assert not looks_right(KEY[:place] + other + KEY[place + 1 :])


class Kept:
    """A store's standing, which counts how often it is asked."""

    def __init__(self) -> None:
        self.generation, self.moved, self.now = 1, 0, 0.0
        self.reads = self.looks = 0
        self.away = False

    def source(self) -> StoreStanding:
        return StoreStanding(self._generation, self._read, lambda: self.moved, monotonic=lambda: self.now)

    def _generation(self) -> int:
        self.looks += 1
        if self.away:
            raise StoreUnavailable("away")
        return self.generation

    def _read(self) -> Standing:
        self.reads += 1
        if self.away:
            raise StoreUnavailable("away")
        return Standing(generation=self.generation)


def generations(source: StoreStanding, times: int = 3) -> set[int]:
    return {source.current().generation for _ in range(times)}


def test_a_store_is_read_again_when_something_moved_and_not_for_each_request() -> None:
    kept = Kept()
    source = kept.source()
    assert generations(source, 100) == {1}
    assert (kept.reads, kept.looks) == (1, 0)
    kept.generation = 2
    assert generations(source, 100) == {1}, "nobody has told"
    kept.moved = 1
    assert generations(source, 100) == {2}
    assert (kept.reads, kept.looks) == (2, 1)


def test_what_another_machine_has_changed_is_found_within_two_seconds() -> None:
    kept = Kept()
    source = kept.source()
    assert generations(source) == {1}
    kept.generation = 2
    kept.now = LOOK_SECONDS
    assert generations(source) == {2}
    kept.now = 2 * LOOK_SECONDS
    assert generations(source) == {2}
    assert (kept.reads, kept.looks) == (2, 2)


@pytest.mark.parametrize("change", ["moved", "now"])
def test_with_the_store_away_the_last_one_stands(change: str) -> None:
    kept = Kept()
    source = kept.source()
    assert generations(source) == {1}
    kept.away, kept.generation = True, 2
    setattr(kept, change, LOOK_SECONDS)
    assert generations(source) == {1}
    kept.away = False
    kept.now += LOOK_SECONDS
    assert generations(source) == {2}


def test_before_anything_was_read_nothing_is_known() -> None:
    kept = Kept()
    kept.away = True
    assert kept.source().current() == Standing()
