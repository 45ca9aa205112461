"""`python -m admin_service.commands.migrate`: bring the database to the shape this release expects."""

from __future__ import annotations

import sys

from admin_service.storage.opening import migrate
from common.database import StoreUnavailable
from common.settings import load_or_exit


def main() -> int:
    """0 when the database is as it should be, 1 when it cannot be reached."""
    settings = load_or_exit("admin", complete=False)
    try:
        migrated = migrate(settings.database_url)
    except StoreUnavailable as error:
        sys.stderr.write(f"The database cannot be migrated: {error}\n")
        return 1
    print("The database was migrated." if migrated else "The database is up to date.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
