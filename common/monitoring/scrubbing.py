"""What must not stand in a log: what people are called and where, secrets, what a statement was run with."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import PurePath
from traceback import walk_tb

TEXT_LENGTH = 1000
_CAUSES, _FRAMES = 5, 15

# Each pattern looks at a bounded stretch, so that no text makes the search slow.
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), instead)
    for pattern, instead in (
        # What gunicorn says of a request that it cannot read holds the client's address and bytes.
        (r"(Invalid request from )ip=.*", r"\1a client"),
        (r"(Error handling request [^\s?]{0,200})\S*", r"\1"),
        # SQLAlchemy and the drivers quote values.
        (r"\[parameters: .*", "[parameters hidden]"),
        (r"(Duplicate entry |Incorrect [a-z]+ value: |Data too long[^']{0,40})'.*", r"\1<hidden>"),
        (r"(://)[^\s/@]{1,300}@", r"\1<secret>@"),
        (r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{1,8192}", r"\1 <secret>"),
        (r"(?i)\b(authorization|cookie|password|secret|token|(?:api|access)[_-]?key)(['\"]?\s*[:=]\s*)\S+",
         r"\1\2<secret>"),
        (r"([?&;](?:t|dl|code|key|signature)=)[^\s&#\"']+", r"\1<secret>"),
        (r"\beyJ[\w-]{5,8192}(?:\.[\w-]{0,8192}){0,4}", "<secret>"),
        (r"\b[a-z]{2,4}_(?=[a-z_-]{0,80}[A-Z0-9])[\w.-]{16,8192}", "<secret>"),
        (r"[^\s@<>\"'(),;:=\[\]]{1,64}@[^\s@<>\"'(),;:\]]{1,255}", "<e-mail>"),
        (r"\+\d[\d ()./-]{6,18}\d", "<phone>"),
    )
)  # fmt: skip


def scrubbed(text: str) -> str:
    """`text`, of which no more than 1,000 characters, without secrets, e-mail addresses and phone numbers."""
    text = text if len(text) <= TEXT_LENGTH else text[:TEXT_LENGTH] + "..."
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    # A half of a surrogate pair is no character: JSON cannot hold it.
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def traceback_of(error: BaseException) -> str:
    """What was raised, where, and what led to it: types and places, and no text of an exception.

    An exception's text is made of whatever was at hand: a name, a row, a statement's parameters. No pattern
    recognises a person's name, so the text is left out. A number that says what went wrong (errno, a
    database's error number) stays.
    """
    return "\ncaused by: ".join("\n".join(_lines(each)) for each in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    for _ in range(_CAUSES):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def _lines(error: BaseException) -> Iterator[str]:
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    yield f"{name}{_number(error)}"
    frames = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__)]
    for code, line in reversed(frames[-_FRAMES:]):  # where it was raised comes first
        place = "/".join(PurePath(code.co_filename).parts[-3:])
        yield f"  at {place}:{line} in {code.co_name}"


def _number(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return f": {os.strerror(error.errno)} (errno {error.errno})"
    first = error.args[0] if error.args else None
    # Of a plain ValueError(4111...) nobody knows what the number is.
    is_drivers = type(error).__module__ != "builtins"
    return f" ({first})" if is_drivers and type(first) is int and 0 <= first < 100_000 else ""
