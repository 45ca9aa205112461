"""The short reference of a booking, made to be read out on the telephone: `K7QF-2MHP`.

Seven random characters and a check character, of 29 that do not look alike. The characters' places in the
alphabet, weighted 1 to 8, add up to a multiple of 29. As 29 is prime and the weights differ, one wrong
character and any two swapped ones are always found.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable

ALPHABET = "23456789ABCDEFGHJKMNPQRTVWXYZ"
"""Without 0 and O, 1, I and L, U (V), S (5)."""

RANDOM_LENGTH = 7
_CHECK_WEIGHT = RANDOM_LENGTH + 1
_MODULUS = len(ALPHABET)
_SHAPE = re.compile(rf"([{ALPHABET}]{{4}})-?([{ALPHABET}]{{4}})")


def new_reference(random_bytes: Callable[[int], bytes] = os.urandom) -> str:
    """A new reference, one of 17 thousand million; the store's unique index will hardly ever object."""
    number = int.from_bytes(random_bytes(16))
    places = []
    for _ in range(RANDOM_LENGTH):
        number, place = divmod(number, _MODULUS)
        places.append(place)
    places.append(-_weighted(places) * pow(_CHECK_WEIGHT, -1, _MODULUS) % _MODULUS)
    text = "".join(ALPHABET[place] for place in places)
    return f"{text[:4]}-{text[4:]}"


def normalise(text: str) -> str | None:
    """The reference that a person typed, in its one spelling; None if it cannot be one.

    Letter case, spaces and the hyphen do not matter.
    """
    if not text.isascii():
        return None
    match = _SHAPE.fullmatch("".join(text.upper().split()))
    if match is None or _weighted(map(ALPHABET.index, match[1] + match[2])) % _MODULUS:
        return None
    return f"{match[1]}-{match[2]}"


def _weighted(places: Iterable[int]) -> int:
    return sum(weight * place for weight, place in enumerate(places, start=1))
