"""What customers are written, in each language."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import pytest

from common.texts import LANGUAGES
from tests.unit.documents.sample import make_booking, make_item, make_unit_item, names_of
from ticketing_service.documents.mail_texts import Template, write_letter, write_links
from ticketing_service.documents.wording import Wording, wording
from ticketing_service.domain.bookings import BookingStatus

LINK = "https://tickets.example.org/bookings/1#token=bkt_1"


def shape(value: Any) -> Any:
    """The same for texts that say the same: their names and the values that they mention."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return sorted({name for line in value for name in shape(line)})
    return sorted(set(re.findall(r"{(\w+)}", value)))


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_language_has_the_same_texts_with_the_same_values(language: str) -> None:
    english, other = Wording("en"), Wording(language)
    assert shape(other.mail) == shape(english.mail)
    assert shape(other._labels) == shape(english._labels)
    assert len(other._format["months"]) == 12
    assert len(other._format["weekdays"]) == 7


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", [each for each in Template if each is not Template.LOOKUP])
def test_every_letter_can_be_written(template: Template, language: str) -> None:
    booking = make_booking(language=language)
    letter = write_letter(template, booking, names_of(booking), LINK, amount=1250, reason="storm")
    whole = letter.subject + letter.text + letter.html
    assert booking.reference in letter.subject
    assert "{" not in letter.subject + letter.text
    assert booking.customer.name in letter.text
    refunds = template not in (Template.CONFIRMATION, Template.CAPTURE_REFUSED)
    assert ((wording(language).money(1250, "EUR")) in whole) == refunds
    assert ("storm" in letter.text) == (template is Template.SLOT_CANCELLED)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_letter_about_a_test_says_so_first(language: str) -> None:
    booking = make_booking(language=language)
    real, test = (
        write_letter(Template.CONFIRMATION, each, names_of(booking), LINK)
        for each in (booking, replace(booking, is_test=True))
    )
    words = wording(language)
    assert test.subject == f"{words.label('test')}: {real.subject}"
    for told in (test.text, html.unescape(test.html)):
        assert words.mail["test"] in told
    assert words.mail["test"] not in real.text


def test_names_and_titles_stay_text_in_html() -> None:
    booking = make_booking(make_item(title={"en": "<script>x</script>{amount}"}), name='<b>"Bob"</b>')
    letter = write_letter(Template.CONFIRMATION, booking, names_of(booking), LINK)
    assert "<script>" not in letter.html
    assert "<b>" not in letter.html
    assert "&lt;script&gt;x&lt;/script&gt;{amount}" in letter.html
    assert "<script>x</script>{amount}" in letter.text


def test_a_cancellation_tells_what_is_left() -> None:
    gone = replace(make_item(title={"en": "Museum"}), units=(make_unit_item(BookingStatus.CANCELLED),))
    part = make_booking(gone, make_item(title={"en": "Tower"}))
    letter = write_letter(Template.CANCELLED, part, names_of(part), LINK)
    assert "This is what stays booked" in letter.text
    assert "2 x Adult" in letter.text
    assert "Tower, Morning" in letter.text
    assert "Museum, Morning" not in letter.text
    whole = make_booking(gone, status=BookingStatus.CANCELLED)
    assert "Nothing of it stays booked" in write_letter(Template.CANCELLED, whole, {}, LINK).text


def test_links_come_one_for_each_booking() -> None:
    bookings = [make_booking(), make_booking()]
    links = [(booking, f"{LINK}{number}") for number, booking in enumerate(bookings)]
    letter = write_links(links, {}, "Ann", "de")
    assert letter.subject == "Ihre Buchungen"
    assert all(link in letter.text and link in letter.html for _, link in links)


@pytest.mark.parametrize(
    "language, amount, currency, expected",
    [
        ("en", 1250, "EUR", "12.50 EUR"),
        ("nl", 5, "EUR", "0,05 EUR"),
        ("de", 1250, "JPY", "1250 JPY"),
        ("fr", 1250, "KWD", "1,250 KWD"),
        ("en", -250, "EUR", "-2.50 EUR"),
    ],
)
def test_money_is_written_as_the_currency_and_language_do(
    language: str, amount: int, currency: str, expected: str
) -> None:
    assert wording(language).money(amount, currency) == expected


def test_an_unknown_language_is_answered_in_english() -> None:
    assert wording("tlh").language == "en"
