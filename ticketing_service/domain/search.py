"""By which words a ticket is found, in every store."""

from __future__ import annotations

from common.words import words
from ticketing_service.domain.catalogue import Ticket

TICKET_WORDS = 2000


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
