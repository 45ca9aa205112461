"""The demo's way to the running product: plain HTTP through the gateway, as any client has it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

TIMEOUT_SECONDS = 15.0
PATIENCE_SECONDS = 60.0


class NobodyAnswers(Exception):
    """There is no gateway at the address; the message is one line."""


class Api:
    """`with Api(url, data_dir) as api: api.send("GET", "/tickets")`.

    An answer 429 is waited for as its Retry-After says; every other answer is the caller's.
    """

    def __init__(self, url: str, data_dir: Path) -> None:
        """`url` is the gateway's, with `/api/v1`; `data_dir` holds the tokens of the roles."""
        self.url = url
        self._tokens_file = data_dir / "tokens.json"
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)

    def token(self, role: str) -> str:
        """The access token of a role. Raises NobodyAnswers when `make run` has not written any."""
        try:
            tokens: dict[str, str] = json.loads(self._tokens_file.read_text(encoding="utf-8"))
        except OSError as error:
            raise NobodyAnswers(f"{self._tokens_file} cannot be read: {error.strerror}") from error
        return tokens[role]

    def send(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        key: str | None = None,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """One request. `path` follows `/api/v1`, or is a whole address; `key` is an Idempotency-Key.

        Raises NobodyAnswers.
        """
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if key:
            headers["Idempotency-Key"] = key
        url = path if path.startswith("http") else self.url + path
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self._client.request(
                    method, url, headers=headers, params=query, json=body, data=form
                )
            except httpx.TransportError as error:
                raise NobodyAnswers(f"no answer from {self.url}: {error}") from error
            if answer.status_code != 429 or _code(answer) != "RATE_LIMITED":
                return answer
            pause = float(answer.headers.get("Retry-After", 1))
            if time.monotonic() + pause > deadline:
                return answer
            time.sleep(pause)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()


def _code(answer: httpx.Response) -> str:
    return str(answer.json().get("code", ""))
