"""The move from the predecessor as a command makes it, in this process."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from common.transfer.copying import Tally
from common.transfer.documents import Document
from common.transfer.port import Misfit
from common.transfer.progress import Progress
from common.transfer.running import Move, Mover
from tests.transfer.predecessor_data import opened

PREDECESSOR = "predecessor"


@contextmanager
def taking_over(
    mover: Mover, source_url: str, target_url: str, data_dir: Path
) -> Iterator[tuple[Move, io.StringIO]]:
    """The steps of the move, and what a person sees of them."""
    seen = io.StringIO()
    foreign = mover.foreign[PREDECESSOR]
    with (
        closing(foreign.open_side(source_url, data_dir)) as source,
        closing(mover.open_side(target_url, writable=True)) as target,
        closing(Progress(data_dir / f"{mover.name}.db")) as kept,
    ):
        yield Move(replace(mover, entities=foreign.entities), source, target, kept, seen), seen


def take_over(mover: Mover, source_url: str, target_url: str, data_dir: Path) -> tuple[dict[str, Tally], str]:
    """What the first pass did, and what a person saw. Raises TransferFault."""
    with taking_over(mover, source_url, target_url, data_dir) as (steps, seen):
        first, _ = steps.one_pass()
        steps.finish(source_url, target_url, is_offline=True)
    return {each.entity.name: each for each in first}, seen.getvalue()


def listed(mover: Mover, source_url: str, data_dir: Path) -> list[Misfit]:
    """What of the predecessor's documents does not fit."""
    foreign = mover.foreign[PREDECESSOR]
    found: list[Misfit] = []
    with closing(foreign.open_side(source_url, data_dir)) as source:
        for entity in foreign.entities:
            source.read(entity, None, None)
            found += source.left_out()
    return found


def dump(url: str) -> dict[str, list[Document]]:
    """Everything in the predecessor's database."""
    with opened(url) as database:
        return {
            name: list(database[name].find().sort("_id")) for name in sorted(database.list_collection_names())
        }
