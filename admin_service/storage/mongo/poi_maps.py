"""Clusters for maps: from counts that are kept, and from the POIs themselves where few can be in view."""

from __future__ import annotations

from typing import Any

from admin_service.domain.categories import is_group
from admin_service.domain.clusters import (
    LEVELS,
    Cluster,
    Tally,
    cluster_of,
    clustered,
    level_for,
)
from admin_service.domain.errors import Code, Refused
from admin_service.domain.geo import FINEST_LEVEL, Box, Point, runs_of, tiles_across
from admin_service.domain.poi import SHOWN
from admin_service.storage.mongo.poi_collections import poi_cells, pois
from common.mongo.transaction import Transaction
from common.mongo.values import Document

MOST_CELLS = 4096
MOST_POINTS = 5000
_MANY_RUNS = 64
_SUMS = ("count", "latitudes", "longitudes")


def clusters(tx: Transaction, box: Box, zoom: int, category: str | None) -> tuple[Cluster, ...]:
    """In the order of their cells. Raises Refused VIEW_TOO_WIDE."""
    level = min(level_for(zoom), FINEST_LEVEL)
    cells = tiles_across(box, level)
    if cells > MOST_CELLS:
        raise Refused(Code.VIEW_TOO_WIDE, f"It has {cells} cells; at most {MOST_CELLS}.", "?bbox")
    if level in LEVELS:
        return _counted(tx, box, level, category)
    points = _points(tx, box, category)
    if points is None:
        # so many in so small a place: the finest counts that there are
        return _counted(tx, box, LEVELS[-1], category)
    return tuple(clustered(points, level))


def _counted(tx: Transaction, box: Box, level: int, category: str | None) -> tuple[Cluster, ...]:
    if category is not None and not category.isidentifier():
        return ()  # no name of a field, and so of no category
    of = "" if category is None else f"categories.{category}."
    # each run with all conditions, so that each is a range of the index of its own, in its order
    runs = [
        {"level": level, "cell": {"$gte": first, "$lte": last}, f"{of}count": {"$gt": 0}}
        for first, last in runs_of(box, level, _MANY_RUNS)
    ]
    fields = ("cell", *(f"{of}{name}" for name in _SUMS))
    cells = tx.find(poi_cells, {"$or": runs}, sort=[("cell", 1)], fields=fields)
    found = [cluster_of(each["cell"], level, _tally(each, category)) for each in cells]
    return tuple(cluster for cluster in found if _touch(cluster.box, box))


def _tally(cell: Document, category: str | None) -> Tally:
    sums = cell if category is None else cell["categories"][category]
    return Tally(*(sums[name] for name in _SUMS))


def _touch(cell: Box, box: Box) -> bool:
    """Whether the cell lies in the view at least in part; runs have some that do not."""
    return any(
        cell.west <= part.east
        and cell.east >= part.west
        and cell.south <= part.north
        and cell.north >= part.south
        for part in box.parts()
    )


def _points(tx: Transaction, box: Box, category: str | None) -> list[Point] | None:
    """All that is shown in the box; None when it is more than one can count in passing."""
    wanted: dict[str, Any] = {
        "status": {"$in": [status.value for status in SHOWN]},
        "latitude": {"$gte": box.south, "$lte": box.north},
    }
    if category is not None:
        wanted["category_group" if is_group(category) else "category"] = category
    found: list[Point] = []
    for first, last in runs_of(box):
        run = {**wanted, "cell": {"$gte": first, "$lte": last}}
        rows = tx.find(pois, run, limit=MOST_POINTS + 1, fields=("latitude", "longitude"), hint="cell")
        found += [Point(each["latitude"], each["longitude"]) for each in rows]
        if len(found) > MOST_POINTS:
            return None
    return [point for point in found if box.has(point)]
