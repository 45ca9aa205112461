"""A process that sends webhooks until it is killed: `python -m tests.worker.dispatching URL FOLDER`."""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from pathlib import Path

from common.clock import system_clock
from tests.worker.hooks import NOWHERE
from tests.worker.shop import ports_of
from ticketing_service.actions.webhook_delivery import Dispatcher
from ticketing_service.schemas.octo.webhooks import update_body
from ticketing_service.storage.opening import open_store

LEASE = timedelta(seconds=1)


def main(url: str, folder: str) -> None:
    """Send, for ever."""
    store = open_store(url, threads=2)
    ports = ports_of(store, Path(folder), NOWHERE, "smtp://127.0.0.1:9", system_clock)
    dispatcher = Dispatcher(ports, update_body, lease=LEASE)
    while True:
        dispatcher.run()
        time.sleep(0.05)


if __name__ == "__main__":
    main(*sys.argv[1:])
