"""A body that is read as it comes, for files too long to be held whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Request

from common.web.problems import problem

PART_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Streamed:
    """Declares such a body: of one of `media_types`, `limit_bytes` at most. The view takes an iterator of
    bytes, which raises a Problem where the body ends too late (413) or too early (400).
    """

    media_types: tuple[str, ...]
    limit_bytes: int


def read_streamed(request: Request, declared: Streamed) -> Iterator[bytes]:
    """The parts of the body. Raises Problem 415, or 413 for one that says at once that it is too long."""
    if request.mimetype not in declared.media_types:
        types = ", ".join(declared.media_types)
        raise problem("UNSUPPORTED_MEDIA_TYPE", f"Send the body as {types}.", headers={"Accept": types})
    if request.content_encoding not in (None, "", "identity"):
        raise problem(
            "UNSUPPORTED_MEDIA_TYPE",
            "Send the body as it is, not packed.",
            headers={"Accept-Encoding": "identity"},
        )
    if (request.content_length or 0) > declared.limit_bytes:
        raise _too_long(declared)
    # the stream itself must not give up before the limit that is declared here
    request.max_content_length = declared.limit_bytes
    return _parts(request, declared)


def _parts(request: Request, declared: Streamed) -> Iterator[bytes]:
    total = 0
    while part := request.stream.read(PART_BYTES):
        total += len(part)
        if total > declared.limit_bytes:
            raise _too_long(declared)
        yield part


def _too_long(declared: Streamed) -> Exception:
    return problem("CONTENT_TOO_LARGE", f"At most {declared.limit_bytes} bytes are read here.")
