"""The commands of one sale over MongoDB's wire protocol, as `benchmarks.recording` has statements."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pymongo import monitoring

from benchmarks.recording import Fresh, TheSlot, kind_of_value, made_value, recorded

Command = dict[str, Any]

_OF_A_SALE = frozenset({"find", "insert", "update", "delete", "aggregate"})
_OF_THE_DRIVER = frozenset(
    {
        "$clusterTime", "$db", "autocommit", "lsid", "maxTimeMS", "readConcern", "startTransaction",
        "txnNumber", "writeConcern",
    }
)  # fmt: skip
"""What says in which transaction a command is: a floor has its own."""


@dataclass(frozen=True, slots=True)
class MongoSale:
    """The commands of a hold and its confirmation, with places for what is new in each booking."""

    statements: tuple[Command, ...]
    fresh: tuple[Fresh, ...]

    def filled(self, slot_id: UUID) -> Iterator[Command]:
        """The commands of a new booking on a slot."""
        made = [_like(place.like, made_value(place)) for place in self.fresh]
        for command in self.statements:
            yield _replaced(command, lambda value: _filled(value, made, slot_id))


class CommandRecorder(monitoring.CommandListener):
    """Notes what clients that are made from now on send for the main thread."""

    def __init__(self) -> None:
        self.statements: list[Command] = []
        monitoring.register(self)

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """See CommandListener."""
        # the threads of the health checks are no part of a sale
        if event.command_name in _OF_A_SALE and threading.current_thread() is threading.main_thread():
            kept = {name: value for name, value in event.command.items() if name not in _OF_THE_DRIVER}
            self.statements.append(_replaced(kept, lambda value: value))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """See CommandListener."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """See CommandListener."""


def record_sale(env: Mapping[str, str], slot_id: UUID, unit_id: UUID) -> MongoSale:
    """See `benchmarks.recording.record_sale`."""
    return template(*recorded(env, slot_id, unit_id), slot_id)


def template(first: Sequence[Command], second: Sequence[Command], slot_id: UUID) -> MongoSale:
    """The commands of `first` with a place wherever `second` has another value.

    Raises ValueError when the two are not the same commands.
    """
    places: dict[Any, Fresh] = {}

    def place(value: Any, other: Any) -> Any:
        if isinstance(value, Mapping) and isinstance(other, Mapping) and list(value) == list(other):
            return {name: place(each, other[name]) for name, each in value.items()}
        if isinstance(value, list) and isinstance(other, list) and len(value) == len(other):
            return [place(*pair) for pair in zip(value, other, strict=True)]
        if isinstance(value, Mapping | list) or isinstance(other, Mapping | list):
            raise ValueError("two sales sent different commands")
        if value == slot_id:
            return TheSlot
        if value == other or not isinstance(value, str | bytes | UUID):
            return value
        plain = value.bytes if isinstance(value, UUID) else value
        return places.setdefault(value, Fresh(len(places), kind_of_value(plain), value))

    if len(first) != len(second):
        raise ValueError("two sales sent different commands")
    statements = tuple(place(*pair) for pair in zip(first, second, strict=True))
    return MongoSale(statements, tuple(places.values()))


def _replaced(value: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of a document, each value in it as `change` has it."""
    if isinstance(value, Mapping):
        return {name: _replaced(each, change) for name, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, change) for each in value]
    return change(value)


def _filled(value: Any, made: Sequence[Any], slot_id: UUID) -> Any:
    return made[value.number] if value.__class__ is Fresh else slot_id if value is TheSlot else value


def _like(model: Any, made: Any) -> Any:
    return UUID(bytes=made) if isinstance(model, UUID) else made
