"""A file is what its content says, and only that."""

from __future__ import annotations

import pytest

from admin_service.documents.media_files import make_media
from admin_service.domain.media import Fault, FileRefused, MediaType, shown_name
from tests.unit.admin.files import archive, opened, pdf, picture

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><html><body><script>alert(document.domain)</script></body></html>"


def fault_of(content: bytes) -> Fault:
    with pytest.raises(FileRefused) as refused:
        make_media(opened(content))
    return refused.value.fault


@pytest.mark.parametrize(
    "content",
    [
        SVG,
        b"<?xml version='1.0'?>" + SVG,
        b"\xef\xbb\xbf  \n" + SVG,
        HTML,
        b"\n\n" + HTML,
        b"alert(1)",
        b"MZ" + b"\0" * 400,
        b"\x7fELF" + b"\0" * 400,
        archive(),
        b"%!PS-Adobe-3.0\n",
        b"II*\0" + b"\0" * 400,
        b"BM" + b"\0" * 400,
        b"\0" * 4096,
        "just a text".encode("utf-16"),
    ],
)
def test_what_is_none_of_ours_is_refused(content: bytes) -> None:
    assert fault_of(content) in (Fault.TYPE, Fault.POLYGLOT)


def test_nothing_is_refused() -> None:
    assert fault_of(b"") is Fault.EMPTY


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "AVIF"])
@pytest.mark.parametrize(
    "second", [archive(), HTML, SVG, b"<?php system($_GET[0]); ?>", b"\n<ScRiPt>alert(1)</sCrIpT>"]
)
def test_a_picture_that_is_something_else_as_well_is_refused(kind: str, second: bytes) -> None:
    assert fault_of(picture(kind) + second) is Fault.POLYGLOT


def test_a_picture_with_a_script_in_its_comment_is_refused() -> None:
    assert fault_of(picture("JPEG", comment=b"<script>alert(1)</script>")) is Fault.POLYGLOT
    assert fault_of(picture("GIF", comment=b"<svg onload=alert(1)>")) is Fault.POLYGLOT


def test_a_script_far_behind_and_across_two_pieces_is_found() -> None:
    content = picture("JPEG")
    content += b"\0" * ((1 << 20) - len(content) - 4) + b"<script>alert(1)</script>"
    assert fault_of(content) is Fault.POLYGLOT


def test_a_picture_that_reads_as_pdf_is_refused() -> None:
    content = picture("JPEG")
    assert fault_of(content[:20] + b"%PDF-1.4" + content[20:]) is Fault.POLYGLOT
    assert fault_of(b"GIF89a" + pdf()) in (Fault.POLYGLOT, Fault.UNREADABLE)


def test_a_pdf_with_an_archive_behind_it_is_refused() -> None:
    assert fault_of(pdf() + archive()) is Fault.POLYGLOT


def test_a_pdf_that_does_not_begin_as_one_is_refused() -> None:
    assert fault_of(HTML + pdf()) in (Fault.TYPE, Fault.POLYGLOT)


def test_an_innocent_trailer_of_a_camera_is_no_reason() -> None:
    made = make_media(opened(picture("JPEG") + b"SEFT" + bytes(range(256)) * 40))
    assert made.media_type is MediaType.JPEG


@pytest.mark.parametrize(
    "sent, shown",
    [
        ("tower.jpg", "tower.jpg"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\fakepath\\a.png", "a.png"),
        ("/", "unnamed"),
        ("..", "unnamed"),
        ("", "unnamed"),
        (None, "unnamed"),
        ("<img src=x onerror=alert(1)>.png", "img src=x onerror=alert(1).png"),
        ("a\x00b\r\n.png", "ab.png"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("x" * 400, "x" * 200),
        ("Größe 東京.webp", "Größe 東京.webp"),
    ],
)
def test_a_name_is_shown_without_what_could_do_harm(sent: str | None, shown: str) -> None:
    assert shown_name(sent) == shown
