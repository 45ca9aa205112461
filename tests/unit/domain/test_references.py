"""References that survive being read out, mistyped and swapped."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ticketing_service.domain.references import ALPHABET, new_reference, normalise


def test_the_alphabet_has_no_look_alikes() -> None:
    assert len(set(ALPHABET)) == 29
    assert not set(ALPHABET) & set("0O1IL5SU") - {"5"}


def test_new_references_differ_and_are_accepted() -> None:
    references = {new_reference() for _ in range(500)}
    assert len(references) == 500
    assert all(normalise(reference) == reference for reference in references)


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=16, max_size=16))
def test_every_single_error_and_every_swap_is_found(random: bytes) -> None:
    reference = new_reference(lambda count: random[:count])
    plain = reference.replace("-", "")
    for place, right in enumerate(plain):
        for wrong in set(ALPHABET) - {right}:
            assert normalise(plain[:place] + wrong + plain[place + 1 :]) is None
    for one, other in combinations(range(8), 2):
        swapped = list(plain)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        assert (normalise("".join(swapped)) == reference) is (plain[one] == plain[other])


def test_case_spaces_and_hyphen_do_not_matter() -> None:
    reference = new_reference()
    plain = reference.replace("-", "")
    for typed in (plain, plain.lower(), f"  {reference} ", " ".join(plain), f"{plain[:4]} - {plain[4:]}"):
        assert normalise(typed) == reference


@pytest.mark.parametrize(
    "text", ["", "-", "2222", "2222-22222", "2222--2222", "OOOO-1111", "２２２２-２２２２"]
)
def test_what_cannot_be_a_reference_is_none(text: str) -> None:
    assert normalise(text) is None
