"""What the loops ask of a store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from common.transfer.documents import Document, Entity, Key


class TransferFault(Exception):
    """The move cannot go on; its text is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """An entity that the target does not take as it is, and why, without a word of its content."""

    entity: str
    key: Key
    reason: str


class Side(Protocol):
    """A store that is moved from or to. Raises StoreUnavailable when the store is not there.

    A range is of keys: after `after` (None: from the first on), up to and with `upto` (None: to the end).
    """

    kind: str

    def count(self, entity: Entity) -> int:
        """How many there are."""
        ...

    def boundary(self, entity: Entity, after: Key | None, size: int) -> Key | None:
        """The last of the `size` keys after `after`, or of those that there are; None: there is none."""
        ...

    def stamp(self, entity: Entity, after: Key | None, upto: Key | None) -> str:
        """What is another text as soon as anything in the range is another. Only stamps of the same store can
        be compared.
        """
        ...

    def read(self, entity: Entity, after: Key | None, upto: Key | None) -> list[Document]:
        """The documents of a range in the order of their keys, as of one moment. Raises TransferFault."""
        ...

    def left_out(self) -> Sequence[Misfit]:
        """What of the range that was read last cannot be such a document."""
        return ()

    def remarks(self) -> Iterable[str]:
        """Lines for a person about what the store has beside what is moved."""
        return ()

    def write(
        self, entity: Entity, new: Sequence[Document], changed: Sequence[Document], gone: Sequence[Key]
    ) -> list[Misfit]:
        """Add `new` ones, put `changed` ones in the place of those with their keys, delete `gone`, durably;
        those that do not fit, none of which is written.
        """
        ...

    def misfits(self) -> Iterable[Misfit]:
        """What is wrong with the whole that no single document shows, such as references to nothing."""
        ...

    def close(self) -> None: ...
