"""What goes round the calls to payment module, POI directory and mail server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from common.identifiers import uuid7
from common.mail.guarded import GuardedMailer
from common.mail.port import Mail, MailUnavailable
from common.mail.sending import SmtpMailer
from common.resilience import deadline
from common.resilience.breaker import Breaker
from common.resilience.guard import Guard
from common.resilience.retrying import Retry, RetryBudget
from tests.clients.test_payment_module import Liar, wrapped
from tests.sandbox.running import TOKEN
from tests.servers.process import free_port
from tests.unit.documents.sample import NOW
from ticketing_service.clients.guarded import GuardedPaymentModule, GuardedPoiDirectory
from ticketing_service.clients.payment_module import HttpPaymentModule, pause_of
from ticketing_service.clients.poi_directory import GeoJsonPoiDirectory
from ticketing_service.clients.port import (
    DirectoryUnavailable,
    PaymentRefused,
    PaymentUnavailable,
)
from ticketing_service.wiring import BREAKERS


def breaker(name: str) -> Breaker:
    """As the service has it."""
    (spec,) = (spec for spec in BREAKERS if spec.name == name)
    return Breaker(spec)


@dataclass
class Server:
    """A payment module that answers as it is told, behind its guard."""

    liar: Liar
    breaker: Breaker = field(default_factory=lambda: breaker("payment-api"))
    timed: list[str] = field(default_factory=list)

    def module(self, *, retries: bool = False, **how: Any) -> GuardedPaymentModule:
        retry = Retry(self.breaker.judge, RetryBudget(), first_pause_seconds=0.001) if retries else None
        client = HttpPaymentModule(self.liar.url, TOKEN, **how)
        return GuardedPaymentModule(
            client, Guard(self.breaker, retry=retry), lambda service, seconds: self.timed.append(service)
        )

    def answers(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.liar.status, self.liar.body, self.liar.drip = status, body, False
        self.liar.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.liar.asked = 0


@pytest.fixture(scope="module")
def liar() -> Iterator[Liar]:
    server = Liar()
    yield server
    server.close()


@pytest.fixture
def server(liar: Liar) -> Iterator[Server]:
    made = Server(liar)
    made.answers(200, wrapped())
    yield made
    made.answers(200)


MAIL = Mail(
    id=uuid7(),
    to_name="Ann",
    to_address="ann@example.org",
    language="en",
    subject="Hello",
    text="Hello",
    html="<p>Hello</p>",
    written_at=NOW,
)


def test_calls_go_through_and_are_timed(server: Server) -> None:
    assert server.module().state("p")[0].captured == 2750
    assert (server.liar.asked, server.timed) == (1, ["payment-api"])


def test_an_open_breaker_is_an_unavailable_module_that_is_not_asked(server: Server) -> None:
    server.breaker.set_mode("forced_open", "the bank is away")
    module = server.module(retries=True)
    calls: Mapping[str, Callable[[], object]] = {
        "state": lambda: module.state("p"),
        "capture": lambda: module.capture("p", "k" * 16),
        "void": lambda: module.void("p", "k" * 16),
        "refund": lambda: module.refund("p", 1, "ill", "k" * 16),
    }
    for name, call in calls.items():
        with pytest.raises(PaymentUnavailable, match="payment-api is not asked") as refused:
            call()
        assert refused.value.retry_after_seconds == server.breaker.spec.waits.longest, name
    assert server.liar.asked == 0


def test_mail_and_directory_say_so_in_their_own_words(tmp_path: Path) -> None:
    mail, directory = breaker("mail"), breaker("poi-api")
    (tmp_path / "pois.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    mailer = GuardedMailer(SmtpMailer("smtp://127.0.0.1:1", "us@example.org"), Guard(mail), _untimed)
    pois = GuardedPoiDirectory(GeoJsonPoiDirectory(tmp_path / "pois.geojson"), Guard(directory), _untimed)
    assert pois.read().pois == ()
    for each in (mail, directory):
        each.set_mode("forced_open", "away")
    with pytest.raises(DirectoryUnavailable, match="poi-api is not asked") as not_read:
        pois.read()
    with pytest.raises(MailUnavailable, match="mail is not asked") as not_sent:
        mailer.send(MAIL)
    assert not_read.value.retry_after_seconds == 60
    assert not_sent.value.retry_after_seconds == 300


def _untimed(service: str, seconds: float) -> None:
    pass


def test_failures_open_the_breaker_and_refusals_never(server: Server) -> None:
    module = server.module()
    server.answers(422, b'{"success": false, "error": {"code": "TOO_MUCH"}}')
    for _ in range(30):
        with pytest.raises(PaymentRefused):
            module.capture("p", "k" * 16)
    assert server.breaker.state == "closed"
    server.answers(500)
    for _ in range(60):
        with pytest.raises(PaymentUnavailable):
            module.capture("p", "k" * 16)
    assert server.breaker.state == "open"
    assert 5 <= server.liar.asked < 60


def test_a_module_that_fails_once_is_asked_again_within_the_budget(server: Server) -> None:
    module = server.module(retries=True)
    for _ in range(5):  # each call earns a fifth of a retry
        module.state("p")
    server.answers(500)
    for _ in range(4):
        with pytest.raises(PaymentUnavailable):
            module.state("p")
    assert server.liar.asked == 5
    server.answers(422, b'{"success": false, "error": {"code": "TOO_MUCH"}}')
    for _ in range(10):
        with pytest.raises(PaymentRefused):
            module.capture("p", "k" * 16)
    assert server.liar.asked == 10


def test_a_message_is_never_sent_twice_by_itself() -> None:
    mail = breaker("mail")
    budget = RetryBudget()
    for _ in range(50):
        budget.earn()
    sent: list[Mail] = []

    class Away:
        def send(self, mail: Mail) -> None:
            sent.append(mail)
            raise MailUnavailable("no answer: it may have arrived")

    with pytest.raises(MailUnavailable):
        GuardedMailer(Away(), Guard(mail, retry=Retry(mail.judge, budget)), _untimed).send(MAIL)
    assert sent == [MAIL]


def test_a_request_without_time_asks_nobody(server: Server) -> None:
    module = server.module(retries=True)
    with deadline.within(-1), pytest.raises(PaymentUnavailable, match="no time left"):
        module.state("p")
    assert server.liar.asked == 0
    assert server.breaker.outcomes()["failure"] == 0


def test_a_module_is_not_blamed_for_the_time_that_a_request_had_lost(server: Server) -> None:
    server.liar.hang = True
    try:
        began = time.monotonic()
        with deadline.within(0.2), pytest.raises(PaymentUnavailable, match="no time left"):
            server.module(read_seconds=8).state("p")
        assert time.monotonic() - began < 5
        assert server.breaker.outcomes()["failure"] == 0
        assert server.breaker.outcomes()["ignored"] == 1
        # the same silence for as long as the module may take is its own
        with deadline.within(30), pytest.raises(PaymentUnavailable, match="ReadTimeout"):
            server.module(read_seconds=0.2).state("p")
        assert server.breaker.outcomes()["failure"] == 1
    finally:
        server.liar.hang = False


def test_what_failed_before_the_time_ran_out_counts(server: Server) -> None:
    """The first attempt was answered with 500; the second had no time."""
    budget = RetryBudget()
    for _ in range(5):
        budget.earn()
    client = HttpPaymentModule(server.liar.url, TOKEN)
    retry = Retry(server.breaker.judge, budget, first_pause_seconds=0.001)
    module = GuardedPaymentModule(client, Guard(server.breaker, retry=retry), _untimed)
    module.state("p")  # so that there is a connection
    server.answers(500)
    server.liar.hang_after = 1
    try:
        with deadline.within(1), pytest.raises(PaymentUnavailable, match="answered 500"):
            module.state("p")
    finally:
        server.liar.hang_after = None
    assert server.liar.asked == 2
    assert server.breaker.outcomes()["failure"] == 1


def test_a_failure_in_time_counts_although_little_was_left(server: Server) -> None:
    server.answers(500)
    with deadline.within(5), pytest.raises(PaymentUnavailable):
        server.module(read_seconds=8).state("p")
    assert server.breaker.outcomes()["failure"] == 1


def test_a_connection_that_is_refused_is_a_failure() -> None:
    away = breaker("payment-api")
    client = HttpPaymentModule(f"http://127.0.0.1:{free_port()}", TOKEN)
    with pytest.raises(PaymentUnavailable):
        GuardedPaymentModule(client, Guard(away), _untimed).state("p")
    client.close()
    assert away.outcomes()["failure"] == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_that_the_module_asks_for_is_kept(server: Server, status: int) -> None:
    server.answers(status, Retry_After="120")
    module = server.module(retries=True)
    with pytest.raises(PaymentUnavailable) as busy:
        module.state("p")
    assert busy.value.retry_after_seconds == 120
    for _ in range(60):
        with pytest.raises(PaymentUnavailable):
            module.state("p")
    assert server.breaker.state == "open"
    # its own first wait would be over within 36 seconds
    assert 100 < server.breaker.open_remaining <= 120


NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "header, seconds",
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("0", 0),
        (" 7 ", 7),
        ("86400", 300),
        ("9" * 400, 300),
        (format_datetime(NOON + timedelta(seconds=40), usegmt=True), 40),
        (format_datetime(NOON - timedelta(seconds=40), usegmt=True), 0),
        (format_datetime(NOON + timedelta(days=40), usegmt=True), 300),
        ("Wed, 01 Jul 2026 12:00:09 -0000", 9),
        ("Wed, 99 Jul 2026 12:00:09 GMT", None),
        ("Wednesday", None),
        ("Wed, 01 Jul 9999999 12:00:09 GMT", None),
    ],
)
def test_a_retry_after_is_seconds_or_a_date_and_bounded(header: str | None, seconds: float | None) -> None:
    assert pause_of(header, NOON) == seconds
