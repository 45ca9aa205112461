from __future__ import annotations

import threading
import time

import pytest

from tests.gateway.conftest import StartGateway
from tests.gateway.gateway import Answer, Gateway, assert_problem
from tests.gateway.upstream import OWN_OUTAGE, OWN_PROBLEM, Upstream
from tests.servers.process import eventually, free_port


def test_a_dead_upstream_is_a_problem_document_with_retry_after(start_gateway: StartGateway) -> None:
    gateway = start_gateway(TICKETING_PORT=str(free_port()))
    for path in ("/api/v1/tickets?t=secret", "/api/v1/bookings/x/pay?t=secret"):
        answer = gateway.get(path)
        assert_problem(answer, 503, "UPSTREAM_UNAVAILABLE")
        assert 2 <= int(answer.one("Retry-After")) <= 9
    assert gateway.get("/api/v1/payments/p1").status == 200
    eventually(lambda: any(line["path"] == "/api/v1/tickets" for line in gateway.log()), what="its log line")
    line = next(line for line in gateway.log() if line["path"] == "/api/v1/tickets")
    assert (line["status"], line["upstreamStatus"]) == (503, "502")
    assert "secret" not in gateway.process.output()


def test_below_octo_an_outage_has_the_shape_of_that_standard(start_gateway: StartGateway) -> None:
    gateway = start_gateway(TICKETING_PORT=str(free_port()))
    for path in ("/api/v1/octo/products/", "/api/v1/octo/bookings/x?t=secret"):
        answer = gateway.get(path)
        assert (answer.status, answer.one("Content-Type")) == (503, "application/json")
        assert answer.json().keys() == {"error", "errorMessage"}
        assert answer.json()["error"] == "SERVICE_UNAVAILABLE"
        assert answer.one("Retry-After")
    assert_problem(gateway.get("/api/v1/octopus?t=secret"), 503, "UPSTREAM_UNAVAILABLE")


def test_who_meets_an_outage_at_one_moment_is_not_called_back_at_one_moment(
    start_gateway: StartGateway,
) -> None:
    gateway = start_gateway(TICKETING_PORT=str(free_port()))
    told = {int(gateway.get(f"/api/v1/bookings/{number}").one("Retry-After")) for number in range(40)}
    assert len(told) > 3
    assert told <= set(range(2, 10))


def test_a_full_instance_is_sent_no_more_but_the_gates(
    start_gateway: StartGateway, ticketing: Upstream
) -> None:
    gateway = start_gateway({"max_conns=1000;": "max_conns=3;"})
    refused: list[Answer] = []

    def hang() -> None:
        answer = gateway.request("POST", "/api/v1/full/hang")
        if answer.status != 200:
            refused.append(answer)

    threads = [threading.Thread(target=hang) for _ in range(23)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(refused) == 20, what="the refusal of all but three")
    for answer in refused:
        assert_problem(answer, 503, "UPSTREAM_UNAVAILABLE")
    told = {int(answer.one("Retry-After")) for answer in refused}
    assert len(told) > 3
    assert told <= set(range(2, 21))
    assert ticketing.paths().count("/api/v1/full/hang") == 3
    assert gateway.get("/api/v1/bookings").status == 503
    for path in ("/api/v1/redemptions", "/api/v1/redemptions/batch", "/api/v1/redemptions/keys?x=1"):
        assert gateway.request("POST", path).json()["path"] == path
    ticketing.release()
    for thread in threads:
        thread.join()
    ticketing.hold()
    eventually(lambda: gateway.get("/api/v1/bookings").status == 200, what="room again")


def test_a_hanging_upstream_is_given_up_and_not_asked_again(
    start_gateway: StartGateway, ticketing: Upstream
) -> None:
    gateway = start_gateway({"proxy_read_timeout 15s;": "proxy_read_timeout 300ms;"})
    started = time.monotonic()
    for method in ("GET", "POST"):
        answer = gateway.request(method, f"/api/v1/{method}/hang?t=secret")
        assert_problem(answer, 503, "UPSTREAM_UNAVAILABLE")
        assert 2 <= int(answer.one("Retry-After")) <= 9
        assert ticketing.paths().count(f"/api/v1/{method}/hang?t=secret") == 1
    assert time.monotonic() - started < 10
    assert "secret" not in gateway.process.output()


def test_a_write_whose_answer_was_cut_off_is_not_sent_twice(
    start_gateway: StartGateway, ticketing: Upstream
) -> None:
    # One worker, so that each request takes the connection that the one before it left in the pool: an error
    # on such a one is where nginx tries again, as the GET shows.
    gateway = start_gateway({"worker_processes auto;": "worker_processes 1;"})
    for method, times in (("GET", 2), ("POST", 1), ("PATCH", 1)):
        assert gateway.get("/api/v1/tickets").status == 200
        answer = gateway.request(method, f"/api/v1/{method}/cut")
        assert_problem(answer, 503, "UPSTREAM_UNAVAILABLE")
        assert ticketing.paths().count(f"/api/v1/{method}/cut") == times


def test_the_services_own_errors_pass_unchanged(gateway: Gateway) -> None:
    sold_out, outage = gateway.get("/api/v1/sold-out"), gateway.get("/api/v1/outage")
    assert (sold_out.status, sold_out.body) == (409, OWN_PROBLEM)
    assert (outage.status, outage.body) == (503, OWN_OUTAGE)
    assert outage.one("Retry-After") == "77"
    assert outage.one("Content-Type") == "application/problem+json"


def test_connections_to_the_upstream_are_kept(gateway: Gateway) -> None:
    assert gateway.get("/api/v1/tickets").received("Connection") == []


@pytest.mark.parametrize(
    "request_bytes, status, code",
    [
        (b"GARBAGE\r\n\r\n", 400, "BAD_REQUEST"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "BAD_REQUEST"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "BAD_REQUEST"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "BAD_REQUEST"),
        (b"GET / HTTP/1.1\r\nHost: a b/c\r\n\r\n", 400, "BAD_REQUEST"),
        (b"GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "BAD_REQUEST"),
        (b"GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", 400, "BAD_REQUEST"),
        (b"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "BAD_REQUEST"),
        (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "BAD_REQUEST"),
        (b"POST /api/v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400, "BAD_REQUEST"),
        (
            b"POST /api/v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
            "BAD_REQUEST",
        ),
        (
            b"POST /api/v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "BAD_REQUEST",
        ),
        (
            b"POST /api/v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            400,
            "BAD_REQUEST",
        ),
        (b"POST /api/v1/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "NOT_IMPLEMENTED"),
        (b"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", 405, "METHOD_NOT_ALLOWED"),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400, "BAD_REQUEST"),
        (b"GET / HTTP/9.1\r\nHost: a\r\n\r\n", 505, "HTTP_VERSION_NOT_SUPPORTED"),
    ],
)
def test_a_malformed_request_gets_a_problem_document(
    gateway: Gateway, ticketing: Upstream, request_bytes: bytes, status: int, code: str
) -> None:
    before = len(ticketing.received)
    assert_problem(gateway.raw(request_bytes), status, code)
    assert len(ticketing.received) == before


def test_the_host_header_changes_nothing(gateway: Gateway) -> None:
    for host in (b"evil.example", b"127.0.0.1:1", b"tickets.example.org"):
        answer = gateway.raw(
            b"GET /api/v1/tickets HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n"
        )
        assert answer.received("Host") == ["tickets.example.org"]
