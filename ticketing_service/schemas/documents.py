"""Answers are made as plain documents and rendered at once; the schemas beside them describe them and are
tested against them.
"""

from __future__ import annotations

from typing import Any

import orjson

from common.web.schemas import instant_text
from ticketing_service.domain.catalogue import Page

Document = dict[str, Any]


def rendered(document: Any) -> bytes:
    """JSON as it is sent. UUIDs and dates are text; instants must have been written by `instant_text`."""
    return orjson.dumps(document, option=orjson.OPT_PASSTHROUGH_DATETIME)


def money(amount: int, currency: str) -> Document:
    return {"amount": amount, "currency": currency}


def page_document(page: Page[Any], documents: list[Document]) -> Document:
    return {"data": documents, "nextCursor": page.next_cursor}


__all__ = ["Document", "instant_text", "money", "page_document", "rendered"]
