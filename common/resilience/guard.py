"""What an adapter puts round each call to its dependency."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar, cast

from common.resilience import deadline
from common.resilience.breaker import Breaker
from common.resilience.bulkhead import Bulkhead
from common.resilience.refusals import DeadlineExceeded
from common.resilience.retrying import Retry

T = TypeVar("T")


class Guard:
    """Deadline, breaker, bulkhead, retries, in this order; the breaker then records what came of it all.

    So a request without time is refused first, an open breaker takes no place in the bulkhead, and retries
    are one call to the breaker. Inside `function`, `deadline.remaining(timeout)` is the time-out to set. An
    attempt that failed because the request left it less than that says nothing about the dependency: it ends
    as DeadlineExceeded.
    """

    def __init__(
        self, breaker: Breaker, bulkhead: Bulkhead | None = None, retry: Retry | None = None
    ) -> None:
        self.breaker, self.bulkhead, self.retry = breaker, bulkhead, retry

    def call(self, function: Callable[[], T], *, idempotent: bool = False) -> T:
        """What `function` returns (or the breaker's fallback, when there is one).

        Raises: what `function` raises; `Refused` when the dependency was not asked (`DeadlineExceeded`,
            `CircuitOpen`, `BulkheadFull`), with `retry_after_seconds`. Only an `idempotent` call is repeated.
        """
        deadline.check()
        return cast(T, self.breaker.call(partial(self._inside, function, idempotent)))

    def _inside(self, function: Callable[[], T], idempotent: bool) -> T:
        if self.bulkhead is None:
            return self._attempts(function, idempotent)
        self.bulkhead.enter()
        try:
            return self._attempts(function, idempotent)
        finally:
            self.bulkhead.leave()

    def _attempts(self, function: Callable[[], T], idempotent: bool) -> T:
        if self.retry is None:
            return self._attempt(function)
        return self.retry.call(partial(self._attempt, function), idempotent=idempotent)

    def _attempt(self, function: Callable[[], T]) -> T:
        try:
            return function()
        except Exception as error:
            if deadline.cut_short() and self.breaker.judge(error).outcome == "failure":
                raise DeadlineExceeded from error
            raise
