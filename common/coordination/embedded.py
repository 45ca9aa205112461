"""Coordination of the processes that share a folder on a local disk: no server, nothing to start."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from common.coordination.documents import Documents
from common.coordination.epochs import Epochs
from common.coordination.flights import Flights
from common.coordination.rows import Rows
from common.coordination.slots import Slot
from common.coordination.tags import MappedTagEpochs
from common.coordination.trouble import Trouble

_FOLDERS = ("slots", "documents", "rows", "rows/tables", "rows/live")

_log = logging.getLogger(__name__)


class EmbeddedCoordination:
    """`Coordination`, and `TagEpochs`, in files of `folder` (mode 0600). Every verb is a few system calls at
    most; what only reads an epoch makes none.

    A folder that is read-only or full, or a damaged file, is logged once; this process then goes on with what
    it has in memory. A forked child may go on using it, and has a slot and rows of its own.
    """

    kind: Literal["embedded"] = "embedded"

    def __init__(self, folder: Path) -> None:
        """`folder` belongs to this alone, and to one service; it is made when missing."""
        self.folder = folder
        try:
            for each in ("", *_FOLDERS):
                (folder / each).mkdir(mode=0o700, parents=not each, exist_ok=True)
        except OSError as error:
            Trouble(_log, f"the folder of coordination {folder}").on(error)
        self.slots = Slot(folder / "slots")
        self.epochs = Epochs(folder / "epochs")
        self.documents = Documents(folder / "documents", Epochs(folder / "document-epochs"))
        self.own_rows = Rows(folder / "rows", lambda: self.slots.number)
        self.flights = Flights(folder)
        self._tags = MappedTagEpochs(folder / "tags")

    @property
    def slot(self) -> int:
        """See Coordination; 256 and more: no number could be had (`Slot`)."""
        return self.slots.number

    def epoch(self, name: str) -> int:
        """See Coordination: what any process has bumped is seen at once."""
        return self.epochs.get(name)

    def bump(self, name: str) -> int:
        """See Coordination. Raises ValueError for a name of over 62 bytes, or too many names."""
        return self.epochs.bump(name)

    def share(self, name: str, document: bytes | None) -> None:
        """See Coordination: seen at once, and on the disk. Raises ValueError beyond 64 kB."""
        self.documents.share(name, document)

    def shared(self, name: str) -> bytes | None:
        """See Coordination."""
        return self.documents.get(name).document

    def publish(self, table: str, row: bytes) -> None:
        """See Coordination. Raises ValueError beyond 64 kB."""
        # Who publishes does so again and again, also where nothing is ever bumped or shared.
        self.epochs.heal()
        self.documents.heal()
        self.own_rows.publish(table, row)

    def rows(self, table: str) -> Mapping[str, bytes]:
        """See Coordination; by the number of the slot."""
        return {str(slot): row for slot, row in self.own_rows.all(table).items()}

    @contextmanager
    def flight(self, key: str, wait_seconds: float) -> Iterator[bool]:
        """See Coordination; a leader that raises has left too."""
        leads = self.flights.join(key, wait_seconds)
        try:
            yield leads
        finally:
            if leads:
                self.flights.leave(key)

    def tag_epochs(self, tags: Sequence[str]) -> tuple[int, ...]:
        """See TagEpochs."""
        return self._tags.tag_epochs(tags)

    def bump_tags(self, tags: Iterable[str]) -> None:
        """See TagEpochs."""
        self._tags.bump_tags(tags)

    def machine_id(self) -> str:
        """A random name of all that share the folder, 16 characters."""
        return self.epochs.file_id()

    def close(self) -> None:
        """See Coordination: rows and slot are free at once."""
        self.own_rows.close()
        self.slots.close()
        for each in (self.flights, self.documents, self.epochs, self._tags):
            each.close()
