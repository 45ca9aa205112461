"""32 callers in four processes who do one thing at the same moment, round after round."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from common.database import StoreUnavailable
from common.web.idempotency import KeyReused, Replayed
from tests.counts import counts
from tests.forking import context
from ticketing_service.domain.errors import Refused
from ticketing_service.storage.opening import open_store
from ticketing_service.storage.port import Store

PROCESSES, THREADS = 4, 8
CALLERS = PROCESSES * THREADS
HANG_SECONDS = counts(120, 3000)
REPEAT_SECONDS = 30

Act = Callable[[Store, Any, int], str]
"""What a caller does in a round: (store, round, caller) -> what it was told."""


class Crowd:
    """`with Crowd() as crowd: crowd.rush(url, act, rounds)`; acts are functions of a module."""

    def __init__(self) -> None:
        self._barrier = context.Barrier(CALLERS)
        self._pool = ProcessPoolExecutor(
            PROCESSES, mp_context=context, initializer=_remember, initargs=(self._barrier,)
        )

    def rush(self, url: str, act: Act, rounds: Sequence[Any]) -> list[list[str]]:
        """What each caller was told, by round."""
        futures = [
            self._pool.submit(_be_several, url, act, list(rounds), process) for process in range(PROCESSES)
        ]
        told = [caller for future in futures for caller in future.result(HANG_SECONDS)]
        return [list(each) for each in zip(*told, strict=True)]

    def close(self) -> None:
        self._pool.shutdown()


_barrier: Any = None


def _remember(barrier: Any) -> None:
    global _barrier  # noqa: PLW0603 - a barrier is only inherited, never sent
    _barrier = barrier


def _be_several(url: str, act: Act, rounds: list[Any], process: int) -> list[list[str]]:
    store = open_store(url, threads=THREADS)
    try:
        with ThreadPoolExecutor(THREADS) as threads:
            callers = range(process * THREADS, (process + 1) * THREADS)
            return list(threads.map(lambda caller: _be_one(store, act, rounds, caller), callers))
    finally:
        store.close()


def _be_one(store: Store, act: Act, rounds: list[Any], caller: int) -> list[str]:
    told = []
    for each in rounds:
        _barrier.wait(HANG_SECONDS)
        told.append(_told(store, act, each, caller))
    return told


def _told(store: Store, act: Act, round_: Any, caller: int) -> str:
    """The answer, or the name of the refusal. Acts are repeatable, so an unknown outcome is cleared up."""
    give_up = time.monotonic() + REPEAT_SECONDS
    while True:
        try:
            return act(store, round_, caller)
        except Replayed as replayed:
            return replayed.answer.body.decode()
        except KeyReused:
            return "KEY_REUSED"
        except Refused as refused:
            return refused.code.name
        except StoreUnavailable:
            if time.monotonic() > give_up:
                raise
            threading.Event().wait(0.02)
