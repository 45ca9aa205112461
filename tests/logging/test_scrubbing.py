"""Secrets and personal data that get into a message or an exception do not get into the log."""

from __future__ import annotations

import dataclasses
import json
import logging
import time

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from common.clock import system_clock
from common.identifiers import uuid7
from common.monitoring import logs
from common.monitoring.scrubbing import scrubbed, traceback_of
from common.outbox.logged import logged
from tests.logging.conftest import Lines
from ticketing_service.storage.ports.outbox import Task

JWT = "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJ4In0.c2ln"
log = logging.getLogger("tests.logging")


@pytest.mark.parametrize(
    "message, secret",
    [
        ("550 <anna.bell@example.org>: unknown", "anna"),
        ("to anna+tag@münchen.example now", "anna"),
        ("call +49 (30) 1234-5678 back", "1234"),
        (f"Authorization: Bearer {JWT}", "eyJ"),
        (f"header was {JWT}", "eyJ"),
        ("basic YW5uYTpzZWNyZXQ=", "YW5u"),
        ("GET /pay?x=1&t=abcDEF123 failed", "abcDEF"),
        ("bkt_AAECAwQFBgcICQoLDA0ODw.x1y2", "AAEC"),
        ("apk_0123456789abcdef0123", "0123456789"),
        ("mysql+pymysql://tickets:s3cret@db/x", "s3cret"),
        ("password='hunter2'", "hunter2"),
        ("(1062, \"Duplicate entry 'Anna' for key 'x'\")", "Anna"),
        ("[SQL: INSERT INTO x]\n[parameters: ('Anna Bell', 1)]\n(Background)", "Anna"),
        ("Invalid request from ip=203.0.113.9: Invalid Header 'x-anna'", "203.0"),
        ("Error handling request /bookings/1/pay?t=abc", "abc"),
    ],
)
def test_a_message_loses_what_is_secret_or_personal(message, secret):
    assert secret not in scrubbed(message)


@pytest.mark.parametrize(
    "message",
    [
        "ConnectError: [Errno 111] Connection refused",
        "task capture 018f0000-0000-7000-8000-000000000001 is given up: nobody knows this kind of task",
        "2026-05-01T12:00:00.000+00:00 worker host-1-ab12 is active",
        "http://127.0.0.1:3005/api/v1/payments answered 503",
        "the health check circuit_breaker_state failed",
    ],
)
def test_a_message_without_secrets_stays_as_it_is(message):
    assert scrubbed(message) == message


@pytest.mark.parametrize(
    "sign", ["a@", "t=", "Bearer ", "eyJ", "://", "ab_", "+1 ", "[parameters: ", "'", "@"]
)
def test_no_text_makes_it_slow(sign):
    began = time.thread_time()
    scrubbed(sign * 100_000)
    assert time.thread_time() - began < 5  # a hang guard: backtracking would take hours


def test_an_exception_of_the_database_is_told_without_its_values(lines: Lines, written) -> None:
    engine = create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            connection.execute(text("INSERT INTO missing VALUES (:name)"), {"name": "Anna Bell"})
    except SQLAlchemyError as error:
        log.exception("could not be kept: %s", error)
    engine.dispose()
    (line,) = lines()
    assert "sqlalchemy.exc.OperationalError" in line["exception"]
    assert "caused by: sqlite3.OperationalError" in line["exception"]
    assert "Anna" not in written.getvalue()


def test_the_number_of_an_error_stays_and_its_text_goes():
    try:
        raise RuntimeError("Anna") from ConnectionRefusedError(111, "Anna")
    except RuntimeError as error:
        told = traceback_of(error)
    assert "ConnectionRefusedError: Connection refused (errno 111)" in told
    assert "test_scrubbing.py" in told
    assert "Anna" not in told


def test_a_line_stays_a_line_and_short_whatever_it_is_given() -> None:
    @dataclasses.dataclass
    class Customer:
        name: str = "Anna"

    # handed over directly: who reports on the tests could not pass such a message on
    sent: list[bytes] = []
    handler = logs.JsonHandler("service", sent.append)
    odd = {"msg": "\ud800\x1b[2J\u2028\x85\n%s", "args": ("\x00" * 300,), "odd": Customer()}
    handler.handle(logging.makeLogRecord({**odd, "deep": ["x@y.example"]}))
    handler.handle(logging.makeLogRecord({"msg": "long", **{f"m{n}": "\x00" * 900 for n in range(50)}}))
    first, second = (line.decode() for line in sent)
    assert json.loads(first)["odd"] == "<Customer>"
    assert json.loads(first)["deep"] == ["<e-mail>"]
    assert json.loads(second)["message"] == "long"
    for line in (first, second):
        assert len(line.encode()) < 4096
        assert line.removesuffix("\n").isprintable()


def test_a_record_that_cannot_be_a_line_is_named_by_its_place() -> None:
    sent: list[bytes] = []
    odd = logging.makeLogRecord({"msg": "%d", "args": ("Anna",), "module": "place", "lineno": 7})
    logs.JsonHandler("service", sent.append).handle(odd)
    assert b"could not be written: place:7: TypeError" in sent[0]
    assert b"Anna" not in sent[0]


def test_a_tasks_lines_name_it_and_hold_no_more_of_its_payload_than_ids(lines: Lines, written, task) -> None:
    with logged(task):
        log.info("under way")
    first, last = lines()
    assert last["message"] == "task ended"
    for line in (first, last):
        assert (line["task"], line["taskId"]) == ("mail", str(task.id))
        assert line["bookingId"] == task.payload["bookingId"]
        assert line["traceId"] == first["traceId"]
        assert "otherId" not in line
    assert last["attempt"] == 1
    assert "anna" not in written.getvalue()


@pytest.fixture
def task() -> Task:
    booking = "018f0000-0000-7000-8000-000000000001"
    payload = {"bookingId": booking, "email": "anna@example.org", "otherId": "anna"}
    return Task(id=uuid7(), kind="mail", payload=payload, attempts=1, created_at=system_clock())
