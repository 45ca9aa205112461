"""What the driver tells of its commands and connections, for the metrics."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
    ConnectionCheckedInEvent,
    ConnectionCheckedOutEvent,
    ConnectionCheckOutFailedEvent,
    ConnectionCheckOutStartedEvent,
    ConnectionClosedEvent,
    ConnectionCreatedEvent,
    ConnectionPoolListener,
    ConnectionReadyEvent,
    PoolClearedEvent,
    PoolClosedEvent,
    PoolCreatedEvent,
    PoolReadyEvent,
)

Heard = Callable[[str, float], None]
"""Is told of a command: `command.` and its name, and how many seconds it took. Raises nothing."""


class Commands(CommandListener):
    """Passes on how long each command took, failed ones too."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard

    def started(self, event: CommandStartedEvent) -> None:
        pass

    def succeeded(self, event: CommandSucceededEvent) -> None:
        self._heard(f"command.{event.command_name}", event.duration_micros / 1_000_000)

    def failed(self, event: CommandFailedEvent) -> None:
        self._heard(f"command.{event.command_name}", event.duration_micros / 1_000_000)


class Connections(ConnectionPoolListener):
    """Counts the connections that are at work. Safe for threads."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self.in_use = 0

    def connection_checked_out(self, event: ConnectionCheckedOutEvent) -> None:
        with self._mutex:
            self.in_use += 1

    def connection_checked_in(self, event: ConnectionCheckedInEvent) -> None:
        with self._mutex:
            self.in_use -= 1

    def pool_created(self, event: PoolCreatedEvent) -> None:
        pass

    def pool_ready(self, event: PoolReadyEvent) -> None:
        pass

    def pool_cleared(self, event: PoolClearedEvent) -> None:
        pass

    def pool_closed(self, event: PoolClosedEvent) -> None:
        pass

    def connection_created(self, event: ConnectionCreatedEvent) -> None:
        pass

    def connection_ready(self, event: ConnectionReadyEvent) -> None:
        pass

    def connection_closed(self, event: ConnectionClosedEvent) -> None:
        pass

    def connection_check_out_started(self, event: ConnectionCheckOutStartedEvent) -> None:
        pass

    def connection_check_out_failed(self, event: ConnectionCheckOutFailedEvent) -> None:
        pass
