"""What the worker does later continues the trace of the request that asked for it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from common.monitoring import tracing
from common.outbox.logged import logged
from tests.contract.builders import NOW
from tests.servers.process import eventually
from ticketing_service.storage.port import Store

SECONDS = 10


def _add(store: Store, name: str) -> str:
    """In a trace of its own, which is returned."""
    with tracing.work(name=name) as span:
        store.outbox.add(name, {}, NOW)
        return span.trace_id


def test_a_task_continues_the_trace_of_its_own_request_whoever_committed_it(store: Store) -> None:
    """Writers that queue up are committed by one of them: its trace is none of theirs."""
    database: Any = store.outbox._database  # type: ignore[attr-defined]
    entered, go = threading.Event(), threading.Event()

    def hold_the_lead(_: object) -> None:
        entered.set()
        assert go.wait(SECONDS)

    with ThreadPoolExecutor(8) as pool:
        leader = pool.submit(database.write, hold_the_lead)
        assert entered.wait(SECONDS)
        adding = {f"kind-{number}": pool.submit(_add, store, f"kind-{number}") for number in range(5)}
        eventually(lambda: len(database._group._queue) == len(adding))
        go.set()
        leader.result(SECONDS)
        traces = {name: each.result(SECONDS) for name, each in adding.items()}
    found = {}
    for task in store.outbox.claim(NOW, NOW, 10):
        with logged(task):
            headers = httpx.Headers(tracing.outgoing())
            found[task.kind] = headers["traceparent"].split("-")[1]
    assert found == traces
    assert len(set(found.values())) == 5


def test_a_task_that_no_request_asked_for_has_a_trace_of_its_own(store: Store) -> None:
    tracing.enter(None)
    store.outbox.add("kind", {}, NOW)
    (task,) = store.outbox.claim(NOW, NOW, 10)
    assert task.traceparent is None
    with logged(task):
        assert tracing.current() is not None
