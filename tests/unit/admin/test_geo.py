"""Places on earth: the grid holds what a box holds, circles are round, swapped coordinates are seen."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_service.domain.geo import (
    FINEST_LEVEL,
    MERCATOR_LATITUDE,
    Box,
    Point,
    box_around,
    cell_at,
    cell_box,
    kilometres,
    looks_swapped,
    runs_of,
    tiles_across,
)

points = st.builds(Point, st.floats(-90, 90), st.floats(-180, 180))
boxes = st.builds(
    lambda west, east, lats: Box(west, min(lats), east, max(lats)),
    st.floats(-180, 180),
    st.floats(-180, 180),
    st.tuples(st.floats(-90, 90), st.floats(-90, 90)),
)
levels = st.integers(0, FINEST_LEVEL)


@given(points, levels)
def test_a_point_lies_in_its_cell(point: Point, level: int) -> None:
    box = cell_box(cell_at(point, level), level)
    slack = 1e-9
    assert box.west - slack <= point.longitude <= box.east + slack
    latitude = max(-MERCATOR_LATITUDE, min(MERCATOR_LATITUDE, point.latitude))
    assert box.south - slack <= latitude <= box.north + slack


@given(points, levels, levels)
def test_a_coarser_cell_is_the_beginning_of_a_finer_one(point: Point, one: int, other: int) -> None:
    coarse, fine = sorted((one, other))
    assert cell_at(point, fine) >> 2 * (fine - coarse) == cell_at(point, coarse)


@given(boxes, points, levels)
def test_the_runs_of_a_box_hold_all_that_lies_in_it(box: Box, point: Point, level: int) -> None:
    runs = runs_of(box, level)
    assert len(runs) <= 32
    assert all(first <= last for first, last in runs)
    assert all(one[1] + 1 < other[0] for one, other in pairwise(runs))
    if box.has(point):
        cell = cell_at(point, level)
        assert any(first <= cell <= last for first, last in runs)


@given(points, levels)
def test_the_runs_of_a_point_are_little_more_than_it(point: Point, level: int) -> None:
    tiny = Box(point.longitude, point.latitude, point.longitude, point.latitude)
    assert runs_of(tiny, level) == ((cell_at(point, level),) * 2,)
    assert tiles_across(tiny, level) == 1


def test_a_box_over_the_antimeridian_has_both_sides() -> None:
    box = Box(179, -18, -179, -16)
    assert box.has(Point(-17, 179.5))
    assert box.has(Point(-17, -179.5))
    assert not box.has(Point(-17, 0))
    assert len(box.parts()) == 2
    assert tiles_across(box, 4) == tiles_across(Box(179, -18, 180, -16), 4) * 2


@given(points, st.floats(0.01, 20_000), points)
def test_the_box_round_a_circle_holds_the_circle(centre: Point, radius: float, point: Point) -> None:
    if kilometres(centre, point) <= radius:
        assert box_around(centre, radius).has(point)


def test_the_box_round_a_circle_is_no_larger_than_it_must() -> None:
    box = box_around(Point(52, 5), 10)
    assert 2 * 0.08 < box.north - box.south < 2 * 0.1
    assert 2 * 0.14 < box.east - box.west < 2 * 0.15
    assert box_around(Point(89.99, 0), 10).west == -180
    over = box_around(Point(0, 179.99), 10)
    assert over.west > 179
    assert over.east < -179


@pytest.mark.parametrize(
    "one, other, distance",
    [
        (Point(52.37, 4.89), Point(52.37, 4.89), 0),
        (Point(0, 0), Point(0, 180), 20_015),
        (Point(52.37, 4.89), Point(51.92, 4.48), 57.3),  # Amsterdam, Rotterdam
        (Point(0, 179.9), Point(0, -179.9), 22.2),
    ],
)
def test_distances_are_great_circles(one: Point, other: Point, distance: float) -> None:
    assert kilometres(one, other) == pytest.approx(distance, rel=0.01, abs=0.001)
    assert kilometres(one, other) == kilometres(other, one)


def test_swapped_is_what_would_be_right_the_other_way_round() -> None:
    netherlands = Box(3.3, 50.7, 7.3, 53.6)
    assert looks_swapped(Point(4.89, 52.37), netherlands.has)
    assert not looks_swapped(Point(52.37, 4.89), netherlands.has)
    assert not looks_swapped(Point(10, 20), netherlands.has)
    assert not looks_swapped(Point(10, 120), netherlands.has)  # the other way round it is no place
