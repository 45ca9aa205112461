"""The one wrapper round a store: breaker and bulkhead, time, and what is told after a commit."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from typing import Any, Protocol

from common.database import StoreUnavailable
from common.refusals import Refused
from common.resilience.guard import Guard
from common.resilience.refusals import Refused as NotAsked

Given = Mapping[str, Any]
"""The arguments of a verb by name."""

Timed = Callable[[str, float], None]
"""Is told of each call: `aggregate.verb`, and how many seconds it took."""


class Told(Protocol):
    """Who is told of the verbs; its methods raise nothing, as the work is committed, or was refused."""

    def wants(self, operation: str) -> bool:
        """Whether anything is to be told of `operation`, such as `bookings.hold`."""
        ...

    def done(self, operation: str, given: Given, result: Any) -> None:
        """It was committed, with `result`."""
        ...

    def refused(self, operation: str, given: Given, refusal: Refused) -> None:
        """It was refused, and nothing is changed."""
        ...


def guarded_ports(
    store: object, aggregates: Sequence[str], guard: Guard, timed: Timed, told: Told
) -> dict[str, Any]:
    """The ports `aggregates` of `store` by name, every verb of them behind `guard`.

    A verb that was not asked for raises StoreUnavailable like one that failed, with when to come again.
    """
    around = _Round(guard, timed, told)
    return {name: _Aggregate(name, getattr(store, name), around) for name in aggregates}


class _Aggregate:
    """One port, each verb of it wrapped."""

    def __init__(self, name: str, port: Any, around: _Round) -> None:
        for verb, method in inspect.getmembers(port, callable):
            if not verb.startswith("_"):
                setattr(self, verb, around.wrapped(f"{name}.{verb}", method))


class _Round:
    """What is done round a verb."""

    def __init__(self, guard: Guard, timed: Timed, told: Told) -> None:
        self._guard, self._timed, self._told = guard, timed, told

    def wrapped(self, operation: str, method: Callable[..., Any]) -> Callable[..., Any]:
        """`method` as callers are to see it."""
        is_told = self._told.wants(operation)
        names = tuple(inspect.signature(method).parameters) if is_told else ()

        @wraps(method)
        def verb(*args: Any, **keywords: Any) -> Any:
            try:
                result = self._asked(operation, partial(method, *args, **keywords))
            except Refused as refused:
                if is_told:
                    self._told.refused(operation, _given(names, args, keywords), refused)
                raise
            if is_told:
                self._told.done(operation, _given(names, args, keywords), result)
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


def _given(names: tuple[str, ...], args: tuple[Any, ...], keywords: dict[str, Any]) -> Given:
    # The verb has taken them already: `Signature.bind` would find out again, at many times the cost.
    return {**dict(zip(names, args, strict=False)), **keywords}
