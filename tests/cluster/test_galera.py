"""A node of the database cluster is killed, frozen or cut off while tickets are sold: the sale goes on with
the others, and nothing that was promised is lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from common.identifiers import uuid7
from tests.counts import counts
from tests.invariants.destination import Destination
from tests.invariants.over_http import (
    assert_whole,
    destination_in,
    is_under_way,
    load_it,
    new_seed,
    served,
)
from tests.invariants.records import UNKNOWN
from tests.servers.galera import Galera, GaleraNode
from tests.servers.stack import ServiceStack

pytestmark = pytest.mark.mariadb

OPERATIONS = 20
REJOIN_SECONDS = 120.0

Deed = Callable[[GaleraNode], object]
TROUBLES: dict[str, tuple[Deed, Deed]] = {
    "killed": (GaleraNode.kill, GaleraNode.join),
    "frozen": (GaleraNode.pause, GaleraNode.resume),
    "cut off": (lambda node: node.isolate(True), lambda node: node.isolate(False)),
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Galera]:
    with Galera() as cluster:
        yield cluster


@pytest.mark.parametrize("trouble", counts(["killed"], list(TROUBLES)))
def test_a_node_that_all_write_to_is_lost_and_the_sale_goes_on(
    cluster: Galera, trouble: str, tmp_path: Path
) -> None:
    strike, lift = TROUBLES[trouble]
    node = cluster.nodes[0]
    url = cluster.new_database("sale")
    seed = new_seed()
    with served(tmp_path, url) as stack:
        destination = destination_in(url)
        struck: float | None = None
        back: float | None = None

        def strike_and_look() -> None:
            nonlocal struck, back
            if struck is None and is_under_way(tmp_path):
                strike(node)
                struck = time.monotonic()
            elif struck is not None and back is None and _decides(stack, destination):
                back = time.monotonic()

        run = load_it(
            tmp_path,
            stack,
            destination,
            seed,
            strike_and_look,
            lambda: back is not None,
            OPERATIONS,
        )
        assert struck is not None
        assert back is not None
        print(f"{trouble}: written to again after {back - struck:.1f} s")
        stack.wait_until_ready()
        # The node is lost but once: what each client was doing then is chance, a hold or something else.
        assert any(record.kind == UNKNOWN for record in run.history), "nobody asked while it was lost"
        assert_whole(url, run, seed, stack)
        lift(node)
        cluster.wait_until_whole(REJOIN_SECONDS)
        assert_whole(url, run, seed, stack)


def _decides(stack: ServiceStack, destination: Destination) -> bool:
    """Whether a hold gets an answer from the store, be it that all is sold."""
    offered = destination.offers[0]
    body = {
        "items": [{"slotId": offered.slot, "units": [{"unitId": offered.units[0][0], "quantity": 1}]}],
        "customer": {"name": "Probe", "email": "probe@example.org", "language": "en"},
    }
    headers = {**stack.bearer("support"), "Idempotency-Key": uuid7().hex}
    answer = httpx.post(f"{stack.ticketing_url}/api/v1/bookings", json=body, headers=headers, timeout=10)
    return answer.status_code in (201, 409)
