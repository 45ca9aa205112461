"""Whether what people were told while things broke is still true when all is well again."""

from __future__ import annotations

from sqlalchemy import select

from tests.faults.plant import Plant
from tests.faults.running import wait_until_settled
from tests.faults.visitors import Visitors
from tests.invariants.checker import check, explain
from ticketing_service.storage.sql import schema


def assert_nothing_is_lost(plant: Plant, people: Visitors) -> None:
    """Bookings, money, admissions, and the mail about them."""
    wait_until_settled(plant.database)
    violations = check(plant.database, plant.history)
    assert not violations, explain(violations)
    with plant.database.read() as connection:
        statuses = {str(row.id): row.status for row in connection.execute(select(schema.bookings))}
        scans = {str(each) for each in connection.scalars(select(schema.redemptions.c.scan_id))}
    assert {statuses[each] for each in people.paid | people.confirmed} == {"confirmed"}
    assert people.scanned <= scans
    unwritten = [address for address in people.emails if not plant.smtp.to(address)]
    assert not unwritten, f"{len(unwritten)} of {len(people.emails)} got no mail"
