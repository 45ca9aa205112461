"""Rows of the processes of one machine: a file a slot and table, good as long as the process lives."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from common.coordination import files
from common.coordination.epochs import check_name
from common.coordination.locks import FileLock, ForkAware, is_locked
from common.coordination.slots import SLOTS
from common.coordination.trouble import Trouble

_LIVE_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Rows(ForkAware):
    """This process's rows, and those of the others.

    Beside its slot a process that publishes holds a second lock, `live/<slot>`, taken after it removed what
    the slot's last owner left. Readers try that one only: so they are never in the way of a process that
    looks for a slot, and never take a dead process's row for that of its successor.
    """

    def __init__(self, folder: Path, slot: Callable[[], int]) -> None:
        """`folder` holds a folder a table; `slot()` is this process's number."""
        super().__init__()
        self._folder = folder
        self._slot = slot
        self._writing = threading.Lock()
        self._live: FileLock | None = None
        self._own: dict[str, bytes] = {}
        self._trouble = Trouble(_log, f"the folder of rows {folder}")

    def publish(self, table: str, row: bytes) -> None:
        """Replace this process's row. Raises ValueError beyond 64 kB and for a name of over 62 bytes."""
        files.check_size(row)
        check_name(table)
        with self._writing:
            self._own[table] = row
            if self._slot() >= SLOTS:
                return  # files named like that would be as many as the deaths
            path = self._folder / "tables" / files.file_name(table) / str(self._slot())
            try:
                self._come_alive()
                path.parent.mkdir(mode=0o700, exist_ok=True)
                files.overwrite(path, row)
                self._trouble.off()
            except OSError as error:
                self._trouble.on(error)
                with contextlib.suppress(OSError):
                    path.unlink()  # an old row would be taken for the present one

    def own(self) -> dict[str, bytes]:
        """This process's row in each table."""
        return dict(self._own)

    def all(self, table: str) -> dict[int, bytes]:
        """The rows of living processes by slot."""
        found: dict[int, bytes] = {}
        try:
            for path in (self._folder / "tables" / files.file_name(table)).iterdir():
                # Living first, then the row: the other way round the row may be a dead predecessor's.
                if path.name.isdigit() and is_locked(self._folder / "live" / path.name):
                    row = files.read(path)
                    if row is not None:
                        found[int(path.name)] = row
        except FileNotFoundError:
            pass  # nobody has published there
        except OSError as error:
            self._trouble.on(error)
        if table in self._own:
            found[self._slot()] = self._own[table]
        return found

    def close(self) -> None:
        """Remove this process's rows."""
        with self._writing:
            self._own.clear()
            live, self._live = self._live, None
            if live is not None:
                with contextlib.suppress(OSError):
                    self._clear()
                live.close()

    def after_fork(self) -> None:
        self._writing = threading.Lock()
        self._live = None
        self._own = {}

    def _come_alive(self) -> None:
        if self._live is not None:
            return
        self._clear()
        (self._folder / "live").mkdir(mode=0o700, exist_ok=True)
        live = FileLock(self._folder / "live" / str(self._slot()))
        if not live.acquire(_LIVE_SECONDS):
            raise TimeoutError("another process has the slot's row")
        self._live = live

    def _clear(self) -> None:
        for table in (self._folder / "tables").glob(f"*/{self._slot()}"):
            table.unlink(missing_ok=True)
