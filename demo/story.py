"""Tells a person what happens: steps, requests in short, answers with what matters in them."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from typing import IO, Any

import httpx

from demo.api import Api

BODY_LENGTH = 200
SECRETS = ("t", "session", "password")
WAIT_SECONDS = 120.0
POLL_SECONDS = 0.25

BOLD, DIM, GREEN, YELLOW = "1", "2", "32", "33"


class Unexpected(Exception):
    """Something else happened than should; the message says what was asked and what came back."""


class Story:
    """Sends the requests of the tour and shows them. Colours are for terminals only."""

    def __init__(self, api: Api, stream: IO[str] | None = None) -> None:
        self.api = api
        self._stream = stream or sys.stdout
        self._coloured = self._stream.isatty() and "NO_COLOR" not in os.environ
        self._steps = 0

    def step(self, title: str) -> None:
        """Begin a step."""
        self._steps += 1
        self._line("")
        self._line(self._paint(BOLD, f"{self._steps:>2}. {title}"))

    def tell(self, text: str) -> None:
        """Say something that is no request."""
        self._line(f"    {text}")

    def ask(
        self,
        method: str,
        path: str,
        expect: int,
        *,
        show: Callable[[Any], str] | None = None,
        who: str = "",
        code: str | None = None,
        **more: Any,
    ) -> httpx.Response:
        """Send a request, show it with its answer, and return the answer.

        `show` makes the line about the answer from its JSON (for other media: from the answer itself).
        `who` says in words whose token is sent. Raises Unexpected unless status (and problem code) are as
        expected; NobodyAnswers.
        """
        answer = self.api.send(method, path, **more)
        self._show(answer, show, who, more)
        self._check(answer, {expect}, code)
        return answer

    def wait_for(
        self,
        path: str,
        ready: Callable[[httpx.Response], bool],
        *,
        not_yet: Collection[int] = (200,),
        show: Callable[[Any], str] | None = None,
        who: str = "",
        **more: Any,
    ) -> httpx.Response:
        """GET until `ready`; meanwhile the status must be one of `not_yet`. Shows the last answer only."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not ready(answer := self.api.send("GET", path, **more)):
            self._check(answer, not_yet, None)
            if time.monotonic() > deadline:
                raise Unexpected(f"{_named(answer)} was not ready within {WAIT_SECONDS:g} s: {answer.text}")
            time.sleep(POLL_SECONDS)
        self._show(answer, show, who, more)
        return answer

    def _check(self, answer: httpx.Response, expected: Collection[int], code: str | None) -> None:
        got = answer.json().get("code") if code else None
        if answer.status_code not in expected or got != code:
            wanted = " or ".join(map(str, expected)) + (f" {code}" if code else "")
            came = f"{answer.status_code} {got}" if got else f"{answer.status_code}"
            raise Unexpected(f"{_named(answer)} was answered {came}, not {wanted}:\n{answer.text[:2000]}")

    def _show(
        self, answer: httpx.Response, show: Callable[[Any], str] | None, who: str, more: dict[str, Any]
    ) -> None:
        as_whom = self._paint(DIM, f"  ({who})") if who else ""
        self._line(f"    > {_named(answer)}{as_whom}")
        if more.get("key"):
            self._line(self._paint(DIM, f"      Idempotency-Key: {more['key']}"))
        body = _without_secrets(more.get("body") or more.get("form") or {})
        files = more.get("files", {}).values()
        for name, content, media_type in files:
            self._line(self._paint(DIM, f"      {name}: {media_type}, {len(content)} bytes"))
        if more.get("version"):
            self._line(self._paint(DIM, f"      If-Match: {more['version']}"))
        if body:
            text = json.dumps(body, ensure_ascii=False)
            short = text if len(text) <= BODY_LENGTH else f"{text[: BODY_LENGTH - 4]} ..."
            self._line(self._paint(DIM, f"      {short}"))
        status = answer.status_code
        colour = GREEN if status < HTTPStatus.BAD_REQUEST else YELLOW
        named = self._paint(colour, f"{status} {HTTPStatus(status).phrase}")
        self._line(f"    < {named}{_essence(answer, show)}")

    def _paint(self, colour: str, text: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if self._coloured else text

    def _line(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()


def _named(answer: httpx.Response) -> str:
    """Method and path with its query; signatures in it are not for anybody's screen."""
    url = answer.request.url
    query = "&".join(
        f"{name}={value}" for name, value in _without_secrets(dict(url.params.multi_items())).items()
    )
    return f"{answer.request.method} {url.path}{'?' if query else ''}{query}"


def _without_secrets(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: "..." if name in SECRETS else value for name, value in values.items()}


def _essence(answer: httpx.Response, show: Callable[[Any], str] | None) -> str:
    if answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        problem = answer.json()
        extra = f" {show(problem)}" if show and answer.status_code == HTTPStatus.CONFLICT else ""
        return f"  {problem['code']}: {problem['detail'] or problem['title']}{extra}"
    if show is None:
        return ""
    is_json = answer.headers.get("Content-Type", "").startswith("application/json")
    return f"  {show(answer.json() if is_json else answer)}"
