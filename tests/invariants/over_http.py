"""The load over HTTP, during which something is killed: what was promised stands, the rest is cleared up."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.beneath import open_beneath
from tests.counts import counts
from tests.invariants.checker import check, explain
from tests.invariants.destination import Destination, open_destination
from tests.invariants.load import Run, answered, in_the_balance, run_clients
from tests.servers.secantus import is_stand_in
from tests.servers.stack import ServiceStack
from ticketing_service.storage.opening import open_store

PROCESSES, THREADS, OPERATIONS = counts((2, 4, 20), (4, 16, 100))
OPERATIONS_ON_STAND_IN = counts(20, 30)
WEB_WORKERS = 4


def new_seed() -> int:
    """Printed, so that a run that failed can be told of."""
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    return seed


def destination_in(url: str) -> Destination:
    """What is sold, in a migrated store: an eighth of what is asked for."""
    store = open_store(url, threads=1)
    try:
        return open_destination(store, PROCESSES * THREADS * _operations(url) // 8, max_uses=3)
    finally:
        store.close()


@contextmanager
def served(folder: Path, url: str, env: Mapping[str, str] | None = None) -> Iterator[ServiceStack]:
    """The service on a store, with payments that are authorised by themselves."""
    with ServiceStack(folder / "data", database_url=url, web_workers=WEB_WORKERS, env=env) as stack:
        authorisation = {"Authorization": f"Bearer {stack.env['PAYMENT_API_TOKEN']}"}
        told = httpx.put(
            f"{stack.payment_url}/sandbox/behaviour", json={"autoPay": "authorize"}, headers=authorisation
        )
        assert told.status_code == 200, told.text
        yield stack


def load_it(
    folder: Path,
    stack: ServiceStack,
    destination: Destination,
    seed: int,
    meanwhile: Callable[[], None],
    enough: Callable[[], bool],
    operations: int | None = None,
) -> Run:
    """The load goes on until `enough`; each of its threads tries `operations` things at least (default: what
    the store is good for).
    """
    configuration: dict[str, Any] = {
        "base_url": stack.ticketing_url,
        "headers": stack.bearer("support"),
        "seed": seed,
        "threads": THREADS,
        "operations": operations or _operations(stack.env["DATABASE_URL"]),
        "destination": destination.document(),
    }
    return run_clients(
        folder,
        "tests.invariants.web_client",
        [configuration] * PROCESSES,
        None,
        meanwhile,
        enough,
    )


def _operations(url: str) -> int:
    return OPERATIONS_ON_STAND_IN if is_stand_in(url) else OPERATIONS


def is_under_way(folder: Path) -> bool:
    """Whether a load that is still running has had an answer for each of its threads, on the average."""
    return answered(folder) >= PROCESSES * THREADS


def is_unanswered(folder: Path) -> bool:
    """Whether some hold has had no answer so far, in a load that is still running."""
    return in_the_balance(folder, "hold") > 0


def assert_unanswered(run: Run) -> None:
    """What was killed was in use."""
    assert run.count("hold", "unknown") > 0, "nothing was in the balance when the kills came"


def assert_whole(url: str, run: Run, seed: int, stack: ServiceStack) -> None:
    """Nothing broke, every promise can be read, and it was a sale in which promises were made."""
    database = open_beneath(url)
    try:
        violations = check(database, run.history)
    finally:
        database.close()
    assert not violations, explain(violations, seed)
    assert run.count("hold") > 5
    assert run.count("confirm") > 0
    acknowledged = {record.booking for record in run.history if record.booking is not None}
    with httpx.Client(base_url=f"{stack.ticketing_url}/api/v1", headers=stack.bearer("support")) as client:
        for booking in sorted(acknowledged)[:: counts(5, 25)]:
            assert client.get(f"/bookings/{booking}").status_code == 200
