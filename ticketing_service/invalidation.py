"""Which cached answers a committed change ends: the tags of answers, and the listener that bumps them."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from common.caching.cache import Caches
from ticketing_service.storage.changes import Change

CATALOGUE = "catalogue"
"""Of every answer that shows more than one ticket."""

PLACES = "places"
"""Of every answer that depends on how many places are left anywhere."""

ANY_TICKET = "ticket:any"
ANY_PLACES = "places:any"
BOOKS = "books"
"""Of what is counted from the ledger."""

_NOT_IN_THE_BOOKS = frozenset({"bookings.hold", "bookings.amend", "bookings.expire"})
"""Places alone: what is only held is in no ledger."""


def ticket_tags(ticket_id: UUID) -> tuple[str, ...]:
    """Of an answer that shows one ticket."""
    return (f"ticket:{ticket_id}", ANY_TICKET)


def places_tags(ticket_id: UUID) -> tuple[str, ...]:
    """Of an answer that shows the slots of one ticket, and so its ticket too."""
    return (f"places:{ticket_id}", ANY_PLACES, *ticket_tags(ticket_id))


def ended_by(change: Change) -> Iterable[str]:
    """The tags of all answers that `change` makes untrue."""
    aggregate = change.verb.partition(".")[0]
    if aggregate == "catalogue":
        yield CATALOGUE
        yield from (f"ticket:{ticket_id}" for ticket_id in change.ticket_ids)
        if change.anywhere:
            yield ANY_TICKET
        return
    if change.sold_out:
        return
    yield PLACES
    yield from (f"places:{ticket_id}" for ticket_id in change.ticket_ids)
    if change.anywhere:
        yield ANY_PLACES
    if aggregate in ("bookings", "payments") and change.verb not in _NOT_IN_THE_BOOKS:
        yield BOOKS


class Invalidation:
    """A listener of committed changes."""

    def __init__(self, caches: Caches) -> None:
        self._caches = caches

    def __call__(self, change: Change) -> None:
        """End what `change` makes untrue."""
        tags = tuple(ended_by(change))
        if tags:
            self._caches.invalidate(tags)
