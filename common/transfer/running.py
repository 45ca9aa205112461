"""A move from beginning to end, as a service's command runs it.

`copy` is made while the service runs: passes until there is hardly anything to catch up. `finish` is made
while nothing writes to the source: it ends when a pass finds nothing to do, and both sides are verified.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from common.database.unavailable import StoreUnavailable
from common.setting_types import database_url
from common.settings import SettingError
from common.transfer.copying import Copying, Tally
from common.transfer.documents import Entity, Facts, canonical
from common.transfer.port import Misfit, Side, TransferFault
from common.transfer.progress import Progress
from common.transfer.telling import ProgressLine, list_misfits, table

MOST_PASSES = 6
"""How often it is caught up before the switch; each pass has only what changed during the one before it."""

ENOUGH_SECONDS = 3.0
"""A pass that takes no longer needs no further one: the last one will not either."""

FREEZE_SECONDS = 60.0
"""How long it is waited for the service to say that it writes nothing any more."""

IN_FLIGHT_SECONDS = 12.0
"""What was accepted before may still write for so long: the time limit of a request, and some."""


LAYOUT = "FROM_LAYOUT"
"""The setting that says whose documents the store FROM has: nothing for our own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """Another system that a service is moved from.

    Args:
        entities: those of the service that it has.
        signs: those that a store has something of only once its service is used: such a store is not written
            over.
        open_side: its database of a URL; the folder is that of the service's data.
    """

    entities: Sequence[Entity]
    signs: Sequence[Entity]
    open_side: Callable[[str, Path], Side]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    """A service that can be moved.

    Args:
        name: of the service, as it stands for `{service}` in a URL.
        entities: in the order in which they are moved.
        open_side: the store of a URL.
        migrate: brings a store to the present schema.
        is_current: whether a store has it.
        violations: a line for each invariant of the business that a store breaks.
        is_frozen: whether the service that runs on a store writes nothing to it.
        foreign: the other systems, by the name that FROM_LAYOUT has for each.
    """

    name: str
    entities: Sequence[Entity]
    open_side: Callable[..., Side]
    migrate: Callable[[str], bool]
    is_current: Callable[[str], bool]
    violations: Callable[[str], Sequence[str]]
    is_frozen: Callable[[str], bool]
    foreign: Mapping[str, Foreign] = field(default_factory=dict)


def urls_of(service: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """From where and to where: FROM and TO, `{service}` in them being the name. Raises TransferFault."""
    found = []
    for name in ("FROM", "TO"):
        given = environment.get(name, "").replace("{service}", service)
        if not given:
            raise TransferFault(f"{name} is missing: make migrate-store FROM=URL TO=URL")
        try:
            found.append(database_url(name, given))
        except SettingError as error:
            raise TransferFault(str(error)) from error
    if found[0] == found[1]:
        raise TransferFault("FROM and TO are the same")
    return found[0], found[1]


def run(mover: Mover, step: str, data_dir: Path) -> int:
    """Do one step of the move: `copy`, `finish` or `offline` (both, where nothing runs); the exit status."""
    told = sys.stdout
    try:
        source_url, target_url = urls_of(mover.name, os.environ)
        foreign = _foreign(mover, step, os.environ)
        if foreign is not None:
            mover = replace(mover, entities=foreign.entities)
        elif not mover.is_current(source_url):
            raise TransferFault(
                "the source is not at the schema of this release: run make migrate on it first"
            )
        with closing(
            mover.open_side(source_url, writable=False)
            if foreign is None
            else foreign.open_side(source_url, data_dir)
        ) as source:
            mover.migrate(target_url)
            with (
                closing(mover.open_side(target_url, writable=True)) as target,
                closing(
                    Progress.between(data_dir / "transfer", mover.name, source_url, target_url)
                ) as progress,
            ):
                used = [] if foreign is None else [each.name for each in foreign.signs if target.count(each)]
                if used:
                    raise TransferFault(f"TO is in use, and would lose what is new in it: {', '.join(used)}")
                move = Move(mover, source, target, progress, told)
                told.write(f"{mover.name}: from {source.kind} to {target.kind}\n")
                if step in ("copy", "offline"):
                    move.copy()
                if step in ("finish", "offline"):
                    move.finish(source_url, target_url, is_offline=step == "offline")
    except (StoreUnavailable, TransferFault) as error:
        told.flush()
        sys.stderr.write(f"{mover.name}: {error}\n")
        return 1
    return 0


def _foreign(mover: Mover, step: str, environment: Mapping[str, str]) -> Foreign | None:
    """The system that FROM_LAYOUT names. Raises TransferFault."""
    name = environment.get(LAYOUT, "")
    if name and name not in mover.foreign:
        raise TransferFault(f"{LAYOUT} is {' or '.join(mover.foreign)}, not '{name}'")
    if name and step == "finish":
        raise TransferFault(f"{name} knows no read_only mode: stop it, and use SWITCH=offline")
    return mover.foreign[name] if name else None


class Move:
    """The steps, over two stores that are open."""

    def __init__(self, mover: Mover, source: Side, target: Side, progress: Progress, told: TextIO) -> None:
        self._mover, self._source, self._target = mover, source, target
        self._progress, self._told = progress, told
        self._passes = 0

    def copy(self) -> list[Tally]:
        """Copy, and catch up until a pass takes seconds. Raises StoreUnavailable, TransferFault."""
        for _ in range(MOST_PASSES):
            tallies, seconds = self.one_pass()
            if seconds <= ENOUGH_SECONDS or not _written(tallies):
                break
        self._list(tallies, ())
        return tallies

    def finish(self, source_url: str, target_url: str, *, is_offline: bool) -> list[Tally]:
        """The last passes, and the verification. Raises StoreUnavailable, and TransferFault for whatever
        stands against a switch.
        """
        frozen_at = time.monotonic()
        if not is_offline:
            self._await_freeze(source_url)
        for _ in range(MOST_PASSES):
            begun = time.monotonic()
            tallies, _ = self.one_pass()
            # what was under way when the source was closed has come to its end before this pass began
            if not _written(tallies) and (is_offline or begun - frozen_at > IN_FLIGHT_SECONDS):
                break
            if not is_offline:
                time.sleep(max(0.0, frozen_at + IN_FLIGHT_SECONDS - time.monotonic()))
        else:
            raise TransferFault("the source is still written to; nothing was switched")
        self._verify(tallies, target_url)
        return tallies

    def _await_freeze(self, source_url: str) -> None:
        deadline = time.monotonic() + FREEZE_SECONDS
        while not self._mover.is_frozen(source_url):
            if time.monotonic() > deadline:
                raise TransferFault(
                    f"the service does not say that it is in read_only mode: stop {self._mover.name} and "
                    f"{self._mover.name}-worker, and use SWITCH=offline"
                )
            time.sleep(0.2)

    def one_pass(self) -> tuple[list[Tally], float]:
        """Over all entities: what was done, and its seconds. Raises StoreUnavailable, TransferFault."""
        self._passes += 1
        total = sum(self._source.count(each) for each in self._mover.entities)
        line = ProgressLine(f"{self._mover.name}, pass {self._passes}", total, self._told)
        copying = Copying(self._source, self._target, self._progress, line.moved)
        tallies = copying.run(self._mover.entities)
        seconds = line.end()
        written = sum(each.written for each in tallies)
        self._told.write(
            f"{self._mover.name}, pass {self._passes}: {total:,} looked at, {written:,} written, "
            f"{seconds:.1f} s\n"
        )
        return tallies, seconds

    def _verify(self, tallies: Sequence[Tally], target_url: str) -> None:
        """Raises TransferFault unless both have the same and the target breaks no invariant."""
        table(tallies, self._told)
        for line in self._source.remarks():
            self._told.write(f"{line}\n")
        dangling = list(self._target.misfits())
        misfits = self._list(tallies, dangling)
        broken = list(self._mover.violations(target_url))
        for line in broken:
            self._told.write(f"does not hold: {line}\n")
        counted = [
            each.entity.name
            for each in tallies
            if not each.is_same
            or each.source.count != self._source.count(each.entity)
            or each.target.count != self._target.count(each.entity)
        ]
        if counted or misfits or dangling or broken:
            raise TransferFault(
                f"the two stores are not the same ({', '.join(counted) or 'see above'}); nothing was switched"
            )
        self._told.write(f"{self._mover.name}: verified; the target has what the source has\n")

    def _list(self, tallies: Sequence[Tally], others: Sequence[Misfit]) -> list[Misfit]:
        """Tell what does not fit; what of it is of the tallies."""
        misfits = [misfit for each in tallies for misfit in each.misfits]
        count = sum(each.misfit_count for each in tallies)
        list_misfits([*misfits, *others], count + len(others), self._told)
        return misfits


def facts_of(side: Side, entity: Entity) -> Facts:
    """Count and digest of all that a store has of an entity, read anew."""
    facts, after = Facts(), None
    while (upto := side.boundary(entity, after, entity.batch)) is not None:
        facts += Facts.of(map(canonical, side.read(entity, after, upto)))
        after = upto
    return facts


def _written(tallies: Sequence[Tally]) -> int:
    """Misfits are tried again in each pass, and count for nothing."""
    return sum(each.written - (each.misfit_count - each.left_out) for each in tallies)
