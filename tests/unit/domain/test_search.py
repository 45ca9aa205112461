"""Words: how texts and queries are cut, and what finds what."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.words import WORD_LENGTH, matches, words
from tests.unit.domain.builders import option, ticket, unit
from ticketing_service.domain.search import ticket_words


@pytest.mark.parametrize(
    "text, found",
    [
        ("Église du Château", ("eglise", "du", "chateau")),
        ("Straße STRASSE", ("strasse",)),
        ("L'été, à la plage!", ("l", "ete", "a", "la", "plage")),
        ("Ærø Łódź Þingvellir IJsselmeer", ("aero", "lodz", "thingvellir", "ijsselmeer")),
        ("ﬁne ２０２６ ½", ("fine", "2026", "1", "2")),
        ("İstanbul ℡", ("istanbul", "tel")),
        ("tour tower Tour", ("tour", "tower")),
        ("_%*' -- \\", ()),
        ("", ()),
    ],
)
def test_case_and_accents_are_folded_and_words_parted(text: str, found: tuple[str, ...]) -> None:
    assert words(text) == found


def test_words_are_limited_in_number_and_length() -> None:
    assert words(" ".join(f"w{n}" for n in range(99)), 3) == ("w0", "w1", "w2")
    assert words("x" * 99) == ("x" * WORD_LENGTH,)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_words_of_words_are_the_same_words(text: str) -> None:
    once = words(text, 99)
    assert words(" ".join(once), 99) == once
    assert all(word.isalnum() and 1 <= len(word) <= WORD_LENGTH for word in once)


def test_a_ticket_is_found_by_all_its_texts_and_by_prefixes() -> None:
    sold = ticket(
        title={"en": "Old Tower", "nl": "Oude Toren"},
        description={"fr": "Une vue à couper le souffle"},
        city="Den Haag",
        category="monument",
        options=[option("Fast lane", [unit("adult", 1)])],
    )
    indexed = ticket_words(sold)
    assert {"toren", "souffle", "haag", "monument", "lane", "a"} <= indexed
    assert matches(words("TOR den"), indexed)
    assert not matches(words("tor madrid"), indexed)
    assert not matches(words("oren"), indexed)
    assert matches((), indexed)
