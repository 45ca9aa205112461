"""Answers are made as plain documents and rendered at once; the schemas beside them describe them and are
tested against them.
"""

from __future__ import annotations

from common.web.documents import Document, facts_document, page_document, rendered
from common.web.schemas import instant_text


def money(amount: int, currency: str) -> Document:
    return {"amount": amount, "currency": currency}


__all__ = ["Document", "facts_document", "instant_text", "money", "page_document", "rendered"]
