"""Identifiers sort as what they are given to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from common.identifiers import uuid7, uuid7_at

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_identifiers_of_an_instant_bear_it_and_sort_by_it() -> None:
    later = NOON + timedelta(milliseconds=1)
    made = [uuid7_at(NOON), uuid7_at(NOON), uuid7_at(later), uuid7_at(later)]
    assert made == sorted(made)
    assert [each.int >> 80 for each in made] == [
        int(each.timestamp() * 1000) for each in (NOON, NOON, later, later)
    ]
    assert {each.version for each in made} == {7}


def test_an_earlier_instant_makes_an_earlier_identifier_whatever_was_made_before() -> None:
    uuid7()
    after = uuid7_at(NOON)
    assert uuid7_at(NOON - timedelta(milliseconds=1)) < after
    assert len({uuid7_at(NOON) for _ in range(5000)}) == 5000
