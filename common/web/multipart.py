"""Uploads: a multipart body (RFC 7578), its files streamed to files without a name, its texts like a JSON
body."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO

from flask import Request, after_this_request
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from common.web.field_errors import FieldError, field_errors
from common.web.problems import Problem, invalid, problem

MEDIA_TYPE = "multipart/form-data"
TEXT_BYTES = 64 * 1024
"""What all texts of a body may have together."""

_PARSER_BYTES = 2 * 64 * 1024
"""What the parser itself has in hand: a piece that it has read, and what it kept of the one before. It counts
these as if they were texts, files too."""

_PARTS_OVERHEAD = 4096
"""Headers and boundary of one part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Multipart:
    """The body of a route that takes files; for `Api.route(body=...)`.

    Args:
        folder: where they are while they are read. They have no name there: however the process ends, nothing
            is left.
        field: the parts' name. texts: the schema of the other parts, each of which is one text.
    """

    folder: Callable[[], Path]
    field: str = "files"
    max_files: int = 1
    max_file_bytes: int = 10_000_000
    texts: Schema | None = None

    @property
    def max_body_bytes(self) -> int:
        """What a request can have at most, all parts together."""
        return self.max_files * (self.max_file_bytes + _PARTS_OVERHEAD) + TEXT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One file of a body. `name`: what the client calls it. `digest`: its SHA-256, hexadecimal."""

    name: str
    file: BinaryIO
    size: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads:
    """A body as it was read: at least one file. The files are there until the request is answered."""

    files: tuple[Upload, ...]
    texts: dict[str, Any] = field(default_factory=dict)

    @property
    def comparable(self) -> Any:
        """What stands for the body where two requests are compared."""
        return {
            "files": [[upload.name, upload.digest] for upload in self.files],
            "texts": {name: str(value) for name, value in self.texts.items()},
        }


class _Receiver:
    """A part's file while it comes in: counted, and hashed on the way."""

    def __init__(self, folder: Path, limit: int, pointer: str) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed when the request is answered
        self.size, self._limit, self._pointer = 0, limit, pointer
        self._digest = hashlib.sha256()

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def write(self, piece: bytes) -> int:
        self.size += len(piece)
        if self.size > self._limit:
            raise _too_large(self._pointer, f"A file may have {self._limit} bytes.")
        self._digest.update(piece)
        return self.file.write(piece)

    def seek(self, position: int) -> int:
        return self.file.seek(position)

    def close(self) -> None:
        self.file.close()


def read_multipart(request: Request, declared: Multipart) -> Uploads:
    """Read the body. Raises Problem 415, 413, 400 for one that cannot be read or was cut off, 422."""
    if request.mimetype != MEDIA_TYPE:
        raise problem(
            "UNSUPPORTED_MEDIA_TYPE", f"Send the body as {MEDIA_TYPE}.", headers={"Accept": MEDIA_TYPE}
        )
    receivers: list[_Receiver] = []

    def receive(
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if len(receivers) == declared.max_files:
            raise invalid(
                [FieldError(f"/{declared.field}", "TOO_LONG", f"At most {declared.max_files} files.")]
            )
        pointer = f"/{declared.field}/{len(receivers)}"
        receivers.append(_Receiver(declared.folder(), declared.max_file_bytes, pointer))
        return receivers[-1]  # type: ignore[return-value]

    @after_this_request
    def close(response: Any) -> Any:
        for receiver in receivers:
            receiver.close()
        return response

    texts, files = _parsed(request, declared, receive)
    return _uploads(declared, texts, files, receivers)


def _parsed(request: Request, declared: Multipart, receive: Any) -> tuple[Any, Any]:
    request.max_content_length = declared.max_body_bytes
    parser = FormDataParser(
        stream_factory=receive,
        max_form_memory_size=TEXT_BYTES + _PARSER_BYTES,
        max_content_length=declared.max_body_bytes,
        max_form_parts=declared.max_files + 20,
        silent=False,
    )
    try:
        _, texts, files = parser.parse(
            request.stream, request.mimetype, request.content_length, dict(request.mimetype_params)
        )
    except RequestEntityTooLarge as error:
        raise _too_large("", f"At most {declared.max_body_bytes} bytes in a request.") from error
    except ClientDisconnected as error:
        raise problem("BAD_REQUEST", "The body ended before its end.") from error
    except HTTPException:
        raise
    except (ValueError, UnicodeError) as error:
        raise problem("BAD_REQUEST", f"The body is no multipart body: {error}") from error
    return texts, files


def _uploads(declared: Multipart, texts: Any, files: Any, receivers: list[_Receiver]) -> Uploads:
    errors = [
        FieldError(f"/{name}", "UNKNOWN_FIELD", "There is no such file field.")
        for name in files
        if name != declared.field
    ]
    if errors:
        raise invalid(errors)
    if not receivers:
        raise invalid([FieldError(f"/{declared.field}", "REQUIRED", "Send at least one file.")])
    uploads = tuple(
        Upload(
            name=str(sent.filename or ""),
            file=receiver.file,
            size=receiver.size,
            digest=receiver.digest,
        )
        for sent, receiver in zip(files.getlist(declared.field), receivers, strict=True)
    )
    return Uploads(files=uploads, texts=_texts(declared.texts, texts))


def _texts(schema: Schema | None, texts: Any) -> dict[str, Any]:
    if sum(len(text) for _, values in texts.lists() for text in values) > TEXT_BYTES:
        raise _too_large("", f"All texts together may have {TEXT_BYTES} characters.")
    given = {name: values[0] for name, values in texts.lists()}
    repeated = [
        FieldError(f"/{name}", "REPEATED", "It may be there once.")
        for name, values in texts.lists()
        if len(values) > 1
    ]
    unknown = (
        [FieldError(f"/{name}", "UNKNOWN_FIELD", "Unknown field.") for name in given]
        if schema is None
        else []
    )
    if repeated or unknown:
        raise invalid([*repeated, *unknown])
    if schema is None:
        return {}
    try:
        loaded: dict[str, Any] = schema.load(given)
    except ValidationError as error:
        raise invalid(field_errors(error.messages, error.data)) from error
    return loaded


def _too_large(pointer: str, detail: str) -> Problem:
    made = problem("CONTENT_TOO_LARGE", detail)
    made.errors = (FieldError(pointer, "TOO_LONG", detail),) if pointer else ()
    return made
