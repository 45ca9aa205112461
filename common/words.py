"""The one analyser of search: what a word is, for texts and for queries, in every store of every service."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable

WORD_LENGTH = 40
QUERY_WORDS = 12

_UNDIVIDED = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
"""Letters that have no decomposition in Unicode, but a plain spelling."""


def words(text: str, limit: int = QUERY_WORDS) -> tuple[str, ...]:
    """The first `limit` different words of `text` in order, case and accents folded, cut at 40 characters.

    A word is a run of letters and digits; anything else parts words.
    """
    parted = "".join(char if char.isalnum() else " " for char in folded(text))
    found = dict.fromkeys(word[:WORD_LENGTH] for word in parted.split())
    return tuple(found)[:limit]


def matches(query: Iterable[str], indexed: Collection[str]) -> bool:
    """The rule that every store keeps: each word of the query begins some word of what is found."""
    return all(any(word.startswith(wanted) for word in indexed) for wanted in query)


def folded(text: str) -> str:
    """`text` without case and accents, and with the plain spelling of letters that cannot be decomposed."""
    if text.isascii():
        return text.lower()
    # Twice, because case folding may leave something to decompose and the other way round.
    for _ in range(2):
        parts = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(char for char in parts if not unicodedata.category(char).startswith("M"))
        text = text.translate(_UNDIVIDED)
    return text
