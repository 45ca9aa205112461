"""`python -m admin_service.commands.rotate_keys`: a new key for access tokens, which signs after a minute.

The old keys stay published until nothing that they have signed can be good any more, so nobody is signed out;
then a later call, or `--forget`, removes them.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime, timedelta

from admin_service.domain.sessions import REMEMBERED
from admin_service.wiring import SETTLE_SECONDS
from common.auth.keyfiles import KeyFolderError, KeyRing
from common.settings import load_or_exit

FOLLOWED_FOR = timedelta(minutes=10)
"""How long others may need to learn of a key: they look again every five minutes."""


def main() -> int:
    """0; 1 when the keys cannot be used."""
    parser = argparse.ArgumentParser(prog="rotate_keys", description="A new key for access tokens.")
    parser.add_argument("--forget", action="store_true", help="only remove what is not needed any more")
    arguments = parser.parse_args()
    folder = load_or_exit("admin", complete=False).data_dir / "keys" / "access-tokens"
    ring = KeyRing(folder, settle_seconds=SETTLE_SECONDS)
    try:
        if not arguments.forget:
            print(f"signs after {SETTLE_SECONDS:.0f} s: {ring.rotate()}")
        for key_id in ring.forget(superseded_before=datetime.now(UTC) - REMEMBERED - FOLLOWED_FOR):
            print(f"removed: {key_id}")
        print(f"verify: {', '.join(ring.keys())}")
    except KeyFolderError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
