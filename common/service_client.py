"""How one of our services asks another over HTTP: JSON both ways, a service token, a limit on every wait."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx
import orjson

from common.monitoring.tracing import client_hooks
from common.resilience import deadline
from common.tls import trusted

CONNECT_SECONDS, READ_SECONDS = 1.0, 2.0
CONNECTIONS = 16
MAX_ANSWER_BYTES = 32 * 1024 * 1024

Away = Callable[[str, float | None], Exception]
"""Makes what is raised when the service gives no answer, of why and of when it is worth asking again (s)."""


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """What the service answered: a success, 304, or a 4xx that is its own."""

    status: int
    document: Any
    etag: str | None = None


class ServiceClient:
    """Asks a service at `base_url`; `token` makes the bearer of a call, None for what is public. One pool of
    connections a process, opened at the first call. Safe to use from many threads.
    """

    def __init__(
        self,
        base_url: str,
        token: Callable[[], str] | None,
        away: Away,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._base_url, self._token, self._away = base_url.rstrip("/"), token, away
        self._connect_seconds, self._read_seconds = connect_seconds, read_seconds
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._client_pid = 0

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        known: str | None = None,
        accept_unavailable: bool = False,
    ) -> ServiceAnswer:
        """One request. `known`: the ETag of what we have; then the answer may be 304. `accept_unavailable`:
        a 503 is an answer, too.

        Raises what `away` makes: for no answer, a 5xx, one that cannot be read, and 401 (our own key is not
        theirs: an operator's fault, not the caller's).
        """
        headers = {} if self._token is None else {"Authorization": f"Bearer {self._token()}"}
        if known is not None:
            headers["If-None-Match"] = known
        content = None
        if body is not None:
            content, headers["Content-Type"] = orjson.dumps(body), "application/json"
        try:
            status, answered, raw = self._exchange(method, path, query, headers, content)
        except httpx.HTTPError as error:
            raise self._away(f"{method} {path}: {type(error).__name__}: {error}", None) from error
        is_answer = accept_unavailable and status == HTTPStatus.SERVICE_UNAVAILABLE
        if not is_answer and (
            status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.UNAUTHORIZED
        ):
            raise self._away(f"answered {status}", _seconds(answered.get("Retry-After")))
        try:
            document = orjson.loads(raw) if raw else None
        except orjson.JSONDecodeError as error:
            raise self._away("the answer is no JSON", None) from error
        return ServiceAnswer(status, document, answered.get("ETag"))

    def close(self) -> None:
        """Let go of the connections; the next call opens new ones."""
        with self._lock:
            if self._client is not None and self._client_pid == os.getpid():
                self._client.close()
            self._client = None

    def _exchange(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        headers: Mapping[str, str],
        content: bytes | None,
    ) -> tuple[int, httpx.Headers, bytes]:
        """Status, headers and body. Raises DeadlineExceeded, without asking, when no time is left."""
        seconds = deadline.remaining(self._read_seconds)
        at_most = min(seconds, self._connect_seconds)
        timeout = httpx.Timeout(seconds, connect=at_most, pool=at_most)
        # httpx limits the wait for each piece; this limits an answer that trickles in for ever.
        ends_at = time.monotonic() + seconds
        raw = bytearray()
        with self._client_here().stream(
            method, self._base_url + path, params=query, headers=headers, content=content, timeout=timeout
        ) as response:
            for piece in response.iter_bytes():
                raw += piece
                if len(raw) > MAX_ANSWER_BYTES or time.monotonic() > ends_at:
                    raise self._away("the answer is too long, or comes too slowly", None)
            return response.status_code, response.headers, bytes(raw)

    def _client_here(self) -> httpx.Client:
        with self._lock:
            if self._client is None or self._client_pid != os.getpid():
                self._client = httpx.Client(
                    headers={"Accept": "application/json"},
                    verify=trusted(),
                    event_hooks=client_hooks(),
                    limits=httpx.Limits(max_connections=CONNECTIONS),
                    follow_redirects=False,
                    # A proxy of the environment is for the outside world, not for a service beside us.
                    trust_env=False,
                )
                self._client_pid = os.getpid()
            return self._client


def _seconds(retry_after: str | None) -> float | None:
    text = (retry_after or "").strip()
    return min(float(text[:6]), 300.0) if text.isascii() and text.isdigit() else None
