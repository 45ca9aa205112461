"""The PDF as a reader shows it and a scanner reads it."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from common.texts import LANGUAGES
from tests.unit.documents.sample import NOW, URL, admit, make_booking, make_item, names_of
from ticketing_service.documents import pdf as pdf_module
from ticketing_service.documents.pdf import render_admissions


def text_of(content: bytes) -> str:
    ran = subprocess.run(["pdftotext", "-layout", "-", "-"], input=content, capture_output=True, check=True)
    return ran.stdout.decode()


def codes_of(content: bytes, folder: Path) -> list[str]:
    """What a scanner reads from each page, printed at 110 dots an inch."""
    (folder / "all.pdf").write_bytes(content)
    subprocess.run(["pdftoppm", "-r", "110", "-png", folder / "all.pdf", folder / "page"], check=True)
    read = ["zbarimg", "-q", "--raw", *map(str, sorted(folder.glob("page-*.png")))]
    return subprocess.run(read, capture_output=True, check=True, text=True).stdout.split()


def test_each_admission_has_a_page_with_its_own_code(tmp_path: Path) -> None:
    booking = make_booking(make_item(units=2), make_item(pois=8, units=1))
    admissions = admit(booking, tmp_path)
    content = render_admissions(booking, admissions, names_of(booking), URL)
    assert codes_of(content, tmp_path) == [admission.code for admission in admissions]
    pages = text_of(content).split("\f")
    assert [f"{number} of 3" in pages[number - 1] for number in (1, 2, 3)] == [True] * 3
    for page in pages[:3]:
        for fact in ("Canal tour", "Morning", "Adult", "Ann Lee", "K7QF-2MHP", "1 July 2026"):
            assert fact in page
        assert "10:00 - 11:30 (CEST)" in page
    assert all(name in pages[2] for name in list(names_of(booking).values())[1:])


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_in_the_language_of_the_customer(tmp_path: Path, language: str) -> None:
    booking = make_booking(language=language)
    text = text_of(render_admissions(booking, admit(booking, tmp_path), names_of(booking), URL))
    expected = {"en": "Wednesday", "nl": "woensdag", "de": "Mittwoch", "es": "miércoles", "fr": "mercredi"}
    assert expected[language] in text
    assert ("Rondvaart" if language == "nl" else "Canal tour") in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_test_says_on_every_page_that_it_is_one(tmp_path: Path, language: str) -> None:
    booking = make_booking(make_item(units=2), language=language)
    admissions = admit(booking, tmp_path)
    sign = "PRUEBA" if language == "es" else "TEST"
    for each, told in ((booking, False), (replace(booking, is_test=True), True)):
        pages = text_of(render_admissions(each, admissions, names_of(each), URL)).split("\f")[:2]
        assert [sign in page for page in pages] == [told, told]


NAMES = ["Łukasz Ωμέγα", "東京 太郎", "😀", "محمد", "a\u0301\u200d\u202e", "?" * 300, "W" * 300, "\x00\x07"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("with_font", [True, False])
def test_no_name_breaks_it(
    tmp_path: Path, name: str, with_font: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not with_font:
        monkeypatch.setattr(pdf_module, "_dejavu", lambda: None)
    booking = make_booking(make_item(units=1), name=name)
    (admission,) = admit(booking, tmp_path)
    content = render_admissions(booking, [admission], names_of(booking), URL)
    assert text_of(content).count("\f") == 1


def test_letters_beyond_latin_are_written_as_they_are(tmp_path: Path) -> None:
    booking = make_booking(name="Łukasz Ωμέγα")
    text = text_of(render_admissions(booking, admit(booking, tmp_path), names_of(booking), URL))
    assert "Łukasz Ωμέγα" in text


def test_cancelled_admissions_are_left_out(tmp_path: Path) -> None:
    booking = make_booking()
    first, second = admit(booking, tmp_path)
    cancelled = replace(first, cancelled_at=NOW)
    content = render_admissions(booking, [cancelled, second], names_of(booking), URL)
    assert codes_of(content, tmp_path) == [second.code]
    with pytest.raises(ValueError, match="no admission"):
        render_admissions(booking, [cancelled], names_of(booking), URL)
