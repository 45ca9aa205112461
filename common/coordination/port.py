"""What the processes of a service ask of each other, whatever carries it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Literal, Protocol


class Coordination(Protocol):
    """Shared by the processes of one service: those that share `DATA_DIR`, or those that share a Redis.

    No verb raises because the carrier is away: each then serves this process alone until it is back. Safe for
    threads; opened after a fork.
    """

    @property
    def kind(self) -> Literal["embedded", "redis"]: ...

    @property
    def slot(self) -> int:
        """This process's number on this machine, from 0: freed by the kernel at its death, however it dies,
        and then the next process's. It names metric files and rows, so that neither grow with the deaths.
        """
        ...

    def epoch(self, name: str) -> int:
        """How often `name` was bumped. Never goes back, costs about a microsecond, and is at most a quarter
        of a second old. Names are few and fixed: for cache tags see `common.caching`.
        """
        ...

    def bump(self, name: str) -> int:
        """The next epoch of `name`, which all processes see within a second."""
        ...

    def share(self, name: str, document: bytes | None) -> None:
        """Set what all processes read as `shared(name)`; None removes it. At most 64 kB. It outlives the
        process.
        """
        ...

    def shared(self, name: str) -> bytes | None:
        """What was shared last under `name`; at most a quarter of a second old, and cheap to ask."""
        ...

    def publish(self, table: str, row: bytes) -> None:
        """Replace this process's own row in `table`; at most 64 kB. It ends with the process."""
        ...

    def rows(self, table: str) -> Mapping[str, bytes]:
        """The rows of the processes that live now, this one's included, by a name of the process."""
        ...

    def flight(self, key: str, wait_seconds: float) -> AbstractContextManager[bool]:
        """Enter as the one that does the work for `key` (True), or wait until that one has left, at most
        `wait_seconds`, and enter as one that need not (False). A leader that dies is followed by the next.
        """
        ...

    def close(self) -> None: ...
