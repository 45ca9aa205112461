"""The demo's way to the running product: plain HTTP through the gateway, as any client has it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

TIMEOUT_SECONDS = 15.0
PATIENCE_SECONDS = 60.0


class NobodyAnswers(Exception):
    """There is no gateway at the address; the message is one line."""


class Api:
    """`with Api(url) as api: api.send("GET", "/tickets")`. `url` is the gateway's, with `/api/v1`.

    An answer 429 is waited for as its Retry-After says; every other answer is the caller's.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False)

    def send(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        key: str | None = None,
        version: str | None = None,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        geojson: bytes | None = None,
    ) -> httpx.Response:
        """One request. `path` follows `/api/v1`, or is a whole address; `key` is an Idempotency-Key,
        `version` an ETag that must still hold, `geojson` a file as the body.

        Raises NobodyAnswers.
        """
        named = {
            "Authorization": f"Bearer {token}" if token else None,
            "Idempotency-Key": key,
            "If-Match": version,
            "Content-Type": "application/geo+json" if geojson is not None else None,
        }
        headers = {name: value for name, value in named.items() if value}
        url = path if path.startswith("http") else self.url + path
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = self._client.request(
                    method, url, headers=headers, params=query, json=body, data=form, files=files,
                    content=geojson,
                )  # fmt: skip
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


class Refused(Exception):
    """The API answered something else than it should; the message says what."""


def expect(answer: httpx.Response, *statuses: int) -> Any:
    """The JSON of an answer, None without any. Raises Refused for another status."""
    if answer.status_code not in statuses:
        request = f"{answer.request.method} {answer.request.url.path}"
        wanted = " or ".join(map(str, statuses))
        raise Refused(f"{request} was answered {answer.status_code}, not {wanted}: {answer.text}")
    return answer.json() if answer.content else None


def _code(answer: httpx.Response) -> str:
    return str(answer.json().get("code", ""))
