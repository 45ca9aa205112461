"""Answers are made as plain documents and rendered at once; the schemas beside them describe them and are
tested against them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import orjson

from common.pages import Page
from common.web.schemas import instant_text

Document = dict[str, Any]


def rendered(document: Any) -> bytes:
    """JSON as it is sent: instants with `Z` and milliseconds."""
    return orjson.dumps(document, option=orjson.OPT_PASSTHROUGH_DATETIME, default=_written)


def facts_document(facts: Mapping[str, Any] | None) -> Document:
    """The facts of a refusal, with instants as they are written everywhere."""
    return {
        name: instant_text(value) if isinstance(value, datetime) else value
        for name, value in (facts or {}).items()
    }


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not for JSON")


def page_document(page: Page[Any], documents: list[Document]) -> Document:
    return {"data": documents, "nextCursor": page.next_cursor}
