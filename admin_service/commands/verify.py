"""`python -m admin_service.commands.verify`: whether the audit trail is what was written."""

from __future__ import annotations

import sys

from sqlalchemy.exc import SQLAlchemyError

from admin_service.actions.audit import verify_trail
from admin_service.wiring import run_worker
from common.database import StoreUnavailable
from common.settings import load_or_exit


def main() -> int:
    """0 when it is; 1 with a line on the first break, or when the store cannot be read."""
    running = run_worker(load_or_exit("admin", complete=False))
    try:
        found = verify_trail(running.ports)
    except (StoreUnavailable, SQLAlchemyError) as error:
        sys.stderr.write(f"The database cannot be read (is it migrated?): {type(error).__name__}\n")
        return 1
    finally:
        running.close()
    if found.broken is not None:
        print(f"the audit trail breaks at entry {found.broken.number}: {found.broken.what}")
        return 1
    print(f"The audit trail holds: {found.entries} entries, the last with the hash {found.end.hex()}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
