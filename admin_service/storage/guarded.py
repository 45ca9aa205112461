"""The one wrapper round a store: breaker and bulkhead, time, and what is told after a commit."""

from __future__ import annotations

import logging
from dataclasses import fields, replace
from typing import Any

from admin_service.domain.errors import Refused
from admin_service.storage.changes import Change, Listener
from admin_service.storage.port import NO_AGGREGATES, Store
from admin_service.storage.verbs import change_of, tells
from common.resilience.guard import Guard
from common.storage.guarded import Given, Timed, guarded_ports

log = logging.getLogger(__name__)

AGGREGATES = tuple(each.name for each in fields(Store) if each.name not in NO_AGGREGATES)


def guarded(store: Store, guard: Guard, timed: Timed, tell: Listener) -> Store:
    """`store` with every verb behind `guard`; `ping` is not, as health looks past the breaker.

    A verb that was not asked for raises StoreUnavailable like one that failed, with when to come again.
    `tell` hears of each change once it is committed, and must not raise (see `Listeners`).
    """
    return replace(store, **guarded_ports(store, AGGREGATES, guard, timed, _Told(tell)))


class _Told:
    """Turns what verbs did into changes for the listener."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def wants(self, operation: str) -> bool:
        """See common.storage.guarded.Told."""
        return tells(operation)

    def done(self, operation: str, given: Given, result: Any) -> None:
        """The work is committed: nothing that goes wrong here may change the answer."""
        change: Change | None
        try:
            change = change_of(operation, given, result)
        except Exception:
            log.exception("what a change was cannot be told", extra={"verb": operation})
            change = Change(verb=operation, anywhere=True)  # so that at least no cache keeps what is untrue
        if change is not None:
            self._listener(change)

    def refused(self, operation: str, given: Given, refusal: Refused) -> None:
        """Nobody follows what was refused."""
