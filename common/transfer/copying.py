"""The loop: range by range, the target is made the same as the source.

A range is skipped when neither store has changed in it since the two were found to be the same; so a pass is
the first copy, the rest of one that was cut off, the catching up or the last look, whichever it finds to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from common.transfer.documents import Document, Entity, Facts, Key, canonical
from common.transfer.port import Misfit, Side
from common.transfer.progress import Done, Progress

MOST_NAMED = 1000
"""How many misfits of one entity are kept to be named; all are counted."""

Moved = Callable[[Entity, int], None]
"""Is told how many of an entity were just dealt with."""


@dataclass(slots=True)
class Tally:
    """What a pass did with an entity. `source` and `target` are what was found in each at the end; `left_out`
    are misfits that were not even read.
    """

    entity: Entity
    added: int = 0
    changed: int = 0
    removed: int = 0
    source: Facts = field(default_factory=Facts)
    target: Facts = field(default_factory=Facts)
    left_out: int = 0
    misfit_count: int = 0
    misfits: list[Misfit] = field(default_factory=list)

    @property
    def written(self) -> int:
        return self.added + self.changed + self.removed

    @property
    def is_same(self) -> bool:
        """Whether the two stores have the same, to the last bit."""
        return self.source == self.target and not self.misfit_count


class Copying:
    """Makes `target` the same as `source`, which is only read."""

    def __init__(self, source: Side, target: Side, progress: Progress, moved: Moved) -> None:
        self._source, self._target = source, target
        self._progress, self._moved = progress, moved

    def run(self, entities: Iterable[Entity]) -> list[Tally]:
        """One pass over all of them, in their order. Raises StoreUnavailable, TransferFault."""
        return [self._pass(each) for each in entities]

    def _pass(self, entity: Entity) -> Tally:
        tally = Tally(entity)
        after: Key | None = None
        for done in self._ranges(entity):
            if done.after == after and self._is_unchanged(entity, done):
                tally.source += done.facts
                tally.target += done.facts
                self._moved(entity, done.facts.count)
            else:
                self._progress.forget(entity, done.upto)
                self._copy(tally, after, done.upto)
            after = done.upto
        self._copy(tally, after, None)
        return tally

    def _ranges(self, entity: Entity) -> list[Done]:
        """Those that are done, but for a last one that is hardly filled: it takes up what came after it."""
        ranges = self._progress.of(entity)
        if ranges and ranges[-1].facts.count < entity.batch // 2:
            self._progress.forget(entity, ranges.pop().upto)
        return ranges

    def _is_unchanged(self, entity: Entity, done: Done) -> bool:
        return (
            self._source.stamp(entity, done.after, done.upto) == done.source
            and self._target.stamp(entity, done.after, done.upto) == done.target
        )

    def _copy(self, tally: Tally, after: Key | None, upto: Key | None) -> None:
        entity = tally.entity
        while True:
            edge = self._source.boundary(entity, after, entity.batch)
            if edge is None or (upto is not None and edge > upto):
                edge = upto
            self._settle(tally, after, edge)
            if edge == upto:
                return
            after = edge

    def _settle(self, tally: Tally, after: Key | None, upto: Key | None) -> None:
        """Make one range of the target what it is in the source, and look whether it is."""
        entity = tally.entity
        # before it is read: what changes while it is read makes it another one
        stamp = self._source.stamp(entity, after, upto)
        wanted = self._source.read(entity, after, upto)
        forms = _forms(entity, wanted)
        misfits = list(self._source.left_out())
        tally.left_out += len(misfits)
        there = _forms(entity, self._target.read(entity, after, upto))
        if forms != there:
            misfits += self._write(tally, wanted, forms, there)
            there = _forms(entity, self._target.read(entity, after, upto))
            named = {each.key for each in misfits}
            misfits += [
                Misfit(entity.name, key, "came out otherwise than it was written")
                for key in forms.keys() | there.keys()
                if key not in named and forms.get(key) != there.get(key)
            ]
        source, target = Facts.of(forms.values()), Facts.of(there.values())
        tally.source += source
        tally.target += target
        tally.misfit_count += len(misfits)
        tally.misfits += misfits[: MOST_NAMED - len(tally.misfits)]
        if upto is not None and not misfits:
            kept = Done(after, upto, stamp, self._target.stamp(entity, after, upto), source)
            self._progress.keep(entity, kept)
        self._moved(entity, len(wanted))

    def _write(
        self,
        tally: Tally,
        wanted: Sequence[Document],
        forms: dict[Key, bytes],
        there: dict[Key, bytes],
    ) -> list[Misfit]:
        entity = tally.entity
        new, changed = [], []
        for document in wanted:
            key = entity.key_of(document)
            if key not in there:
                new.append(document)
            elif there[key] != forms[key]:
                changed.append(document)
        gone = [key for key in there if key not in forms]
        misfits = self._target.write(entity, new, changed, gone)
        tally.added += len(new)
        tally.changed += len(changed)
        tally.removed += len(gone)
        return misfits


def _forms(entity: Entity, documents: Iterable[Document]) -> dict[Key, bytes]:
    return {entity.key_of(each): canonical(each) for each in documents}
