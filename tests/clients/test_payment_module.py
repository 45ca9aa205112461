"""The client of the payment module, against the sandbox and against answers that break the contract."""

from __future__ import annotations

import json
import select
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest

from common.identifiers import uuid7
from tests.sandbox.running import TOKEN, SandboxProcess, running_sandbox
from tests.servers.process import free_port
from tests.unit.documents.sample import NOW, make_booking
from ticketing_service.clients.payment_module import HttpPaymentModule
from ticketing_service.clients.port import PaymentRefused, PaymentUnavailable
from ticketing_service.domain.bookings import Booking, Payment, PaymentState


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), f"http://127.0.0.1:{free_port()}/") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: SandboxProcess) -> SandboxProcess:
    shared.behave()
    return shared


@pytest.fixture
def module(sandbox: SandboxProcess) -> Iterator[HttpPaymentModule]:
    client = HttpPaymentModule(sandbox.url, TOKEN)
    yield client
    client.close()


def payment_of(booking: Booking) -> Payment:
    return Payment(
        id=uuid7(),
        booking_id=booking.id,
        provider_id=None,
        amount=2750,
        currency="EUR",
        state=PaymentState.OPENING,
        captured=0,
        accepted=False,
        redirect_url=None,
        return_url="http://shop.test/thanks",
        session_ends_at=None,
        created_at=NOW,
    )


def test_a_payment_is_opened_once_however_often_it_is_asked_for(module: HttpPaymentModule) -> None:
    booking = make_booking()
    payment = payment_of(booking)
    first, second = module.create(payment, booking), module.create(payment, booking)
    assert first == second
    assert first.session_ends_at.tzinfo is not None
    seen, refunds = module.state(first.provider_id)
    assert (seen.state, seen.amount, seen.currency) == (PaymentState.PENDING, 2750, "EUR")
    assert (seen.resource_id, seen.provider_id) == (str(booking.id), first.provider_id)
    assert refunds == {}


def test_a_payment_goes_from_authorised_to_refunded(
    module: HttpPaymentModule, sandbox: SandboxProcess
) -> None:
    booking = make_booking()
    session = module.create(payment_of(booking), booking)
    sandbox.force(session.provider_id, outcome="authorize")
    assert module.state(session.provider_id)[0].state is PaymentState.AUTHORIZED
    module.capture(session.provider_id, "c" * 16)
    seen, _ = module.state(session.provider_id)
    assert (seen.state, seen.captured) == (PaymentState.CAPTURED, 2750)
    key = uuid7().hex
    refund_id = module.refund(session.provider_id, 750, "cancelled", key)
    assert module.refund(session.provider_id, 750, "cancelled", key) == refund_id
    _, refunds = module.state(session.provider_id)
    assert refunds.keys() == {refund_id}


def test_a_cancelled_payment_is_voided_in_our_words(module: HttpPaymentModule) -> None:
    booking = make_booking()
    session = module.create(payment_of(booking), booking)
    module.void(session.provider_id, uuid7().hex)
    assert module.state(session.provider_id)[0].state is PaymentState.VOIDED
    with pytest.raises(PaymentRefused) as refusal:
        module.capture(session.provider_id, uuid7().hex)
    assert (refusal.value.code, refusal.value.permanent) == ("INVALID_STATE", False)


@pytest.mark.parametrize("behaviour, permanent", [("permanent", True), ("temporary", None)])
def test_a_refused_capture_is_final_only_when_the_module_says_so(
    module: HttpPaymentModule, sandbox: SandboxProcess, behaviour: str, permanent: bool | None
) -> None:
    booking = make_booking()
    session = module.create(payment_of(booking), booking)
    sandbox.force(session.provider_id, outcome="authorize")
    sandbox.behave(refuseCapture=behaviour)
    with pytest.raises(PaymentUnavailable if permanent is None else PaymentRefused) as failure:
        module.capture(session.provider_id, uuid7().hex)
    assert getattr(failure.value, "permanent", None) == permanent


def test_a_wrong_token_is_no_reason_to_give_a_sale_up(sandbox: SandboxProcess) -> None:
    client = HttpPaymentModule(sandbox.url, "not-the-right-token")
    with pytest.raises(PaymentRefused) as refusal:
        client.capture(str(uuid7()), uuid7().hex)
    assert not refusal.value.permanent
    client.close()


def test_a_module_that_is_away_or_hangs_is_unavailable_in_time(sandbox: SandboxProcess) -> None:
    away = HttpPaymentModule(f"http://127.0.0.1:{free_port()}", TOKEN)
    with pytest.raises(PaymentUnavailable):
        away.state(str(uuid7()))
    away.close()
    slow = HttpPaymentModule(sandbox.url, TOKEN, read_seconds=0.2)
    sandbox.behave(hang=True)
    began = time.monotonic()
    with pytest.raises(PaymentUnavailable):
        slow.state(str(uuid7()))
    assert time.monotonic() - began < 5
    slow.close()


class Liar:
    """A server that answers `status`, `headers` and `body` to everything; with `drip` a byte at a time, with
    `hang`, or after `hang_after` requests, not within five seconds. `asked` counts the requests.
    """

    def __init__(self) -> None:
        self.status, self.body, self.drip = 200, b"", False
        self.headers: dict[str, str] = {}
        self.hang, self.hang_after, self.asked = False, cast(int | None, None), 0
        liar = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                liar.asked += 1
                if liar.hang or (liar.hang_after is not None and liar.asked > liar.hang_after):
                    self.close_connection = True
                    select.select([self.connection], [], [], 5.0)  # until the client has had enough
                    return
                self.send_response(liar.status)
                self.send_header("Location", "http://127.0.0.1:1/")
                for name, value in liar.headers.items():
                    self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()
                if not liar.drip:
                    self.wfile.write(liar.body)
                    return
                try:
                    for _ in range(1000):
                        self.wfile.write(b" ")
                        time.sleep(0.02)
                except OSError:
                    return

            do_POST = do_GET  # noqa: N815 - the name that http.server looks for

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,)).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def liar() -> Iterator[Liar]:
    server = Liar()
    yield server
    server.close()


STATE = {
    "status": "captured",
    "amount": 2750,
    "currency": "EUR",
    "authorizedAmount": 2750,
    "capturedAmount": 2750,
    "refundedAmount": 0,
    "refunds": [],
    "resourceId": "x",
}


def wrapped(**changes: Any) -> bytes:
    return json.dumps({"success": True, "data": {**STATE, **changes}}).encode()


def test_the_liar_can_tell_the_truth(liar: Liar) -> None:
    liar.status, liar.body, liar.drip = 200, wrapped(), False
    client = HttpPaymentModule(liar.url, TOKEN)
    assert client.state("p")[0].captured == 2750
    client.close()


BAD = [
    (200, b""),
    (200, b"<html>"),
    (200, b"[]"),
    (200, json.dumps(STATE).encode()),
    (200, b'{"success": false, "data": {}}'),
    (200, b'{"success": true, "data": []}'),
    (302, wrapped()),
    (200, wrapped(status="settled")),
    (200, wrapped(status=None)),
    (200, wrapped(amount="2750")),
    (200, wrapped(amount=True)),
    (200, wrapped(capturedAmount=-1)),
    (200, wrapped(currency=None)),
    (200, wrapped(refunds=None)),
    (200, wrapped(refunds=[{"refundId": "r", "status": "lost"}])),
    (200, wrapped(resourceId="")),
    (200, b" " * (2 * 1024 * 1024)),
    (408, b""),
    (425, b""),
    (429, b'{"success": false, "error": {"code": "SLOW_DOWN"}}'),
    (500, b""),
    (503, wrapped()),
]


@pytest.mark.parametrize("status, body", BAD)
def test_an_answer_that_breaks_the_contract_is_no_answer(liar: Liar, status: int, body: bytes) -> None:
    liar.status, liar.body, liar.drip = status, body, False
    client = HttpPaymentModule(liar.url, TOKEN)
    with pytest.raises(PaymentUnavailable):
        client.state("p")
    client.close()


@pytest.mark.parametrize(
    "body, permanent",
    [
        (b"<html>", False),
        (b'{"error": {"code": "X"}}', False),
        (b'{"success": false, "error": {"code": "X"}}', True),
    ],
)
def test_only_the_modules_own_word_is_final(liar: Liar, body: bytes, permanent: bool) -> None:
    liar.status, liar.body, liar.drip = 422, body, False
    client = HttpPaymentModule(liar.url, TOKEN)
    with pytest.raises(PaymentRefused) as refusal:
        client.capture("p", "k" * 16)
    assert refusal.value.permanent is permanent
    client.close()


def test_an_answer_that_trickles_in_is_cut_off(liar: Liar) -> None:
    liar.status, liar.body, liar.drip = 200, b"", True
    client = HttpPaymentModule(liar.url, TOKEN, read_seconds=0.3)
    began = time.monotonic()
    with pytest.raises(PaymentUnavailable):
        client.state("p")
    assert time.monotonic() - began < 5
    client.close()
    liar.drip = False


def test_nothing_is_connected_before_the_first_call(tmp_path: Path) -> None:
    client = HttpPaymentModule("http://127.0.0.1:1", TOKEN)
    assert client._client is None
