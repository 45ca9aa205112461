"""Clusters for maps: from counts that are kept, and from the POIs themselves where few can be in view."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, or_, select

from admin_service.domain.categories import is_group
from admin_service.domain.clusters import (
    EVERYTHING,
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
from admin_service.storage.sql import poi_tables as tables

MOST_CELLS = 4096
MOST_POINTS = 5000
_MANY_RUNS = 64

_pois, _cells = tables.pois, tables.poi_cells


def clusters(connection: Connection, box: Box, zoom: int, category: str | None) -> tuple[Cluster, ...]:
    """In the order of their cells. Raises Refused VIEW_TOO_WIDE."""
    level = min(level_for(zoom), FINEST_LEVEL)
    cells = tiles_across(box, level)
    if cells > MOST_CELLS:
        raise Refused(Code.VIEW_TOO_WIDE, f"It has {cells} cells; at most {MOST_CELLS}.", "?bbox")
    if level in LEVELS:
        return _counted(connection, box, level, category)
    points = _points(connection, box, category)
    if points is None:
        # so many in so small a place: the finest counts that there are
        return _counted(connection, box, LEVELS[-1], category)
    return tuple(clustered(points, level))


def _counted(connection: Connection, box: Box, level: int, category: str | None) -> tuple[Cluster, ...]:
    columns = (_cells.c.cell, _cells.c.count.label("number"), _cells.c.latitudes, _cells.c.longitudes)
    runs = runs_of(box, level, _MANY_RUNS)
    statement = (
        select(*columns)
        .where(_cells.c.level == level, _cells.c.category == (category or EVERYTHING))
        .where(or_(*(_cells.c.cell.between(first, last) for first, last in runs)), _cells.c.count > 0)
        .order_by(_cells.c.cell)
    )
    found = [
        cluster_of(row.cell, level, Tally(row.number, row.latitudes, row.longitudes))
        for row in connection.execute(statement)
    ]
    return tuple(cluster for cluster in found if _touch(cluster.box, box))


def _touch(cell: Box, box: Box) -> bool:
    """Whether the cell lies in the view at least in part; runs have some that do not."""
    return any(
        cell.west <= part.east
        and cell.east >= part.west
        and cell.south <= part.north
        and cell.north >= part.south
        for part in box.parts()
    )


def _points(connection: Connection, box: Box, category: str | None) -> list[Point] | None:
    """All that is shown in the box; None when it is more than one can count in passing."""
    conditions: list[ColumnElement[bool]] = [_pois.c.latitude.between(box.south, box.north)]
    if category is not None:
        column = _pois.c.category_group if is_group(category) else _pois.c.category
        conditions.append(column == category)
    found: list[Point] = []
    for first, last in runs_of(box):
        for status in SHOWN:
            statement = (
                select(_pois.c.latitude, _pois.c.longitude)
                .where(_pois.c.status == status.value, _pois.c.cell.between(first, last), *conditions)
                .limit(MOST_POINTS + 1)
            )
            found += [Point(row.latitude, row.longitude) for row in connection.execute(statement)]
            if len(found) > MOST_POINTS:
                return None
    return [point for point in found if box.has(point)]
