"""The first entry that is not as it was written is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from admin_service.domain.audit import FIRST_HASH, AuditEntry, AuditEvent, Origin, chained
from admin_service.domain.audit_check import Break, Walk

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def entry(number: int, previous: bytes, **changes: Any) -> AuditEntry:
    event = AuditEvent(
        at=NOW, origin=Origin(actor="access:ann"), action="media.update", subject=str(number), **changes
    )
    return chained(number, event, previous)


def chain(count: int = 6) -> list[AuditEntry]:
    found: list[AuditEntry] = []
    for number in range(1, count + 1):
        found.append(entry(number, found[-1].hash if found else FIRST_HASH))
    return found


def walked(entries: list[AuditEntry], end: tuple[int, bytes]) -> Break | None:
    walk = Walk()
    # in pieces, as it is read
    for at in range(0, len(entries), 2):
        walk.go_on(entries[at : at + 2])
    walk.arrive(*end)
    return walk.broken


def end_of(entries: list[AuditEntry]) -> tuple[int, bytes]:
    return entries[-1].number, entries[-1].hash


def test_what_was_written_holds() -> None:
    entries = chain()
    assert walked(entries, end_of(entries)) is None
    assert walked([], (0, FIRST_HASH)) is None


@pytest.mark.parametrize("at", [0, 2, 5])
def test_an_entry_that_was_changed_is_named(at: int) -> None:
    entries = chain()
    end = end_of(entries)
    entries[at] = replace(entries[at], event=replace(entries[at].event, subject="other"))
    assert walked(entries, end) == Break(at + 1, "changed")


def test_who_makes_the_hash_fit_again_is_found_at_the_next_entry() -> None:
    entries = chain()
    end = end_of(entries)
    entries[2] = entry(3, entries[1].hash, after={"forged": True})
    assert walked(entries, end) == Break(4, "does-not-follow")


def test_who_writes_the_whole_rest_anew_is_found_at_the_end() -> None:
    entries = chain()
    end = end_of(entries)
    forged = entries[:2]
    for number in range(3, 7):
        forged.append(entry(number, forged[-1].hash, after={"forged": number == 3}))
    assert walked(forged, end) == Break(6, "end-differs")


@pytest.mark.parametrize("at, number", [(0, 1), (3, 4), (5, 6)])
def test_an_entry_that_was_taken_out_is_named(at: int, number: int) -> None:
    entries = chain()
    end = end_of(entries)
    del entries[at]
    assert walked(entries, end) == Break(number, "missing")


def test_entries_that_changed_places_are_named() -> None:
    entries = chain()
    entries[1], entries[2] = entries[2], entries[1]
    assert walked(entries, (6, entries[-1].hash)) == Break(2, "missing")


def test_an_entry_that_was_put_in_is_named() -> None:
    entries = chain()
    end = end_of(entries)
    entries.insert(3, entry(3, entries[1].hash))
    assert walked(entries, end) == Break(4, "out-of-place")


def test_an_entry_behind_the_noted_end_is_named() -> None:
    entries = chain()
    assert walked(entries, end_of(entries[:-1])) == Break(6, "end-differs")
