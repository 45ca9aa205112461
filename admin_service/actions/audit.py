"""The audit trail: searched, exported, and held against its own chain."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from admin_service.actions.ports import Ports
from admin_service.domain.audit import AuditEntry
from admin_service.domain.audit_check import Break, Walk
from admin_service.storage.ports.audit import AuditQuery, AuditStore
from common.pages import Page

PIECE = 500
MOST_EXPORTED = 50_000
"""Lines of one file: more than that is asked for day by day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """`entries`: how many hold from the first one on; `erased` of them have lost what named somebody. `end`:
    the hash of the last of them, to be noted somewhere else: who writes the whole trail anew cannot have it
    again.
    """

    entries: int
    erased: int
    end: bytes
    broken: Break | None


def find_entries(query: AuditQuery, ports: Ports) -> Page[AuditEntry]:
    return ports.store.audit.page(query)


def export_entries(query: AuditQuery, ports: Ports) -> Iterator[AuditEntry]:
    """All that the query finds, the newest first, up to MOST_EXPORTED; in flat memory."""
    cursor, left = None, MOST_EXPORTED
    while left > 0:
        page = ports.store.audit.page(replace(query, limit=min(PIECE, left), cursor=cursor))
        yield from page.items
        left -= len(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return


def verify_trail(ports: Ports) -> Verified:
    """Walk the whole trail, in flat memory."""
    return walk_trail(ports.store.audit)


def walk_trail(store: AuditStore) -> Verified:
    """The same of a store that is open for this alone."""
    walk = Walk()
    # The end is read first: what is added meanwhile lies behind it.
    number, noted = store.end()
    while walk.broken is None and walk.number < number:
        entries = store.after(walk.number, min(PIECE, number - walk.number))
        if not entries:
            break
        walk.go_on(entries)
    if walk.broken is None and walk.number == number and store.after(number, 1):
        # Either somebody has just added to it, or there is more than the end knows of.
        walk.arrive(*_end_again(walk, store))
    else:
        walk.arrive(number, noted)
    return Verified(entries=walk.number, erased=walk.erased, end=walk.hash, broken=walk.broken)


def _end_again(walk: Walk, store: AuditStore) -> tuple[int, bytes]:
    """Go on to the end as it is now."""
    number, noted = store.end()
    walk.go_on(store.after(walk.number, max(1, number - walk.number)))
    return number, noted
