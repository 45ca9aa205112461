"""Pages by keyset: the documents after the last one of the page before, by its sort key and id."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from common.mongo.values import Document


def after(field: str, key: Any, last: UUID, *, descending: bool = False) -> Document:
    """Those that follow (key, last) in the order of `field` and `_id`, said so that an index finds it."""
    way = "$lt" if descending else "$gt"
    return {field: {f"{way}e": key}, "$or": [{field: {way: key}}, {"_id": {way: last}}]}
