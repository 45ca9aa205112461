"""Points of interest, and what goes with them, in the neutral form, and back."""

from __future__ import annotations

from typing import Any

from bson.int64 import Int64

from common.mongo.values import Document

_BODY = ("content", "verification", "proposal")
_MERGE_BODY = {
    "survivor_before": "survivorBefore",
    "survivor_after": "survivorAfter",
    "absorbed_before": "absorbedBefore",
    "absorbed_status": "absorbedStatus",
}
_FAULT = ("pointer", "code", "detail")


def poi_out(document: Document) -> Document:
    """Content, verification and proposal are one body; a coordinate is a float."""
    poi = _without(document, _BODY)
    poi["body"] = {name: document[name] for name in _BODY}
    poi["latitude"], poi["longitude"] = float(document["latitude"]), float(document["longitude"])
    poi["words"] = sorted(document["words"])
    return poi


def poi_back(poi: Document) -> Document:
    """See `poi_out`."""
    body = poi["body"]
    return {
        **_without(poi, ("body",)),
        "content": body["content"],
        "verification": _dated(body["verification"]),
        "proposal": _dated(body["proposal"]),
    }


def merge_out(document: Document) -> Document:
    """What the two were is one body."""
    merge = _without(document, tuple(_MERGE_BODY))
    merge["body"] = {other: document[name] for name, other in _MERGE_BODY.items()}
    return merge


def merge_back(merge: Document) -> Document:
    """See `merge_out`."""
    body = merge["body"]
    return {**_without(merge, ("body",)), **{name: body[other] for name, other in _MERGE_BODY.items()}}


def cell_out(document: Document) -> Document:
    """The sums by category are a list."""
    categories = document["categories"]
    return {**document, "categories": [{"category": each, **categories[each]} for each in sorted(categories)]}


def cell_back(cell: Document) -> Document:
    """See `cell_out`."""
    categories = {each["category"]: _without(each, ("category",)) for each in cell["categories"]}
    return {**cell, "categories": categories}


def row_out(document: Document) -> Document:
    """A fault is three texts."""
    return {**document, "faults": [[each[name] for name in _FAULT] for each in document["faults"]]}


def row_back(row: Document) -> Document:
    """See `row_out`."""
    return {**row, "faults": [dict(zip(_FAULT, each, strict=True)) for each in row["faults"]]}


def _dated(part: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if part is None else {**part, "at": Int64(part["at"])}


def _without(document: Document, names: tuple[str, ...]) -> Document:
    return {name: value for name, value in document.items() if name not in names}
