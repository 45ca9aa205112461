"""What a person sees of a move: a line that grows, and a table at the end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TextIO

from common.transfer.copying import Tally
from common.transfer.documents import Entity, shown_key
from common.transfer.port import Misfit

LINE_SECONDS = 10.0
SCREEN_SECONDS = 0.2
_WIDTH = 28
MOST_SHOWN = 100


class ProgressLine:
    """How far a pass over `total` things is: in place on a screen, else a line every ten seconds."""

    def __init__(self, what: str, total: int, out: TextIO) -> None:
        self._what, self._total, self._out = what, total, out
        self._is_screen = out.isatty()
        self._begun = self._told = time.monotonic()
        self._done = 0

    def moved(self, entity: Entity, count: int) -> None:
        """`count` more of the entity are dealt with."""
        self._done += count
        now = time.monotonic()
        if now - self._told < (SCREEN_SECONDS if self._is_screen else LINE_SECONDS):
            return
        self._told = now
        self._write(entity.name, now)

    def end(self) -> float:
        """The pass is over; how many seconds it took."""
        now = time.monotonic()
        if self._is_screen:
            self._write("", now)
            self._out.write("\n")
        return now - self._begun

    def _write(self, name: str, now: float) -> None:
        share = min(1.0, self._done / self._total) if self._total else 1.0
        rate = self._done / max(now - self._begun, 0.001)
        left = max(0, self._total - self._done) / rate if rate else 0
        filled = round(share * _WIDTH)
        line = (
            f"{self._what} [{'#' * filled}{'.' * (_WIDTH - filled)}] {share:4.0%} {self._done:,} of "
            f"{self._total:,}, {rate:,.0f}/s, {_span(left)} left {name}"
        )
        self._out.write(f"\r{line:<100}" if self._is_screen else f"{line.rstrip()}\n")
        self._out.flush()


def table(tallies: Sequence[Tally], told: TextIO) -> None:
    """What was done, and what both sides have now."""
    told.write(f"{'':16}{'source':>10}{'target':>10}{'added':>10}{'changed':>10}{'removed':>10}  digest\n")
    for each in tallies:
        same = each.source.digest[:16] if each.is_same else "DIFFERENT"
        told.write(
            f"{each.entity.name:16}{each.source.count:>10}{each.target.count:>10}"
            f"{each.added:>10}{each.changed:>10}{each.removed:>10}  {same}\n"
        )


def list_misfits(misfits: Iterable[Misfit], count: int, told: TextIO) -> None:
    """Each by its key, and why it does not fit."""
    shown = 0
    for each in misfits:
        if shown == MOST_SHOWN:
            break
        told.write(f"does not fit: {each.entity} {shown_key(each.key)}: {each.reason}\n")
        shown += 1
    if count > shown:
        told.write(f"... and {count - shown} more\n")


def _span(seconds: float) -> str:
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"
