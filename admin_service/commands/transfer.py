"""`python -m admin_service.commands.transfer STEP`: move the store, from FROM to TO.

Steps: `copy`, `finish` and `offline` as for the ticketing service; `freeze` closes the platform of the store
FROM to every write; `thaw` opens it again; `open` opens that of the store TO.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from admin_service.actions.audit import walk_trail
from admin_service.actions.system import SetMode, change_mode
from admin_service.domain.audit import Origin
from admin_service.domain.modes import Mode
from admin_service.storage.opening import migrate, open_store
from admin_service.storage.transfer import (
    ENTITIES,
    PREDECESSOR,
    SIGNS_OF_USE,
    is_current,
    open_predecessor,
    open_side,
)
from common.clock import system_clock
from common.database.unavailable import StoreUnavailable
from common.settings import load_or_exit
from common.transfer.port import TransferFault
from common.transfer.running import Foreign, Mover, run, urls_of

MOVES = ("copy", "finish", "offline")
MODES = {"freeze": Mode.READ_ONLY, "thaw": Mode.NORMAL, "open": Mode.NORMAL}
ACTOR = "command:migrate-store"


def violations(url: str) -> Sequence[str]:
    """A line when the audit trail does not hold."""
    store = open_store(url, threads=1)
    try:
        found = walk_trail(store.audit)
    finally:
        store.close()
    if found.broken is None:
        return ()
    return (f"the audit trail breaks at entry {found.broken.number}: {found.broken.what}",)


def is_frozen(url: str) -> bool:
    """Whether the store says that nothing may be written."""
    store = open_store(url, threads=1)
    try:
        return store.config.mode().mode is Mode.READ_ONLY
    finally:
        store.close()


MOVER = Mover(
    name="admin",
    entities=ENTITIES,
    open_side=open_side,
    migrate=migrate,
    is_current=is_current,
    violations=violations,
    is_frozen=is_frozen,
    foreign={"predecessor": Foreign(entities=PREDECESSOR, signs=SIGNS_OF_USE, open_side=open_predecessor)},
)


def set_mode(url: str, mode: Mode) -> None:
    """Put the platform of a store into the mode, with a row of the audit trail; nothing if it is in it."""
    store = open_store(url, threads=1)
    try:
        current = store.config.mode()
        if current.mode is not mode:
            command = SetMode(
                mode=mode,
                reason="the store is moved",
                expected_version=current.version,
                origin=Origin(actor=ACTOR),
            )
            change_mode(command, store.config, system_clock())
    finally:
        store.close()


def main(arguments: list[str]) -> int:
    """0 when the step is done; 1 with one line that says why not."""
    step = arguments[0] if len(arguments) == 1 else ""
    if step in MOVES:
        return run(MOVER, step, load_or_exit("admin", complete=False).data_dir)
    if step not in MODES:
        sys.stderr.write(f"usage: python -m admin_service.commands.transfer {'|'.join((*MOVES, *MODES))}\n")
        return 2
    try:
        source, target = urls_of("admin", os.environ)
        set_mode(target if step == "open" else source, MODES[step])
    except (StoreUnavailable, TransferFault) as error:
        sys.stderr.write(f"admin: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
