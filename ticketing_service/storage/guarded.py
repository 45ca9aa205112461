"""The one wrapper round a store: breaker and bulkhead, time, and what is told after a commit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from common.resilience.guard import Guard
from common.storage.guarded import Given, Timed, guarded_ports
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.storage.changes import Change, Listener
from ticketing_service.storage.port import Shown, Store
from ticketing_service.storage.verbs import change_of, refusal_of, tells

log = logging.getLogger(__name__)

AGGREGATES = (
    "catalogue",
    "slots",
    "bookings",
    "payments",
    "admissions",
    "vouchers",
    "resellers",
    "webhooks",
    "ledger",
    "outbox",
    "people",
    "platform",
)


def guarded(store: Store, guard: Guard, timed: Timed, tell: Listener) -> Store:
    """`store` with every verb behind `guard`; `ping` is not, as health looks past the breaker.

    A verb that was not asked for raises StoreUnavailable like one that failed, with when to come again.
    `tell` hears of each change once it is committed, and must not raise (see `Listeners`).
    """
    told = _Told(store, tell)
    shown = Shown(**guarded_ports(store.shown, ("catalogue", "slots"), guard, timed, told))
    return replace(store, **guarded_ports(store, AGGREGATES, guard, timed, told), shown=shown)


class _Told:
    """Turns what verbs did into changes for the listener."""

    def __init__(self, store: Store, listener: Listener) -> None:
        self._store, self._listener = store, listener

    def wants(self, operation: str) -> bool:
        """See common.storage.guarded.Told."""
        return tells(operation)

    def done(self, operation: str, given: Given, result: Any) -> None:
        """See common.storage.guarded.Told."""
        self._tell(operation, partial(change_of, operation, given, result, self._store))

    def refused(self, operation: str, given: Given, refusal: Refused) -> None:
        """A purchase that was lost for want of places is told of, too."""
        if refusal.code is Code.SOLD_OUT:
            self._tell(operation, partial(refusal_of, operation, given))

    def _tell(self, operation: str, change_of_it: Callable[[], Change | None]) -> None:
        """The work is committed, or was refused: nothing that goes wrong here may change the answer."""
        try:
            change = change_of_it()
        except Exception:
            log.exception("what a change was cannot be told", extra={"verb": operation})
            change = Change(verb=operation, anywhere=True)  # so that at least no cache keeps what is untrue
        if change is not None:
            self._listener(change)
