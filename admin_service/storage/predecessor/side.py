"""The predecessor's database as one that the admin service is moved from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from admin_service.domain.clusters import EVERYTHING, CellKey, Tally, counted
from admin_service.domain.poi import Poi
from admin_service.domain.searching import counted_as, poi_words, tag_word
from admin_service.domain.workflow import entry_of
from admin_service.storage.predecessor.members import POIS, SHAPES
from admin_service.storage.predecessor.pois import ACTOR, poi_of
from admin_service.storage.sql.poi_records import entry_row, milliseconds, poi_row
from common.transfer.derived import Derived, DerivedSide, Reading, one_by_one
from common.transfer.documents import Document
from common.transfer.members import Unfit
from common.transfer.port import Misfit, Side

REASON = "taken over"


def open_side(url: str, data_dir: Path) -> Side:
    """The database. Raises StoreUnavailable, TransferFault."""
    return DerivedSide.opened(url, LAYOUT, SHAPES)


def _pois(reading: Reading, sources: list[Document]) -> Iterator[Document | Misfit]:
    yield from one_by_one("pois", sources, lambda each: [_poi_document(poi_of(each))])


def _history(reading: Reading, sources: list[Document]) -> Iterator[Document | Misfit]:
    # what is unfit is listed once, as a POI
    for source in sources:
        with suppress(Unfit):
            yield _neutral(entry_row(entry_of(poi_of(source), "created", ACTOR, REASON)))


def _cells(reading: Reading, _: list[Document]) -> Iterator[Document | Misfit]:
    """How many places are shown in each cell of the maps, of all POIs."""
    sums: dict[CellKey, Tally] = {}
    for source in reading.find(POIS.collection, {}):
        with suppress(Unfit):
            poi = poi_of(source)
            if poi.shown:
                for key, tally in counted(poi.content.point, counted_as(poi)).items():
                    sums[key] = sums[key] + tally if key in sums else tally
    categories: dict[tuple[int, int], list[Document]] = defaultdict(list)
    for key in sorted(sums, key=lambda each: each.category):
        if key.category != EVERYTHING:
            categories[key.level, key.cell].append({"category": key.category, **_tally(sums[key])})
    for level, cell in sorted(categories):
        whole = sums[CellKey(level, EVERYTHING, cell)]
        yield {"level": level, "cell": cell, **_tally(whole), "categories": categories[level, cell]}


LAYOUT: Mapping[str, Derived] = {
    "pois": Derived(collection=POIS.collection, make=_pois),
    "poi_history": Derived(collection=POIS.collection, make=_history, after_id=(0,)),
    "poi_cells": Derived(collection=POIS.collection, make=_cells, whole=True),
}


def _poi_document(poi: Poi) -> Document:
    words = poi_words(poi.content) | {tag_word(tag) for tag in poi.content.tags}
    return {**_neutral(poi_row(poi)), "words": sorted(words)}


def _neutral(row: Mapping[str, Any]) -> Document:
    return {
        name: milliseconds(value) if isinstance(value, datetime) else value for name, value in row.items()
    }


def _tally(tally: Tally) -> Document:
    return {"count": tally.count, "latitudes": tally.latitudes, "longitudes": tally.longitudes}
