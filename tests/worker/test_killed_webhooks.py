"""A worker that is killed (kill -9) after an endpoint has a webhook and before that is written down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from common.clock import system_clock
from tests.counts import counts
from tests.servers.endpoint import Endpoint, Received, answer
from tests.servers.process import ROOT, eventually
from tests.worker.hooks import WAIT, Hooks
from ticketing_service.domain.webhooks import DeliveryState
from ticketing_service.storage.port import Store

BOOKINGS, KILLS = 6, counts(small=2, full=8)


@contextmanager
def sending(url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    argv = [sys.executable, "-m", "tests.worker.dispatching", url, str(folder)]
    process = subprocess.Popen(argv, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_nothing_is_lost_and_nothing_overtakes_when_the_worker_is_killed(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    hooks = Hooks(store, tmp_path)
    hooks.now = system_clock()
    with Endpoint() as endpoint:
        hooks.subscribe(endpoint)
        bookings = [hooks.held() for _ in range(BOOKINGS)]
        for each in bookings:
            hooks.extended(each)
        for _ in range(KILLS):
            before = len(endpoint.received)
            with sending(store_url, tmp_path) as process:

                def kill(_: Received, __: BaseHTTPRequestHandler, pid: int = process.pid) -> None:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

                endpoint.behave = kill
                eventually(lambda: process.poll() is not None, seconds=2 * WAIT, what="the kill")
            assert len(endpoint.received) > before
        endpoint.behave = answer(204)
        with sending(store_url, tmp_path):
            eventually(
                lambda: {each.state for each in hooks.log()} == {DeliveryState.DELIVERED},
                seconds=2 * WAIT,
                what="the delivery of all",
            )
    repeated = len(endpoint.received) - len(set(endpoint.ids()))
    assert repeated == KILLS, "each kill made one repetition, under its id"
    for each in bookings:
        versions = [
            one.document["data"]["version"]
            for one in endpoint.received
            if one.document["data"]["id"] == str(each.id)
        ]
        assert versions == sorted(versions)
        assert set(versions) == {1, 2}
