"""A move as a command makes it, in this process: its steps, and what both sides have afterwards."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from common.transfer.copying import Tally
from common.transfer.documents import Facts
from common.transfer.port import Side
from common.transfer.progress import Progress
from common.transfer.running import Move, Mover, facts_of
from tests.counts import counts

KINDS = ("sqlite", "mariadb", "mongodb")
_MARKS = {"mariadb": pytest.mark.mariadb, "mongodb": pytest.mark.mongodb}


def marked(*kinds: str) -> Any:
    """A case of a test that needs the servers of these kinds."""
    return pytest.param(*kinds, marks=[_MARKS[each] for each in kinds if each in _MARKS], id="-".join(kinds))


EVERY_DIRECTION = [marked(one, other) for one in KINDS for other in KINDS]
_BETWEEN_KINDS = [marked(one, other) for one in KINDS for other in KINDS if one != other]
_IN_A_CIRCLE = [marked("sqlite", "mariadb"), marked("mariadb", "mongodb"), marked("mongodb", "sqlite")]
DIRECTIONS = counts(_BETWEEN_KINDS, EVERY_DIRECTION)
SOME_DIRECTIONS = counts(_IN_A_CIRCLE, EVERY_DIRECTION)


@contextmanager
def both_sides(mover: Mover, source_url: str, target_url: str) -> Iterator[tuple[Side, Side]]:
    """The two stores, the second one at the present schema."""
    mover.migrate(target_url)
    with (
        closing(mover.open_side(source_url, writable=False)) as source,
        closing(mover.open_side(target_url, writable=True)) as target,
    ):
        yield source, target


def move(mover: Mover, source_url: str, target_url: str, progress: Path) -> tuple[dict[str, Tally], str]:
    """Move with nothing running: what the first pass did with each entity, and what a person saw. Raises
    TransferFault.
    """
    seen = io.StringIO()
    with (
        both_sides(mover, source_url, target_url) as (source, target),
        closing(Progress(progress)) as kept,
    ):
        steps = Move(mover, source, target, kept, seen)
        (first, _) = steps.one_pass()
        steps.finish(source_url, target_url, is_offline=True)
    return {each.entity.name: each for each in first}, seen.getvalue()


def content(mover: Mover, url: str) -> Mapping[str, Facts]:
    """Count and digest of everything in a store, read anew."""
    with closing(mover.open_side(url, writable=False)) as side:
        return {each.name: facts_of(side, each) for each in mover.entities}


def ranges_done(data_dir: Path) -> int:
    """How many ranges are noted as done."""
    paths = list((data_dir / "transfer").glob("*.db"))
    if not paths:
        return 0
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(paths[0])) as file:
        return int(file.execute("SELECT COUNT(*) FROM done").fetchone()[0])
    return 0
