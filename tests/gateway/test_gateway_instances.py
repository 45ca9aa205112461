"""Several instances of a service; stopping and reloading the gateway under load."""

from __future__ import annotations

import contextlib
import http.client
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.counts import counts
from tests.gateway.conftest import StartGateway
from tests.gateway.gateway import Gateway, assert_problem, run_render
from tests.gateway.service import start_service
from tests.gateway.upstream import Upstream
from tests.servers.process import connections_to, eventually, free_port, port_is_open

MEANWHILE_SECONDS = counts(small=1.5, full=10.0)


def over(*ports: int) -> tuple[dict[str, str], str, str]:
    return {}, "--upstream", "ticketing=" + ",".join(f"127.0.0.1:{port}" for port in ports)


@pytest.fixture
def instances() -> Iterator[tuple[Upstream, Upstream]]:
    with Upstream() as first, Upstream() as second:
        yield first, second


def test_requests_go_to_every_instance(
    start_gateway: StartGateway, instances: tuple[Upstream, Upstream]
) -> None:
    gateway = start_gateway(*over(*(each.port for each in instances)))
    for _ in range(20):
        assert gateway.request("POST", "/api/v1/x").status == 200
    assert all(len(each.received) >= 5 for each in instances)


def test_an_instance_that_is_away_costs_no_request(
    start_gateway: StartGateway, instances: tuple[Upstream, Upstream]
) -> None:
    gateway = start_gateway(*over(free_port(), instances[0].port))
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        for number in range(6):
            assert gateway.request(method, f"/api/v1/{method}/{number}").status == 200
            assert instances[0].paths().count(f"/api/v1/{method}/{number}") == 1


def test_a_write_that_was_sent_is_not_sent_to_another_instance(
    start_gateway: StartGateway, instances: tuple[Upstream, Upstream]
) -> None:
    gateway = start_gateway(
        {"proxy_read_timeout 15s;": "proxy_read_timeout 300ms;"},
        *over(*(each.port for each in instances))[1:],
    )
    for method in ("POST", "PATCH"):
        for fault in ("cut", "hang"):
            path = f"/api/v1/{method}/{fault}"
            assert_problem(gateway.request(method, path), 503, "UPSTREAM_UNAVAILABLE")
            assert sum(each.paths().count(path) for each in instances) == 1


def test_a_read_whose_answer_was_cut_off_is_tried_on_another_instance_once(
    start_gateway: StartGateway, instances: tuple[Upstream, Upstream]
) -> None:
    gateway = start_gateway(*over(*(each.port for each in instances)))
    assert_problem(gateway.get("/api/v1/cut"), 503, "UPSTREAM_UNAVAILABLE")
    assert [each.paths().count("/api/v1/cut") for each in instances] == [1, 1]


def test_no_instance_left_is_a_problem_document_at_once(start_gateway: StartGateway) -> None:
    gateway = start_gateway(*over(free_port(), free_port()))
    for _ in range(6):
        for answer in (gateway.get("/api/v1/tickets"), gateway.request("POST", "/api/v1/bookings")):
            assert_problem(answer, 503, "UPSTREAM_UNAVAILABLE")
            assert 2 <= int(answer.one("Retry-After")) <= 20


def large_head(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 40_000 + b"\r\n\r\n")


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


@pytest.mark.parametrize("how", [large_head, reset])
@pytest.mark.parametrize("path", ["/api/v1/tickets", "/api/v1/x"])
def test_an_answer_that_is_none_is_a_problem_document(
    start_gateway: StartGateway, how: Callable[[socket.socket], None], path: str
) -> None:
    def serve() -> None:
        for _ in range(2):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            # The gateway may have read enough, and the test may be over.
            with connection, contextlib.suppress(OSError):
                connection.recv(9999)
                how(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        gateway = start_gateway(TICKETING_PORT=str(listener.getsockname()[1]))
        # A daemon: nginx may be content with one attempt.
        threading.Thread(target=serve, daemon=True).start()
        answer = gateway.get(path)
        assert_problem(answer, 503, "UPSTREAM_UNAVAILABLE")
        assert 2 <= int(answer.one("Retry-After")) <= 9


@pytest.mark.parametrize(
    "text",
    [
        *("", "ticketing", "shop=127.0.0.1:1", "ticketing=", "ticketing=127.0.0.1", "ticketing=127.0.0.1:0"),
        *("ticketing=127.0.0.1:65536", "ticketing=127.0.0.1:1;", "ticketing=a b:1", "ticketing=unix:/x"),
        *(
            "ticketing=127.0.0.1:1,",
            "ticketing=http://127.0.0.1:1",
            "ticketing=[::1:1",
            "ticketing=999.1.1.1:1",
        ),
    ],
)
def test_an_impossible_instance_is_one_clear_line(tmp_path: Path, text: str) -> None:
    refused = run_render("--upstream", text, DATA_DIR=str(tmp_path))
    assert refused.returncode == 2
    (line,) = refused.stderr.splitlines()
    assert line.startswith("gateway: --upstream")


def test_names_and_ipv6_addresses_of_instances_are_taken(tmp_path: Path) -> None:
    rendered = run_render("--check", "--upstream", "ticketing=localhost:81,[::1]:82", DATA_DIR=str(tmp_path))
    assert rendered.returncode == 0, rendered.stderr
    written = (tmp_path / "gateway/snippets/upstreams.conf").read_text()
    assert "server 127.0.0.1:81 " in written
    assert "server [::1]:82 " in written
    assert "http://[::1]:82/api/v1/monitoring/health" in (tmp_path / "gateway/js/registry.js").read_text()


def fresh_gateway(tmp_path: Path, *ports: int) -> Gateway:
    settings = {"GATEWAY_RATE": "100000", "GATEWAY_BURST": "100000", "PAYMENT_PORT": str(free_port())}
    return Gateway(tmp_path, settings, None, *over(*ports)[1:])


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGQUIT, signal.SIGINT])
def test_stopping_answers_what_was_accepted(tmp_path: Path, signum: signal.Signals) -> None:
    service, port = start_service()
    with service:
        gateway = fresh_gateway(tmp_path, port)
        statuses: list[int] = []
        threads = [
            threading.Thread(target=lambda: statuses.append(gateway.request("POST", "/api/v1/slow").status))
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        eventually(lambda: connections_to(port) >= 20, what="all requests at the service")
        gateway.process.send(signum)
        assert gateway.process.wait() == 0
        for thread in threads:
            thread.join()
        assert statuses == [200] * 20
        assert "exited on signal" not in gateway.process.output()
        gateway.process.close()


def test_a_second_request_to_stop_ends_it_at_once(tmp_path: Path) -> None:
    with Upstream() as hanging:
        gateway = fresh_gateway(tmp_path, hanging.port)
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
        connection.request("POST", "/api/v1/hang")
        eventually(lambda: hanging.paths() == ["/api/v1/hang"])
        gateway.process.send(signal.SIGTERM)
        eventually(lambda: not port_is_open(gateway.port), what="the end of listening")
        assert gateway.process.running
        gateway.process.send(signal.SIGTERM)
        assert gateway.process.wait(seconds=5) == 0
        connection.close()
        gateway.process.close()


def wait_for_new_workers(gateway: Gateway, old: set[int]) -> None:
    eventually(lambda: len(set(gateway.process.children()) - old) >= 2, seconds=60, what="new workers")


def wait_until_used(port: int) -> None:
    eventually(lambda: connections_to(port) > 0)


class Load:
    """Clients that ask without a pause, each with connections of its own, and what they got."""

    def __init__(
        self, gateway: Gateway, clients: int = 4, methods: tuple[str, ...] = ("GET", "POST")
    ) -> None:
        self._gateway, self._methods, self._stop = gateway, methods, threading.Event()
        self.statuses: list[int] = []
        self.failures: list[Exception] = []
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(clients)]

    def _ask(self, number: int) -> None:
        method = self._methods[number % len(self._methods)]
        while not self._stop.is_set():
            try:
                self.statuses.append(self._gateway.request(method, "/api/v1/x").status)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(error)

    def wait_for_more(self, answers: int) -> None:
        """Wait until so many more have come."""
        before = len(self.statuses)
        eventually(lambda: len(self.statuses) > before + answers)

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_reloading_under_load_drops_nothing_and_takes_over_what_was_written(tmp_path: Path) -> None:
    service, port = start_service()
    with service:
        gateway = fresh_gateway(tmp_path, port)
        nginx = gateway.process.children()[0]
        with Load(gateway) as load:
            ends = time.monotonic() + MEANWHILE_SECONDS
            while time.monotonic() < ends:
                workers = set(gateway.process.children())
                gateway.process.send(signal.SIGHUP)
                wait_for_new_workers(gateway, workers)
            gateway.render_again(CORS_ORIGINS="https://new.example")
            gateway.process.send(signal.SIGHUP)
            origin = {"Origin": "https://new.example"}
            eventually(lambda: bool(gateway.get("/", origin).all("Access-Control-Allow-Origin")))
        assert load.failures == []
        assert set(load.statuses) == {200}
        assert len(load.statuses) > 50
        assert gateway.process.children()[0] == nginx
        gateway.process.close()


def test_instances_that_are_replaced_in_turn_cost_no_read(tmp_path: Path) -> None:
    running = [start_service(), start_service()]
    gateway = fresh_gateway(tmp_path, *(port for _, port in running))
    # Reads only: these stand-ins cut off what they have in hand, and a write that was sent is not sent again.
    with Load(gateway, methods=("GET",)) as load:
        for process, port in list(running):
            process.close()
            load.wait_for_more(20)
            running.append(start_service(port))
            wait_until_used(port)
    gateway.process.close()
    for process, _ in running:
        process.close()
    assert load.failures == []
    assert set(load.statuses) == {200}
    assert len(load.statuses) > 50
