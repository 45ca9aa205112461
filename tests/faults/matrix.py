"""Each dependency under each fault: what people are answered meanwhile, and how often it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tests.counts import counts
from tests.faults.plant import FAULTS, Fault
from tests.faults.visitors import ALREADY_PAID, SUCCESS

Answers = Mapping[str, frozenset[str]]
"""By operation, all that may be answered."""

STORE_AWAY = "503 STORE_UNAVAILABLE"
PAYMENT_AWAY = "503 PAYMENT_UNAVAILABLE"
NEED_STORE = ("hold", "confirm", "pay", "scan")
CACHED = ("detail", "availability")
_WELL: Answers = {
    operation: frozenset({answer, ALREADY_PAID} if operation == "pay" else {answer})
    for operation, answer in SUCCESS.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One field of the matrix.

    `opens`: its breaker opens. `refused`: the answers once it is open, where they differ from those of a good
    day; until then, and where it does not open, both are given. `asking`: what asks the dependency on a good
    day. `attempts`: how many connections may reach it once it is open, at first and then each second: trials,
    and what looks whether it is back. `reset`: its wait is too long for a test, an operator ends it.
    """

    dependency: str
    fault: Fault
    opens: bool = True
    refused: Answers = field(default_factory=dict)
    asking: tuple[str, ...] = ()
    asked_at_least: int = counts(8, 30)
    attempts: tuple[float, float] = (0, 0)
    reset: bool = False

    def allowed(self, operation: str) -> frozenset[str]:
        """At any time."""
        return _WELL[operation] | self.refused.get(operation, frozenset())

    def once_open(self, operation: str) -> frozenset[str]:
        """While its breaker is open."""
        return self.refused.get(operation, _WELL[operation]) if self.opens else self.allowed(operation)

    def most_attempts(self, seconds: float) -> float:
        """How many connections may reach it within so long while its breaker is open."""
        at_first, each_second = self.attempts
        return at_first + each_second * seconds

    def is_telling(self, asked: int, seconds: float) -> bool:
        """Whether so many requests within so long would be too many attempts, were each of them one."""
        return asked >= max(self.asked_at_least, 2 * self.most_attempts(seconds))

    def __str__(self) -> str:
        return f"{self.dependency} {self.fault}"


def _database(fault: Fault) -> Cell:
    away = {operation: frozenset({STORE_AWAY}) for operation in NEED_STORE}
    return Cell(
        dependency="database",
        fault=fault,
        opens=fault in ("killed", "frozen"),
        # What the last sale has ended is not in the cache any more.
        refused={**away, "places": frozenset({"200", STORE_AWAY})},
        asking=NEED_STORE,
        asked_at_least=counts(80, 200),
        attempts=(10, 4),
    )


def _cache(fault: Fault) -> Cell:
    return Cell(
        dependency="cache",
        fault=fault,
        opens=fault in ("killed", "frozen"),
        asking=(*CACHED, "places", "hold"),
        asked_at_least=counts(200, 600),
        attempts=(10, 20),
    )


def _payment(fault: Fault) -> Cell:
    return Cell(
        dependency="payment-api",
        fault=fault,
        opens=fault in ("killed", "frozen"),
        refused={"pay": frozenset({PAYMENT_AWAY})} if fault != "slow" else {},
        asking=("pay",),
        reset=True,
    )


def _mail(fault: Fault) -> Cell:
    opens = fault in ("killed", "frozen")
    return Cell(dependency="mail", fault=fault, opens=opens, asking=("confirm",), reset=True)


CELLS: tuple[Cell, ...] = tuple(
    make(fault) for make in (_database, _cache, _payment, _mail) for fault in FAULTS
)
DATABASE_KILLED = CELLS[0]
MONGODB = tuple(replace(_database(fault), attempts=(15, 4)) for fault in FAULTS)
"""The driver has a connection of its own that looks whether the server is there, in each process."""

FEW = frozenset({"database frozen", "cache frozen", "payment-api killed", "mail killed"})
"""Those that are looked at in every run."""
