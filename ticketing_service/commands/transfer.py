"""`python -m ticketing_service.commands.transfer copy|finish|offline`: move the store, from FROM to TO."""

from __future__ import annotations

import sys

from common.settings import load_or_exit
from common.transfer.running import Foreign, Mover, run
from ticketing_service.domain.platform import Mode
from ticketing_service.storage.opening import migrate, open_store
from ticketing_service.storage.transfer import (
    ENTITIES,
    PREDECESSOR,
    SIGNS_OF_USE,
    is_current,
    open_predecessor,
    open_side,
    violations,
)

STEPS = ("copy", "finish", "offline")


def is_frozen(url: str) -> bool:
    """Whether the service has heard, and kept in its store, that nothing may be written."""
    store = open_store(url, threads=1)
    try:
        kept = store.platform.kept()
    finally:
        store.close()
    return kept is not None and kept.get("mode") == Mode.READ_ONLY.value


MOVER = Mover(
    name="ticketing",
    entities=ENTITIES,
    open_side=open_side,
    migrate=migrate,
    is_current=is_current,
    violations=violations,
    is_frozen=is_frozen,
    foreign={"predecessor": Foreign(entities=PREDECESSOR, signs=SIGNS_OF_USE, open_side=open_predecessor)},
)


def main(arguments: list[str]) -> int:
    """0 when the step is done; 1 with one line that says why not, and nothing was switched."""
    if len(arguments) != 1 or arguments[0] not in STEPS:
        sys.stderr.write(f"usage: python -m ticketing_service.commands.transfer {'|'.join(STEPS)}\n")
        return 2
    return run(MOVER, arguments[0], load_or_exit("ticketing", complete=False).data_dir)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
