"""A PDF is taken when it only shows something."""

from __future__ import annotations

import io
import resource
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from admin_service.documents.media_files import make_media
from admin_service.domain.media import Fault, FileRefused, MediaType
from tests.unit.admin.files import PLACE, opened, pdf, pdf_stream_bomb, pdf_with_annotation


def fault_of(content: bytes) -> Fault:
    with pytest.raises(FileRefused) as refused:
        make_media(opened(content))
    return refused.value.fault


def action(kind: str, **more: Any) -> Dictionary:
    return Dictionary(S=Name(f"/{kind}"), **more)


def test_a_document_is_written_anew_without_who_made_it() -> None:
    sent = pdf()
    assert PLACE.encode() in sent
    made = make_media(opened(sent))
    assert made.media_type is MediaType.PDF
    ((rendition, content),) = made.renditions
    assert (rendition.name, rendition.media_type, rendition.bytes) == (
        "document",
        "application/pdf",
        len(content),
    )
    assert content.startswith(b"%PDF-")
    assert PLACE.encode() not in content
    with pikepdf.open(io.BytesIO(content)) as document:
        assert len(document.pages) == 1
        assert "/Info" not in document.trailer


def test_what_stands_behind_a_document_is_not_kept() -> None:
    made = make_media(opened(pdf() + b"\n% hidden message\n"))
    assert b"hidden message" not in made.renditions[0][1]


@pytest.mark.parametrize(
    "root",
    [
        {"OpenAction": action("JavaScript", JS=String("app.alert(1)"))},
        {"OpenAction": action("Launch", F=String("/bin/sh"))},
        {"AA": Dictionary(WC=action("JavaScript", JS=String("app.alert(1)")))},
        {
            "Names": Dictionary(
                JavaScript=Dictionary(Names=Array([String("x"), action("JavaScript", JS=String("1"))]))
            )
        },
        {"Names": Dictionary(EmbeddedFiles=Dictionary(Names=Array([])))},
        {"AcroForm": Dictionary(Fields=Array([]), XFA=String("<xdp/>"))},
    ],
)
def test_a_document_that_acts_when_it_is_opened_is_refused(root: dict[str, object]) -> None:
    assert fault_of(pdf(**root)) is Fault.ACTIVE


@pytest.mark.parametrize(
    "annotation",
    [
        {"Subtype": Name.Link, "A": action("JavaScript", JS=String("app.alert(1)"))},
        {"Subtype": Name.Link, "A": action("SubmitForm", F=String("http://evil.example"))},
        {"Subtype": Name.Link, "A": action("URI", URI=String("javascript:alert(1)"))},
        {"Subtype": Name.Link, "A": action("URI", URI=String("file:///etc/passwd"))},
        {"Subtype": Name.Link, "A": action("GoToR", F=String("\\\\evil\\share"))},
        {"Subtype": Name("/FileAttachment")},
        {"Subtype": Name("/RichMedia")},
        {"Subtype": Name.Link, "AA": Dictionary(E=action("JavaScript", JS=String("1")))},
        {
            "Subtype": Name.Link,
            "A": action(
                "URI",
                URI=String("https://ok.example"),
                Next=Array([action("Launch", F=String("cmd.exe"))]),
            ),
        },
    ],
)
def test_a_document_that_acts_when_it_is_clicked_is_refused(annotation: dict[str, object]) -> None:
    assert fault_of(pdf_with_annotation(**annotation)) is Fault.ACTIVE


def test_a_link_to_a_web_page_is_kept() -> None:
    link = {"Subtype": Name.Link, "A": action("URI", URI=String("https://www.example.org/tower"))}
    ((_, content),) = make_media(opened(pdf_with_annotation(**link))).renditions
    with pikepdf.open(io.BytesIO(content)) as document:
        assert str(document.pages[0].Annots[0].A.URI) == "https://www.example.org/tower"


def test_a_locked_document_is_refused() -> None:
    with pikepdf.new() as document:
        document.add_blank_page()
        buffer = io.BytesIO()
        document.save(buffer, encryption=pikepdf.Encryption(owner="o", user="u"))
        locked = buffer.getvalue()
        buffer = io.BytesIO()
        document.save(buffer, encryption=pikepdf.Encryption(owner="o", user=""))
        half_locked = buffer.getvalue()
    assert fault_of(locked) is Fault.UNREADABLE
    assert fault_of(half_locked) is Fault.UNREADABLE


@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_a_document_that_was_cut_off_is_refused(part: float) -> None:
    whole = pdf()
    assert fault_of(whole[: int(len(whole) * part)]) is Fault.UNREADABLE


def test_a_document_that_stands_for_gigabytes_is_refused_cheaply() -> None:
    bomb = pdf_stream_bomb()
    assert len(bomb) < 400_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert fault_of(bomb) is Fault.UNREADABLE
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 150_000  # KiB; without the limit 300 MB
