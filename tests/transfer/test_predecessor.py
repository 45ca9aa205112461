"""What the predecessor's MongoDB has comes over as ours, the same whenever it is done again."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from common.transfer.copying import Tally
from common.transfer.progress import Progress
from common.transfer.running import Move
from tests.transfer.conftest import Stores
from tests.transfer.moving import content, marked
from tests.transfer.predecessor_data import everything, fill

TARGETS = [marked("sqlite", "mongodb"), marked("mariadb", "mongodb")]


@pytest.fixture(scope="module")
def predecessor(new_url: Callable[[str], str]) -> str:
    return fill(new_url("mongodb"), everything())


def take_over(stores: Stores, source_url: str, target_url: str, folder: Path) -> tuple[list[Tally], str]:
    seen = io.StringIO()
    foreign = stores.mover.foreign["predecessor"]
    mover = replace(stores.mover, entities=foreign.entities)
    with (
        closing(foreign.open_side(source_url, folder)) as source,
        closing(mover.open_side(target_url, writable=True)) as target,
        closing(Progress(folder / "progress.db")) as kept,
    ):
        steps = Move(mover, source, target, kept, seen)
        first, _ = steps.one_pass()
        try:
            steps.finish(source_url, target_url, is_offline=True)
        finally:
            print(seen.getvalue())
    return first, seen.getvalue()


@pytest.mark.parametrize("target, _", TARGETS)
def test_ticketing(ticketing_stores: Stores, predecessor: str, target: str, _: str, tmp_path: Path) -> None:
    take_over(ticketing_stores, predecessor, ticketing_stores.empty(target), tmp_path)


@pytest.mark.parametrize("target, _", TARGETS)
def test_admin(admin_stores: Stores, predecessor: str, target: str, _: str, tmp_path: Path) -> None:
    take_over(admin_stores, predecessor, admin_stores.empty(target), tmp_path)
