"""What is held against the plant: how often it asks what is gone, and whether what people were told while
things broke is still true when all is well again."""

from __future__ import annotations

import time

from tests.faults.matrix import Cell
from tests.faults.plant import Plant
from tests.faults.running import wait_until_settled
from tests.faults.visitors import Visitors
from tests.invariants.checker import check, explain
from tests.servers.process import eventually

TELLING_SECONDS = 40.0
"""A busy machine may never let so many people in within a second that their number tells more."""


def look_at_attempts(plant: Plant, cell: Cell, people: Visitors) -> tuple[float, float]:
    """With the cell's breaker open, look for as long as tells something; from when until when that was."""
    proxy = plant.dependencies[cell.dependency].proxy
    opened, before = time.monotonic(), proxy.attempts

    def is_enough() -> bool:
        asked, seconds = people.count(cell.asking, since=opened), time.monotonic() - opened
        return cell.is_telling(asked, seconds) or (asked >= cell.asked_at_least and seconds > TELLING_SECONDS)

    eventually(is_enough, seconds=4 * TELLING_SECONDS, what=f"enough requests: {cell}")
    attempts, ended = proxy.attempts - before, time.monotonic()
    most = cell.most_attempts(ended - opened)
    assert attempts <= most, f"{cell}: asked {attempts} times within {ended - opened:.1f} s, not {most:.0f}"
    return opened, ended


def assert_nothing_is_lost(plant: Plant, people: Visitors) -> None:
    """Bookings, money, admissions, and the mail about them."""
    wait_until_settled(plant.database)
    violations = check(plant.database, plant.history)
    assert not violations, explain(violations)
    tables = plant.database.tables("bookings", "redemptions")
    statuses = {str(row.id): row.status for row in tables["bookings"]}
    scans = {str(row.scan_id) for row in tables["redemptions"]}
    assert {statuses[each] for each in people.paid | people.confirmed} == {"confirmed"}
    assert people.scanned <= scans
    unwritten = [address for address in people.emails if not plant.smtp.to(address)]
    assert not unwritten, f"{len(unwritten)} of {len(people.emails)} got no mail"
