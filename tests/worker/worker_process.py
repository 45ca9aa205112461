"""A worker on its own, to be killed: the real handlers, and a payment module that may end the process.

Arguments: store URL, folder, payment module's URL, mail server's URL, when the clock began, and the verb
after whose answer the process dies as if by power failure (or `none`).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.contract.builders import NOW
from tests.sandbox.running import TOKEN
from tests.worker.shop import QUICK, clock_from, ports_of
from ticketing_service.clients.payment_module import HttpPaymentModule
from ticketing_service.storage.sql.store import open_store
from ticketing_service.tasks import build_worker


class Deadly(HttpPaymentModule):
    """Dies between the module's answer and anything that could be done with it."""

    verb = "none"

    def capture(self, provider_id: str, key: str) -> None:
        super().capture(provider_id, key)
        self._die("capture")

    def refund(self, provider_id: str, amount: int, reason: str, key: str) -> str:
        refund_id = super().refund(provider_id, amount, reason, key)
        self._die("refund")
        return refund_id

    def _die(self, verb: str) -> None:
        if self.verb == verb:
            os.kill(os.getpid(), signal.SIGKILL)


def main(store_url: str, folder: str, payment_url: str, smtp_url: str, began: str, verb: str) -> None:
    store = open_store(store_url)
    ports = ports_of(store, Path(folder), payment_url, smtp_url, clock_from(NOW, float(began)))
    module = Deadly(payment_url, TOKEN)
    module.verb = verb
    worker = build_worker(replace(ports, payment_module=module), pace=QUICK)
    ended: Any = threading.Thread(target=worker.run)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    ended.start()
    signal.sigwait({signal.SIGTERM})
    worker.stop()
    ended.join()
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
