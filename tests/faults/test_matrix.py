"""Each dependency killed, frozen, slow and flapping under load: what is answered, how often it is asked, and
that all is well again afterwards, nothing lost."""

from __future__ import annotations

import time

import pytest

from tests.counts import at_full_counts, counts
from tests.faults.matrix import CACHED, CELLS, FEW, MONGODB, STORE_AWAY, Cell
from tests.faults.plant import FLAP_SECONDS, Plant
from tests.faults.truth import assert_nothing_is_lost, look_at_attempts
from tests.faults.visitors import Visitors
from tests.servers.process import eventually

BEFORE, AFTER = counts((2, 2), (5, 10))
_REFUSED_READS = frozenset((operation, STORE_AWAY) for operation in CACHED)
"""What is cached cannot be read either while Redis does not answer in time."""

OPENING_SECONDS = 60
RECOVERY_SECONDS = 30
"""Hang guards. The longest wait of the database's breaker is 12 s with its jitter."""


@pytest.mark.mariadb
@pytest.mark.xdist_group("plant")
@pytest.mark.parametrize("cell", [cell for cell in CELLS if at_full_counts() or str(cell) in FEW], ids=str)
def test_a_fault_is_answered_as_promised_and_leaves_nothing_behind(plant: Plant, cell: Cell) -> None:
    _suffer(plant, cell)


@pytest.mark.mongodb
@pytest.mark.xdist_group("plant-mongodb")
@pytest.mark.parametrize("cell", [cell for cell in MONGODB if at_full_counts() or str(cell) in FEW], ids=str)
def test_a_fault_of_mongodb_is_answered_as_promised_and_leaves_nothing_behind(
    mongo_plant: Plant, cell: Cell
) -> None:
    _suffer(mongo_plant, cell)


def _suffer(plant: Plant, cell: Cell) -> None:
    with plant.told():
        with plant.people() as people:
            people.wait_for(BEFORE)
            began, opened, lifted, troubles = time.monotonic(), 0.0, 0.0, plant.cache_troubles()
            dependency = plant.dependencies[cell.dependency]
            with dependency.under(cell.fault):
                if cell.opens:
                    opened, lifted = _look_at_the_open_breaker(plant, cell, people)
                else:
                    _look_at_it_for_a_while(people)
            _recover(plant, cell)
            well_again = time.monotonic()
            people.wait_for(AFTER)
            ended = time.monotonic()
            excused = _REFUSED_READS if plant.cache_troubles() > troubles else frozenset()
        _assert_answers(people, cell, (began, well_again), (opened, lifted), excused)
        people.assert_all_is_well(well_again, ended)
    assert_nothing_is_lost(plant, people)


def _look_at_the_open_breaker(plant: Plant, cell: Cell, people: Visitors) -> tuple[float, float]:
    """When it was open, and until when that was looked at."""

    def is_open() -> bool:
        return "CLOSED" not in plant.states(cell.dependency)

    eventually(is_open, seconds=OPENING_SECONDS, what=f"the breaker being open: {cell}")
    return look_at_attempts(plant, cell, people)


def _look_at_it_for_a_while(people: Visitors) -> None:
    """As long as it takes to flap three times, and to be answered."""
    until = time.monotonic() + 6 * FLAP_SECONDS
    people.wait_for(counts(2, 3), ("detail", "live", "hold", "scan"))
    eventually(lambda: time.monotonic() >= until, what="the time")


def _recover(plant: Plant, cell: Cell) -> None:
    """The breaker closes by itself, or an operator closes it where that takes half a minute."""
    if cell.reset:
        plant.reset(cell.dependency)
    eventually(
        lambda: plant.states(cell.dependency) == {"CLOSED"}, seconds=RECOVERY_SECONDS, what="a closed breaker"
    )


def _assert_answers(
    people: Visitors,
    cell: Cell,
    at_all: tuple[float, float],
    while_open: tuple[float, float],
    excused: frozenset[tuple[str, str]],
) -> None:
    """Nobody was told anything else than the cell says, and who was refused knows when to come again."""
    for found, allowed in (
        (people.between(*at_all), cell.allowed),
        (people.between(*while_open), cell.once_open),
    ):
        wrong = {each for each in found if each[1] not in allowed(each[0])} - excused
        assert not wrong, f"{cell}: {wrong} of {found}"
    refused = [each for each in people.outcomes if each.answer.startswith("503")]
    assert all(each.retry_after and int(each.retry_after) >= 1 for each in refused), refused[:3]
