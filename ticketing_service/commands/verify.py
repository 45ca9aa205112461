"""`python -m ticketing_service.commands.verify`: whether the store keeps every invariant of the business.

SQL stores are asked at one moment; MongoDB is read batch by batch, which is right while nobody writes.
"""

from __future__ import annotations

import sys

from common.database import StoreUnavailable
from common.settings import load_or_exit
from ticketing_service.storage.transfer import violations


def main() -> int:
    """0 when all hold; 1 with a line for each violation, or when the store cannot be read."""
    settings = load_or_exit("ticketing", complete=False)
    try:
        found = violations(settings.database_url)
    except StoreUnavailable as error:
        sys.stderr.write(f"The database cannot be read: {error}\n")
        return 1
    for line in found:
        print(line)
    if not found:
        print("Counters are what their bookings add up to, and the books what was captured and given back.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
