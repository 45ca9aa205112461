"""A circuit breaker as the `circuitbreaker` package knows it: by call, as a decorator, in a `with` block."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import datetime, timedelta
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from math import ceil
from types import TracebackType
from typing import Any

import circuitbreaker

from common.clock import Clock, system_clock
from common.resilience.circuit import Circuit
from common.resilience.phases import Permit
from common.resilience.refusals import CircuitOpen
from common.resilience.states import BreakerSpec, CallRecorded, Mode, Status, Transition, Verdict
from common.resilience.trials import Places

_Entered = tuple["Breaker", Permit, float]
# What `with` blocks were let in by, the innermost last: of this thread or task alone.
_entered: ContextVar[tuple[_Entered, ...]] = ContextVar("entered_breakers", default=())


class Breaker(circuitbreaker.CircuitBreaker):  # type: ignore[misc]  # the package has no types
    """Guards the calls to one dependency. Safe for threads; the protected call runs outside any lock.

    A call that is refused raises `CircuitOpen`, a `circuitbreaker.CircuitBreakerError`, or answers what the
    fallback answers. `circuitbreaker.CircuitBreakerMonitor` sees every breaker from its making.

    Args:
        monotonic: seconds that never go back, for the window and the waits.
        clock: the time of day, for what people read and for the end of a mode.
        chance: numbers from 0 up to 1, for jitter.
        places: room for trials over all processes; None means that this process is alone.
    """

    def __init__(
        self,
        spec: BreakerSpec,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Clock = system_clock,
        chance: Callable[[], float] = random.random,
        places: Places | None = None,
    ) -> None:
        super().__init__(
            failure_threshold=spec.minimum_failures,
            recovery_timeout=spec.waits.first,
            expected_exception=lambda _kind, error: self.judge(error).outcome == "failure",
            name=spec.name,
            fallback_function=spec.fallback,
        )
        self.spec = spec
        self._monotonic, self._clock = monotonic, clock
        self._circuit = Circuit(spec, monotonic=monotonic, clock=clock, random=chance, places=places)
        self._settle = self._circuit.settle
        circuitbreaker.CircuitBreakerMonitor.register(self)

    # --- calls ---------------------------------------------------------------------------------------

    def call(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """What `func` returns or raises; raises `CircuitOpen` without calling it when it is refused."""
        permit: Permit | None = self._circuit.passing
        if permit is None:
            permit, wait = self._circuit.admit()
            if permit is None:
                return self._refused(wait)(*args, **kwargs)
        started = self._monotonic()
        try:
            result = func(*args, **kwargs)
        except BaseException as error:
            self._settle(permit, started, error)
            raise
        self._settle(permit, started, None)
        return result

    def call_generator(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Iterator[Any]:
        """As `call`, for a generator: it ends when the generator ends."""
        permit, wait = self._circuit.admit()
        if permit is None:
            yield from self._refused(wait)(*args, **kwargs)
            return
        started = self._monotonic()
        try:
            yield from func(*args, **kwargs)
        except BaseException as error:
            self._settle(permit, started, error)
            raise
        self._settle(permit, started, None)

    async def call_async(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """As `call`, for a coroutine function."""
        permit, wait = self._circuit.admit()
        if permit is None:
            return await self._refused(wait)(*args, **kwargs)
        started = self._monotonic()
        try:
            result = await func(*args, **kwargs)
        except BaseException as error:
            self._settle(permit, started, error)
            raise
        self._settle(permit, started, None)
        return result

    async def call_async_generator(
        self, func: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """As `call`, for an asynchronous generator."""
        permit, wait = self._circuit.admit()
        if permit is None:
            async for item in self._refused(wait)(*args, **kwargs):
                yield item
            return
        started = self._monotonic()
        try:
            async for item in func(*args, **kwargs):
                yield item
        except BaseException as error:
            self._settle(permit, started, error)
            raise
        self._settle(permit, started, None)

    def decorate(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Put every call of `function` behind this breaker."""
        wrapper: Callable[..., Any]
        if isasyncgenfunction(function):

            @wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
                async for item in self.call_async_generator(function, *args, **kwargs):
                    yield item

        elif iscoroutinefunction(function):

            @wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                return await self.call_async(function, *args, **kwargs)

        elif isgeneratorfunction(function):

            @wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Iterator[Any]:
                yield from self.call_generator(function, *args, **kwargs)

        else:

            @wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                return self.call(function, *args, **kwargs)

        return wrapper

    def __enter__(self) -> None:
        permit, wait = self._circuit.admit()
        if permit is None:
            raise CircuitOpen(self, wait)
        _entered.set((*_entered.get(), (self, permit, self._monotonic())))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        entered = list(_entered.get())
        index = max(i for i, (breaker, _, _) in enumerate(entered) if breaker is self)
        _, permit, started = entered.pop(index)
        _entered.set(tuple(entered))
        self._settle(permit, started, error)

    def _refused(self, wait: float) -> Callable[..., Any]:
        """What answers instead of a refused call; raises `CircuitOpen` when nothing does."""
        fallback: Callable[..., Any] | None = self.fallback_function
        if fallback is None:
            raise CircuitOpen(self, wait)
        return fallback

    # --- for operators and for other processes -------------------------------------------------------

    def reset(self, cause: str = "reset by an operator") -> None:
        """Close at once and forget what was counted; a mode stays."""
        self._circuit.reset(cause)

    def set_mode(self, mode: Mode, reason: str = "", until: datetime | None = None) -> None:
        """`forced_open` refuses every call, `disabled` lets every call through and only counts; at `until`
        (with a zone) it is automatic again by itself. Raises ValueError.
        """
        self._circuit.set_mode(mode, reason, until)

    def open_with_others(self, cause: str) -> None:
        """Open because other processes have, if this one is closed and automatic."""
        self._circuit.open_with_others(cause)

    def close_with_others(self, cause: str) -> None:
        """Close because those have whose word opened it; only after its wait, and if nobody has called."""
        self._circuit.close_with_others(cause)

    def try_now(self) -> None:
        """The dependency was heard from another way: if this one is open, its next call is a trial, as if the
        wait were over. Trials decide as ever.
        """
        self._circuit.try_now()

    def judge(self, error: BaseException) -> Verdict:
        """What `error` says about the dependency."""
        return self._circuit.judge(error)

    def on_transition(self, listener: Callable[[Transition], None]) -> None:
        """Tell `listener` of each transition, in the thread that caused it; what it raises is logged."""
        self._circuit.bulletin.on_transition(listener)

    def on_call(self, listener: Callable[[CallRecorded], None]) -> None:
        """Tell `listener` of each call. Every call pays for it: `outcomes` counts them for nothing."""
        self._circuit.bulletin.on_call(listener)

    def status(self) -> Status:
        """Everything that can be known about it now."""
        return self._circuit.status()

    def outcomes(self) -> Mapping[str, int]:
        """Calls of this process by outcome (success, failure, ignored, refused); never goes down."""
        return self._circuit.outcomes()

    # --- as the package shows a breaker --------------------------------------------------------------

    @property
    def state(self) -> str:
        """`closed`, `open` or `half_open`; a mode shows as what it does."""
        return self.status().state

    @property
    def open_remaining(self) -> int:
        """Whole seconds until a call is let through again, rounded up."""
        return ceil(self._circuit.open_seconds())

    @property
    def open_until(self) -> datetime:
        """About when a call is let through again."""
        return self._clock() + timedelta(seconds=self._circuit.open_seconds())

    @property
    def failure_count(self) -> int:
        """Failures in the window."""
        return self.status().counts.failures

    @property
    def last_failure(self) -> str | None:
        """The last failure in words. The exception itself is not kept: it would hold its frames in memory."""
        error = self.status().last_error
        return None if error is None else error.text
