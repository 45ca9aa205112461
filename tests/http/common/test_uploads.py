"""Files in a multipart body: read to their end or not at all, and never left behind."""

from __future__ import annotations

import hashlib
import io
import random
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from marshmallow import fields, validate
from werkzeug.test import TestResponse

from common.auth.authenticator import Authenticator
from common.auth.policy import anyone
from common.web import problems, security
from common.web.api import Api, operations_of
from common.web.multipart import Multipart, Uploads
from common.web.openapi import build_document
from common.web.schemas import ApiSchema

BOUNDARY = "bbbbb"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
LIMIT = 5000


class Texts(ApiSchema):
    title = fields.String(validate=validate.Length(max=20))


class Desk:
    """An app with one route that takes up to three files of 5,000 bytes."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder, self.seen = folder, list[Uploads]()
        self.open_files: list[Any] = []
        self.app = Flask(__name__)
        security.install(self.app)
        problems.install(self.app, {})
        self.app.extensions["authenticator"] = Authenticator(None)  # type: ignore[arg-type]
        api = Api("desk")
        body = Multipart(folder=lambda: folder, max_files=3, max_file_bytes=limit, texts=Texts())

        @api.route("POST", "/files", who=anyone(), body=body, status=201)
        def take(body: Uploads) -> Any:
            self.seen.append(body)
            self.open_files += [upload.file for upload in body.files]
            return [
                [upload.name, upload.size, upload.digest, hashlib.sha256(upload.file.read()).hexdigest()]
                for upload in body.files
            ] + [body.texts]

        @api.route("POST", "/failing", who=anyone(), body=body)
        def fail(body: Uploads) -> Any:
            self.open_files += [upload.file for upload in body.files]
            raise RuntimeError("the view failed")

        api.register(self.app)
        self.client = self.app.test_client()

    def send(self, raw: bytes, content_type: str = TYPE, path: str = "/files", **how: Any) -> TestResponse:
        return self.client.post(path, data=raw, content_type=content_type, **how)

    def promise(self, length: int, stream: io.BytesIO) -> TestResponse:
        """Say that the body has `length` bytes, and send what is in `stream`."""
        environ = {"CONTENT_TYPE": TYPE, "CONTENT_LENGTH": str(length), "wsgi.input": stream}
        return self.client.post("/files", environ_overrides=environ)

    def left(self) -> list[Path]:
        return list(self.folder.rglob("*")) if self.folder.exists() else []


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "uploads")


class Pieces(io.BytesIO):
    """Gives at most so many bytes at a time, as a connection does."""

    def __init__(self, content: bytes, most: int) -> None:
        super().__init__(content)
        self._most = most

    def readinto(self, buffer: Any, /) -> int:
        piece = super().read(min(self._most, len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


def part(content: bytes, name: str = "files", file_name: str | None = "a.bin") -> bytes:
    shown = "" if file_name is None else f'; filename="{file_name}"'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n\r\n'
    return head.encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


def refused(answer: TestResponse) -> tuple[int, str, list[tuple[str, str]]]:
    assert answer.content_type == "application/problem+json", answer.get_data()
    document: Any = answer.json
    errors = [(error["pointer"], error["code"]) for error in document.get("errors", [])]
    return answer.status_code, document["code"], errors


def test_files_arrive_whole_with_their_digest_and_are_closed_and_gone(desk: Desk) -> None:
    contents = [b"first\r\n--not-a-boundary", b"", bytes(range(256)) * 19]
    raw = b"".join(part(content, file_name=f"{n}.jpg") for n, content in enumerate(contents))
    answer = desk.send(raw + part(b"Tower", "title", None) + END)
    assert answer.status_code == 201
    expected = [
        [f"{n}.jpg", len(content), hashlib.sha256(content).hexdigest(), hashlib.sha256(content).hexdigest()]
        for n, content in enumerate(contents)
    ]
    assert answer.json == [*expected, {"title": "Tower"}]
    assert all(file.closed for file in desk.open_files)
    assert desk.left() == []


def test_files_of_any_bytes_arrive_whole_in_pieces_of_any_size(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "uploads", limit=1_000_000)
    randomly = random.Random(7)
    contents = [randomly.randbytes(300_000), b"\r\n--bbbb" * 20_000, randomly.randbytes(65_536)]
    raw = b"".join(part(content) for content in contents) + part(b"Tower", "title", None) + END
    for most in (65_536, 65_535, 1000, 50_000):
        answer = desk.promise(len(raw), Pieces(raw, most))
        assert answer.status_code == 201, answer.json
        digests = [hashlib.sha256(content).hexdigest() for content in contents]
        assert [each[2] for each in answer.json[:3]] == digests  # type: ignore[index]


def test_files_are_closed_when_the_view_fails(desk: Desk) -> None:
    assert desk.send(part(b"x") + END, path="/failing").status_code == 500
    assert [file.closed for file in desk.open_files] == [True]


def test_a_file_has_no_name_on_disk_even_while_it_is_read(desk: Desk) -> None:
    folder = desk.folder
    found: list[Path] = []

    class Slow(io.BytesIO):
        def readinto(self, buffer: Any, /) -> int:
            found.extend(folder.rglob("*") if folder.exists() else [])
            piece = super().read(min(100, len(buffer)))
            buffer[: len(piece)] = piece
            return len(piece)

    raw = part(b"y" * 4000) + END
    answer = desk.promise(len(raw), Slow(raw))
    assert answer.status_code == 201, answer.json
    assert folder.exists()
    assert found == []


@pytest.mark.parametrize("cut", [10, 90, 3000])
def test_an_upload_that_was_cut_off_leaves_nothing(desk: Desk, cut: int) -> None:
    raw = part(b"x" * 4000) + END
    answer = desk.promise(len(raw), io.BytesIO(raw[:cut]))
    assert refused(answer)[:2] == (400, "BAD_REQUEST")
    assert answer.json["detail"] == "The body ended before its end."  # type: ignore[index]
    assert desk.seen == []
    assert desk.left() == []


def test_a_body_without_its_end_is_no_body(desk: Desk) -> None:
    assert refused(desk.send(part(b"x" * 4000)))[0] == 400
    assert desk.seen == []


def test_a_file_that_is_too_large_is_named(desk: Desk) -> None:
    assert desk.send(part(b"x" * LIMIT) + END).status_code == 201
    answer = desk.send(part(b"small") + part(b"x" * (LIMIT + 1)) + END)
    assert refused(answer) == (413, "CONTENT_TOO_LARGE", [("/files/1", "TOO_LONG")])
    assert desk.left() == []


def test_a_body_that_says_it_is_larger_than_all_files_may_be_is_not_read(desk: Desk) -> None:
    class Unread(io.BytesIO):
        def readinto(self, buffer: Any, /) -> int:
            raise AssertionError("read")

    answer = desk.promise(10**9, Unread())
    assert refused(answer)[:2] == (413, "CONTENT_TOO_LARGE")


@pytest.mark.parametrize(
    "raw, status, errors",
    [
        (part(b"x") * 4 + END, 422, [("/files", "TOO_LONG")]),
        (END, 422, [("/files", "REQUIRED")]),
        (part(b"x", "title", None) + END, 422, [("/files", "REQUIRED")]),
        (part(b"x", "other") + END, 422, [("/other", "UNKNOWN_FIELD")]),
        (part(b"x") + part(b"y", "role", None) + END, 422, [("/role", "UNKNOWN_FIELD")]),
        (part(b"x") + part(b"y" * 30, "title", None) + END, 422, [("/title", "TOO_LONG")]),
        (part(b"x") + part(b"y", "title", None) * 2 + END, 422, [("/title", "REPEATED")]),
        (part(b"x") + part(b"y" * 70_000, "title", None) + END, 413, []),
        (part(b"x") + b"".join(part(b"y", f"n{n}", None) for n in range(60)) + END, 413, []),
    ],
)
def test_what_does_not_belong_is_refused(
    desk: Desk, raw: bytes, status: int, errors: list[tuple[str, str]]
) -> None:
    answer = refused(desk.send(raw))
    assert (answer[0], answer[2]) == (status, errors)
    assert desk.seen == []


@pytest.mark.parametrize(
    "content_type, status",
    [
        ("application/json", 415),
        ("text/plain", 415),
        ("multipart/mixed; boundary=bbbbb", 415),
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=", 400),
        ("multipart/form-data; boundary=other", 400),
    ],
)
def test_another_type_is_refused(desk: Desk, content_type: str, status: int) -> None:
    assert refused(desk.send(part(b"x") + END, content_type))[0] == status


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00" * 500,
        f"--{BOUNDARY}\r\n\r\nx\r\n".encode() + END,
        f"--{BOUNDARY}\r\nContent-Disposition: attachment\r\n\r\nx\r\n".encode() + END,
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; filename="a"\r\n\r\nx\r\n'.encode() + END,
        f"--{BOUNDARY}\r\n{'X' * 100_000}: 1\r\n\r\nx\r\n".encode() + END,
        b'--bbbbb\r\nContent-Disposition: form-data; name="\xff\xfe"; filename="\xff"\r\n\r\nx\r\n' + END,
    ],
)
def test_nonsense_is_a_problem_and_no_failure(desk: Desk, raw: bytes) -> None:
    assert refused(desk.send(raw))[0] in (400, 413, 422)
    assert desk.left() == []


def test_the_document_tells_of_it(desk: Desk) -> None:
    document = build_document(operations_of(desk.app), title="t", version="1")
    described = document["paths"]["/files"]["post"]
    form = described["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["files"]["maxItems"] == 3
    assert set(form["properties"]) == {"files", "title"}
    assert {"400", "413", "415", "422"} <= set(described["responses"])
