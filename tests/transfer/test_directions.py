"""From every kind of store to every other: the same comes out, and a service works on it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from admin_service.storage import opening as admin_opening
from tests.contract.admin.places import content as place
from tests.contract.admin.places import poi, write
from tests.contract.world import World
from tests.transfer.conftest import Stores
from tests.transfer.moving import DIRECTIONS, SOME_DIRECTIONS, content, move
from ticketing_service.storage import opening as ticketing_opening


@pytest.mark.parametrize("source, target", DIRECTIONS)
def test_ticketing_is_moved_and_sells_on(
    ticketing_stores: Stores, source: str, target: str, progress: Path
) -> None:
    stores = ticketing_stores
    source_url, target_url = stores.filled(source), stores.empty(target)
    before = content(stores.mover, source_url)
    done, seen = move(stores.mover, source_url, target_url, progress)
    assert not [name for name, facts in before.items() if not facts.count], "something of everything"
    assert content(stores.mover, target_url) == before == content(stores.mover, source_url)
    assert {name: each.added for name, each in done.items()} == {
        name: facts.count for name, facts in before.items()
    }
    assert "verified; the target has what the source has" in seen
    # without its notes all is compared, and still nothing is written
    anew, _ = move(stores.mover, source_url, target_url, progress.with_name("other.db"))
    assert sum(each.written for each in anew.values()) == 0
    with closing(ticketing_opening.open_store(target_url, threads=2)) as store:
        booking = World(store).sold(World(store).slot())
        assert store.bookings.get(booking.id) is not None
    assert stores.mover.violations(target_url) == []


@pytest.mark.parametrize("source, target", SOME_DIRECTIONS)
def test_admin_is_moved_and_goes_on(admin_stores: Stores, source: str, target: str, progress: Path) -> None:
    stores = admin_stores
    source_url, target_url = stores.filled(source), stores.empty(target)
    before = content(stores.mover, source_url)
    done, _ = move(stores.mover, source_url, target_url, progress)
    assert not [name for name, facts in before.items() if not facts.count], "something of everything"
    assert content(stores.mover, target_url) == before == content(stores.mover, source_url)
    assert sum(each.added for each in done.values()) == sum(facts.count for facts in before.values())
    again, _ = move(stores.mover, source_url, target_url, progress)
    assert sum(each.written for each in again.values()) == 0
    with closing(admin_opening.open_store(target_url, threads=2)) as store:
        made = store.pois.create(write(poi(place(external_id="after"))))
        assert store.pois.poi(made.id) == made
    assert list(stores.mover.violations(target_url)) == []
