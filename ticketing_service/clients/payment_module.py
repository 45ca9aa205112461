"""The external payment module over HTTP."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from common.monitoring.tracing import client_hooks
from common.resilience import deadline
from common.tls import trusted
from ticketing_service.clients import payment_answers
from ticketing_service.clients.payment_answers import Malformed, Read, T
from ticketing_service.clients.port import PaymentRefused, PaymentUnavailable
from ticketing_service.domain.bookings import Booking, Observation, Payment
from ticketing_service.storage.ports.payments import PaymentSession

CONNECT_SECONDS = 1.0
READ_SECONDS = 8.0
CONNECTIONS = 32
MAX_ANSWER_BYTES = 1024 * 1024
LONGEST_PAUSE_SECONDS = 300.0
"""A longer `Retry-After` is taken for this one: no answer may stop sales for a day."""

_TRY_AGAIN = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS},
)
# 401, 403 and 404 may be a wrong setting of ours, 409 is about the state at this moment: none of them is a
# reason to give a sale up.
_FOR_GOOD = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.PAYMENT_REQUIRED,
        HTTPStatus.GONE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


class HttpPaymentModule:
    """`PaymentModule` at `base_url` (scheme, host and port), with the service's bearer `token`.

    One pool of connections a process, opened at the first call, so that no connection is shared across a
    fork. Safe to use from many threads.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._payments_url = f"{base_url.rstrip('/')}/api/v1/payments"
        self._token = token
        self._read_seconds = read_seconds
        self._connect_seconds = connect_seconds
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._client_pid = 0

    def create(self, payment: Payment, booking: Booking) -> PaymentSession:
        """Open a session for the payment, or get the one that was opened for it before."""
        body = {
            "amount": payment.amount,
            "currency": payment.currency,
            "resourceType": "ticket",
            "resourceId": str(booking.id),
            "returnUrl": payment.return_url,
            "metadata": {"attemptId": str(payment.id), "reference": booking.reference},
        }
        data = self._call("POST", "", payment.id.hex, body)
        return self._understood(payment_answers.session, data)

    def state(self, provider_id: str) -> tuple[Observation, Mapping[str, str]]:
        """The payment as it is now, and the state of each of its refunds by id."""
        data = self._call("GET", f"/{_segment(provider_id)}")
        found = self._understood(payment_answers.observation, {**data, "paymentId": provider_id})
        return found, self._understood(payment_answers.refund_states, data)

    def capture(self, provider_id: str, key: str) -> None:
        """Take the authorised money."""
        self._call("POST", f"/{_segment(provider_id)}/capture", key, {})

    def void(self, provider_id: str, key: str) -> None:
        """Give up a payment that is not captured (the module's cancel)."""
        self._call("POST", f"/{_segment(provider_id)}/cancel", key, {})

    def refund(self, provider_id: str, amount: int, reason: str, key: str) -> str:
        """Give back `amount` minor units; the module's refund id."""
        body = {"amount": amount, "reason": reason}
        data = self._call("POST", f"/{_segment(provider_id)}/refunds", key, body)
        return self._understood(payment_answers.refund_id, data)

    def close(self) -> None:
        """Let go of the connections of this process."""
        with self._lock:
            if self._client is not None and self._client_pid == os.getpid():
                self._client.close()
            self._client = None

    def _call(
        self, method: str, path: str, key: str | None = None, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """What a success carries. Raises PaymentUnavailable, PaymentRefused."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if key is not None:
            headers["Idempotency-Key"] = key
        content = None if body is None else orjson.dumps(body)
        try:
            status, retry_after, raw = self._exchange(method, self._payments_url + path, headers, content)
        except httpx.HTTPError as error:
            raise PaymentUnavailable(f"{method} {path or '/'}: {type(error).__name__}: {error}") from error
        if status in _TRY_AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise PaymentUnavailable(f"answered {status}", pause_of(retry_after, datetime.now(UTC)))
        return _data_of(status, raw)

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> tuple[int, str | None, bytes]:
        """Status, `Retry-After` and body. Raises DeadlineExceeded, without asking, when no time is left."""
        seconds = deadline.remaining(self._read_seconds)
        at_most = min(seconds, self._connect_seconds)
        timeout = httpx.Timeout(seconds, connect=at_most, pool=at_most)
        # httpx limits the wait for each piece; this limits an answer that trickles in for ever.
        ends_at = time.monotonic() + seconds
        raw = bytearray()
        with self._client_here().stream(
            method, url, headers=headers, content=content, timeout=timeout
        ) as response:
            for piece in response.iter_bytes():
                raw += piece
                if len(raw) > MAX_ANSWER_BYTES or time.monotonic() > ends_at:
                    raise PaymentUnavailable("the answer is too long, or comes too slowly")
            return response.status_code, response.headers.get("Retry-After"), bytes(raw)

    def _client_here(self) -> httpx.Client:
        with self._lock:
            if self._client is None or self._client_pid != os.getpid():
                self._client = httpx.Client(
                    headers={"Authorization": f"Bearer {self._token}", "Accept": "application/json"},
                    verify=trusted(),
                    event_hooks=client_hooks(),
                    limits=httpx.Limits(max_connections=CONNECTIONS),
                    follow_redirects=False,
                    # A proxy of the environment is for the outside world, not for a module beside us.
                    trust_env=False,
                )
                self._client_pid = os.getpid()
            return self._client

    @staticmethod
    def _understood(read: Read[T], data: Mapping[str, Any]) -> T:
        try:
            return read(data)
        except Malformed as error:
            raise PaymentUnavailable(f"the answer cannot be understood: {error}") from error


def _segment(provider_id: str) -> str:
    return quote(provider_id, safe="")


def pause_of(retry_after: str | None, now: datetime) -> float | None:
    """The seconds of a `Retry-After` (RFC 9110 section 10.2.3: seconds, or an HTTP date), at most
    LONGEST_PAUSE_SECONDS; None where it says nothing that can be understood.
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:10]), LONGEST_PAUSE_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    # a date without a zone, or with -0000, is UTC all the same
    seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS)


def _data_of(status: int, raw: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(raw)
    except orjson.JSONDecodeError:
        answer = None
    wrapped = answer if isinstance(answer, dict) else {}
    if status >= HTTPStatus.BAD_REQUEST:
        error = wrapped.get("error")
        code = error.get("code") if isinstance(error, dict) else None
        # Something between us and the module may answer too; only the module's own word is final.
        own_word = wrapped.get("success") is False and isinstance(code, str)
        raise PaymentRefused(str(code)[:60] if own_word else str(status), own_word and status in _FOR_GOOD)
    data = wrapped.get("data")
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES or wrapped.get("success") is not True:
        raise PaymentUnavailable(f"answered {status} without a success")
    if not isinstance(data, dict):
        raise PaymentUnavailable("a success without data")
    return data
