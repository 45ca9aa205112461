"""What a map shows when it shows too many places to show each: how many there are, and where, by zoom.

Counts are kept by cell of a grid and category, so that a view of a whole country costs what a view of a town
does. Sums are whole numbers: the same places make the same clusters, in whatever order they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from admin_service.domain.geo import Box, Point, cell_at, cell_box

LEVELS = (2, 4, 6, 8, 10, 12, 14, 16)
"""For which cells are counted beforehand."""

MAX_ZOOM = 22
EVERYTHING = ""
"""Stands for all categories together."""

_PER_DEGREE = 10_000_000


@dataclass(frozen=True, slots=True)
class CellKey:
    level: int
    category: str
    cell: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Of the places in one cell: how many, and the sums of their coordinates in 1e-7 degrees."""

    count: int
    latitudes: int
    longitudes: int

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.count + other.count, self.latitudes + other.latitudes, self.longitudes + other.longitudes
        )

    def __neg__(self) -> Tally:
        return Tally(-self.count, -self.latitudes, -self.longitudes)


@dataclass(frozen=True, slots=True)
class Cluster:
    """`count` places in `box`; `point` is their middle."""

    count: int
    point: Point
    box: Box


def level_for(zoom: int) -> int:
    """The level whose cells are 64 or 128 pixels wide on a map of that zoom (tiles of 256 pixels)."""
    return zoom + 2 - zoom % 2


def counted(point: Point, categories: Iterable[str]) -> dict[CellKey, Tally]:
    """What one place adds to the counts: in each level, for everything and for each of `categories`."""
    tally = Tally(1, round(point.latitude * _PER_DEGREE), round(point.longitude * _PER_DEGREE))
    finest = LEVELS[-1]
    cell = cell_at(point, finest)
    return {
        CellKey(level, category, cell >> 2 * (finest - level)): tally
        for level in LEVELS
        for category in {EVERYTHING, *categories}
    }


def summed(parts: Iterable[Mapping[CellKey, Tally]]) -> dict[CellKey, Tally]:
    """All of `parts` together, without what comes to nothing."""
    sums: dict[CellKey, Tally] = {}
    for part in parts:
        for key, tally in part.items():
            sums[key] = sums[key] + tally if key in sums else tally
    return {key: tally for key, tally in sums.items() if tally != Tally(0, 0, 0)}


def cluster_of(cell: int, level: int, tally: Tally) -> Cluster:
    """The cluster that a cell's tally stands for."""
    latitude = tally.latitudes / tally.count / _PER_DEGREE
    longitude = tally.longitudes / tally.count / _PER_DEGREE
    return Cluster(tally.count, Point(round(latitude, 7), round(longitude, 7)), cell_box(cell, level))


def clustered(points: Iterable[Point], level: int) -> list[Cluster]:
    """The clusters of `points` on a level that is not counted beforehand, in the order of their cells."""
    tallies: dict[int, Tally] = {}
    for point in points:
        cell = cell_at(point, level)
        one = Tally(1, round(point.latitude * _PER_DEGREE), round(point.longitude * _PER_DEGREE))
        tallies[cell] = tallies[cell] + one if cell in tallies else one
    return [cluster_of(cell, level, tally) for cell, tally in sorted(tallies.items())]
