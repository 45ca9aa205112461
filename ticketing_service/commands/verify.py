"""`python -m ticketing_service.commands.verify`: whether the store keeps every invariant of the business."""

from __future__ import annotations

import sys

from common.database import StoreUnavailable
from common.database.engine import Database
from common.settings import load_or_exit
from ticketing_service.storage.sql.checking import check


def main() -> int:
    """0 when all hold; 1 with a line for each violation, or when the store cannot be read."""
    settings = load_or_exit("ticketing", complete=False)
    database = Database(settings.database_url, threads=1)
    try:
        violations = check(database)
    except StoreUnavailable as error:
        sys.stderr.write(f"The database cannot be read: {error}\n")
        return 1
    finally:
        database.close()
    for violation in violations:
        print(f"{violation.invariant}: {violation.subject}")
    if not violations:
        print("Counters are what their bookings add up to, and the books what was captured and given back.")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
