"""Told to end, a service answers all that reached it; one instance after the other can be replaced."""

from __future__ import annotations

import http.client
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from common.identifiers import uuid7
from tests.counts import counts
from tests.faults.open_load import Outcome, arrive, send
from tests.faults.running import Running
from tests.faults.slow_server import READY, UNDER_WAY, WORK, SlowServer
from tests.gateway.gateway import Gateway
from tests.servers.process import eventually

CLIENTS = 6
ROUNDS = counts(1, 10)
WAITING = 20
IDLE_SECONDS = 1.0


def connection_to(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=30)


def statuses(outcomes: list[Outcome]) -> set[int]:
    return {each.status for each in outcomes}


@contextmanager
def in_the_background(work: Callable[[], list[Outcome]]) -> Iterator[Callable[[], list[Outcome]]]:
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(work)
        yield future.result


def test_what_waits_in_the_accept_queue_is_answered() -> None:
    with SlowServer(0.05) as server:
        server.wait_until_ready()
        (worker,) = server.children()
        os.kill(worker, signal.SIGSTOP)
        connections = [
            http.client.HTTPConnection("127.0.0.1", server.port, timeout=30) for _ in range(WAITING)
        ]
        for connection in connections:
            connection.request("POST", WORK)
        os.kill(server.pid, signal.SIGTERM)
        os.kill(worker, signal.SIGCONT)
        assert [connection.getresponse().status for connection in connections] == [200] * WAITING
        for connection in connections:
            connection.close()
        assert server.wait() == 0


def test_requests_under_way_are_answered_and_later_ones_refused() -> None:
    with SlowServer(0.2) as server:
        server.wait_until_ready()
        # A third of what it can do, so that none is refused for being too many.
        with in_the_background(partial(arrive, server.port, [WORK] * 30, 12, "POST")) as outcomes:
            eventually(lambda: send(server.port, WORK).status == 200)
            server.send(signal.SIGTERM)
            found = outcomes()
        assert statuses(found) == {200, -1}, found
        assert server.wait() == 0


def test_while_it_drains_it_is_not_ready_on_connections_that_are_open() -> None:
    with SlowServer(3.0) as server:
        server.wait_until_ready()
        kept = connection_to(server.port)
        kept.request("GET", READY)
        assert kept.getresponse().read() == b"ready"
        with in_the_background(partial(arrive, server.port, [WORK], 1)) as outcomes:
            eventually(lambda: send(server.port, UNDER_WAY).body == b"1", what="work under way")
            server.send(signal.SIGTERM)
            eventually(lambda: send(server.port, READY).status == -1, what="the port being closed")
            kept.request("GET", READY)
            answer = kept.getresponse()
            assert (answer.status, answer.getheader("Connection")) == (503, "close")
            assert statuses(outcomes()) == {200}
        kept.close()


class Posting:
    """Clients behind the gateway who post without a pause, on connections that are kept."""

    def __init__(self, port: int) -> None:
        self._port, self._stop = port, threading.Event()
        self.statuses: list[int] = []
        self.failures: list[tuple[list[tuple[str, str]], bytes]] = []
        self.answered_by: set[int] = set()
        self._threads = [threading.Thread(target=self._post) for _ in range(CLIENTS)]

    def _post(self) -> None:
        connection, answered = connection_to(self._port), time.monotonic()
        while not self._stop.is_set():
            # on a busy machine; who ends closes what is idle for two seconds
            if time.monotonic() - answered > IDLE_SECONDS:
                connection.close()
            connection.request("POST", WORK, headers={"Idempotency-Key": uuid7().hex})
            answer = connection.getresponse()
            body, answered = answer.read(), time.monotonic()
            self.statuses.append(answer.status)
            if answer.status == 200:
                self.answered_by.add(int(body))
            else:
                self.failures.append((answer.getheaders(), body))
        connection.close()

    def wait_for(self, more: int) -> None:
        goal = len(self.statuses) + more
        eventually(lambda: len(self.statuses) >= goal, what="more answers")

    def __enter__(self) -> Posting:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def instances(tmp_path: Path) -> Iterator[tuple[list[SlowServer], Gateway]]:
    """Two instances of a service behind the gateway."""
    servers = [SlowServer(0.01, workers=2).start() for _ in range(2)]
    for server in servers:
        server.wait_until_ready()
    places = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    free = {"GATEWAY_RATE": "100000", "GATEWAY_BURST": "100000"}
    gateway = Gateway(tmp_path, free, None, "--upstream", f"ticketing={places}")
    yield servers, gateway
    gateway.process.close()
    for server in servers:
        server.close()


def test_a_rolling_restart_of_two_instances_fails_no_request(
    instances: tuple[list[SlowServer], Gateway],
) -> None:
    servers, gateway = instances
    with Posting(gateway.port) as clients:
        for server in servers * ROUNDS:
            clients.wait_for(more=50)
            server.send(signal.SIGTERM)
            assert server.wait() == 0
            server.start()
            # nginx leaves an instance that refused connections alone for some seconds.
            eventually(partial(_answers, server, clients), what="its return")
    assert not clients.failures, clients.failures


def test_a_reload_of_one_instance_fails_no_request(instances: tuple[list[SlowServer], Gateway]) -> None:
    servers, _ = instances
    server = servers[0]
    with Posting(server.port) as clients:
        for _ in range(ROUNDS):
            clients.wait_for(more=50)
            before = set(server.children())
            server.send(signal.SIGHUP)
            eventually(partial(_is_replaced, server, before), what="new workers")
        clients.wait_for(more=50)
    assert not clients.failures, clients.failures


def _is_replaced(server: SlowServer, before: set[int]) -> bool:
    return before.isdisjoint(server.children())


def _answers(server: SlowServer, clients: Posting) -> bool:
    return not clients.answered_by.isdisjoint(server.children())


def test_no_acknowledged_booking_is_lost_by_a_restart(tmp_path: Path) -> None:
    """Nothing is told twice: the clients repeat what got no answer, with the same key."""
    with Running(tmp_path, f"sqlite:///{tmp_path / 'store.db'}", worker=False) as service:
        with ThreadPoolExecutor(CLIENTS) as pool:
            held = [pool.submit(service.hold) for _ in range(counts(30, 90))]
            eventually(lambda: sum(each.done() for each in held) >= 5)
            service.stack.ticketing.send(signal.SIGTERM)
            assert service.stack.ticketing.wait() == 0
            service.stack.ticketing.start()
            bookings = [each.result() for each in held]
        assert len({booking["id"] for booking in bookings}) == len(held)
        assert all(service.booking(booking)["status"] == "on_hold" for booking in bookings)
