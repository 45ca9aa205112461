"""The one analyser of search: what a word is, for texts and for queries, in every store."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable

from ticketing_service.domain.catalogue import Ticket

WORD_LENGTH = 40
QUERY_WORDS = 12
TICKET_WORDS = 2000

_UNDIVIDED = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
"""Letters that have no decomposition in Unicode, but a plain spelling."""


def words(text: str, limit: int = QUERY_WORDS) -> tuple[str, ...]:
    """The first `limit` different words of `text` in order, case and accents folded, cut at 40 characters.

    A word is a run of letters and digits; anything else parts words.
    """
    parted = "".join(char if char.isalnum() else " " for char in _folded(text))
    found = dict.fromkeys(word[:WORD_LENGTH] for word in parted.split())
    return tuple(found)[:limit]


def ticket_words(ticket: Ticket) -> frozenset[str]:
    """The words by which a ticket is found: its texts in all languages, its city and its category."""
    texts = (
        *ticket.title.values(),
        ticket.city,
        ticket.category,
        *(title for option in ticket.options for title in option.title.values()),
        *ticket.description.values(),
    )
    return frozenset(words(" ".join(texts), TICKET_WORDS))


def matches(query: Iterable[str], indexed: Collection[str]) -> bool:
    """The rule that every store keeps: each word of the query begins some word of the ticket."""
    return all(any(word.startswith(wanted) for word in indexed) for wanted in query)


def _folded(text: str) -> str:
    # Twice, because case folding may leave something to decompose and the other way round.
    for _ in range(2):
        parts = unicodedata.normalize("NFKD", text.casefold())
        text = "".join(char for char in parts if not unicodedata.category(char).startswith("M"))
        text = text.translate(_UNDIVIDED)
    return text
