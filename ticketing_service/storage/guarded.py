"""The one wrapper round a store: breaker and bulkhead, time, and what is told after a commit."""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial, wraps
from typing import Any

from common.database import StoreUnavailable
from common.resilience.guard import Guard
from common.resilience.refusals import Refused as NotAsked
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.storage.changes import Change, Listener
from ticketing_service.storage.port import Store
from ticketing_service.storage.verbs import change_of, refusal_of, tells

log = logging.getLogger(__name__)

AGGREGATES = (
    "catalogue",
    "slots",
    "bookings",
    "payments",
    "admissions",
    "vouchers",
    "ledger",
    "outbox",
)

Timed = Callable[[str, float], None]
"""Is told of each call: `aggregate.verb`, and how many seconds it took."""


def guarded(store: Store, guard: Guard, timed: Timed, tell: Listener) -> Store:
    """`store` with every verb behind `guard`; `ping` is not, as health looks past the breaker.

    A verb that was not asked for raises StoreUnavailable like one that failed, with when to come again.
    `tell` hears of each change once it is committed, and must not raise (see `Listeners`).
    """
    around = _Round(store, guard, timed, tell)
    ports: dict[str, Any] = {name: _Aggregate(name, getattr(store, name), around) for name in AGGREGATES}
    return replace(store, **ports)


class _Aggregate:
    """One port, each verb of it wrapped."""

    def __init__(self, name: str, port: Any, around: _Round) -> None:
        for verb, method in inspect.getmembers(port, callable):
            if not verb.startswith("_"):
                setattr(self, verb, around.wrapped(f"{name}.{verb}", method))


class _Round:
    """What is done round a verb."""

    def __init__(self, store: Store, guard: Guard, timed: Timed, tell: Listener) -> None:
        self._store, self._guard, self._timed, self._listener = store, guard, timed, tell

    def wrapped(self, operation: str, method: Callable[..., Any]) -> Callable[..., Any]:
        """`method` as callers are to see it."""
        signature = inspect.signature(method)
        is_told = tells(operation)

        @wraps(method)
        def verb(*args: Any, **keywords: Any) -> Any:
            try:
                result = self._asked(operation, partial(method, *args, **keywords))
            except Refused as refused:
                if is_told and refused.code is Code.SOLD_OUT:
                    self._tell(operation, partial(refusal_of, operation, _bound(signature, args, keywords)))
                raise
            if is_told:
                given = _bound(signature, args, keywords)
                self._tell(operation, partial(change_of, operation, given, result, self._store))
            return result

        return verb

    def _asked(self, operation: str, call: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        try:
            return self._guard.call(call)
        except NotAsked as refused:
            raise StoreUnavailable(str(refused), refused.retry_after_seconds) from refused
        finally:
            self._timed(operation, time.perf_counter() - started)

    def _tell(self, operation: str, change_of_it: Callable[[], Change | None]) -> None:
        """The work is committed, or was refused: nothing that goes wrong here may change the answer."""
        try:
            change = change_of_it()
        except Exception:
            log.exception("what a change was cannot be told", extra={"verb": operation})
            change = Change(verb=operation, anywhere=True)  # so that at least no cache keeps what is untrue
        if change is not None:
            self._listener(change)


def _bound(
    signature: inspect.Signature, args: tuple[Any, ...], keywords: dict[str, Any]
) -> Mapping[str, Any]:
    return signature.bind(*args, **keywords).arguments
