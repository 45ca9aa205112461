"""How a process tells the others that something has changed which each keeps for itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from common.coordination.port import Coordination


@dataclass(frozen=True, slots=True)
class Signal:
    """`epoch` is another one after `bump`: at once on this machine, within a second on others."""

    epoch: Callable[[], int] = lambda: 0
    bump: Callable[[], object] = lambda: None


ALONE = Signal()
"""Of a process that has no others."""


def signal_of(coordination: Coordination, name: str) -> Signal:
    """The signal of that name, of all processes of a service."""
    return Signal(lambda: coordination.epoch(name), lambda: coordination.bump(name))
