"""Many processes, ten times the demand, everything at once."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from tests.beneath import Beneath
from tests.counts import at_full_counts, counts
from tests.invariants.checker import check, explain
from tests.invariants.destination import Destination, open_destination
from tests.invariants.load import Run, run_clients
from tests.servers.secantus import is_stand_in
from ticketing_service.storage.port import Store

PROCESSES, THREADS, OPERATIONS, MAX_USES = counts((3, 4, 40, 3), (8, 16, 120, 40))
OPERATIONS_ON_STAND_IN, MAX_USES_ON_STAND_IN = counts((40, 3), (20, 6))
PEOPLE_AN_OPERATION = 2  # what an average one asks for: about half are holds, of 4 people
COUNTERS = 6


def _run(url: str, folder: Path, observed: Beneath, destination: Destination, seed: int, **more: Any) -> Run:
    configuration = {
        "url": url,
        "seed": seed,
        "threads": THREADS,
        "operations": _operations(url),
        "destination": destination.document(),
        "guard": True,
    } | more
    return run_clients(folder, "tests.invariants.client", [configuration for _ in range(PROCESSES)], observed)


def _operations(url: str) -> int:
    return OPERATIONS_ON_STAND_IN if is_stand_in(url) else OPERATIONS


def _scarce(url: str, store: Store) -> Destination:
    """One that has a tenth of what is asked for."""
    capacity = PROCESSES * THREADS * _operations(url) * PEOPLE_AN_OPERATION // COUNTERS // 10
    return open_destination(store, capacity, MAX_USES_ON_STAND_IN if is_stand_in(url) else MAX_USES)


def test_ten_times_the_demand_breaks_no_invariant(
    store_url: str, store: Store, database: Beneath, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    destination = _scarce(store_url, store)
    run = _run(store_url, tmp_path, database, destination, seed)
    assert not run.seen, explain(run.seen, seed)
    assert run.looks > counts(0, 3)
    violations = check(database, run.history)
    assert not violations, explain(violations, seed)
    # it was a sale, and a scarce one
    assert "SOLD_OUT" in run.codes("hold")
    if at_full_counts():
        assert "VOUCHER_EXHAUSTED" in run.codes("hold")
    for operation in ("hold", "confirm", "cancel"):
        assert run.count(operation) > 0, f"seed {seed}: no {operation} succeeded"
    tried = {record.operation for record in run.history}
    assert tried >= {"cancel part", "extend", "amend", "reuse"}, f"seed {seed}: only {tried}"


def test_without_the_guard_the_same_run_oversells_and_the_checker_says_so(
    store_url: str, store: Store, database: Beneath, tmp_path: Path
) -> None:
    seed = 1
    destination = _scarce(store_url, store)
    run = _run(
        store_url, tmp_path, database, destination, seed, guard=False, operations=_operations(store_url) // 2
    )
    broken = {violation.invariant for violation in check(database, run.history)}
    assert "oversold" in broken
    assert "voucher used too often" in broken
    assert "oversold" in {violation.invariant for violation in run.seen}
