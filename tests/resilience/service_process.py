"""One process of a service with shared breakers; it does what it is told through a pipe."""

from __future__ import annotations

from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from common.clock import system_clock
from common.coordination.embedded import EmbeddedCoordination
from common.resilience.refusals import CircuitOpen
from common.resilience.registry import Breakers
from common.resilience.states import EXTERNAL_WAITS, BreakerSpec, Waits
from tests.resilience.stage import Away, answer, fail

SPECS = [
    BreakerSpec(name="database", timeout_seconds=2, waits=Waits(0.5, 5)),
    BreakerSpec(name="payment-api", timeout_seconds=8, waits=EXTERNAL_WAITS),
]


def run(folder: Path, commands: Connection) -> None:
    """Obey until told to end."""
    coordination = EmbeddedCoordination(folder)
    breakers = Breakers(coordination, system_clock, SPECS)
    breakers.start()
    commands.send("ready")
    while True:
        verb, *words = commands.recv()
        if verb == "end":
            break
        commands.send(_obey(breakers, verb, words))
    breakers.stop()
    coordination.close()
    commands.send("ended")


def _obey(breakers: Breakers, verb: str, words: list[Any]) -> object:
    if verb == "call":
        name, good, times = words
        let_through = 0
        for _ in range(times):
            with suppress(Away, CircuitOpen):
                breakers[name].call(answer if good else fail)
                let_through += 1
        return let_through
    if verb == "state":
        return breakers[words[0]].state
    if verb == "mode-of":
        return breakers[words[0]].status().mode
    verbs: dict[str, Any] = {
        "reset": breakers.reset,
        "mode": breakers.set_mode,
        "snapshot": breakers.snapshot,
        "open": breakers.open_names,
    }
    return verbs[verb](*words)
