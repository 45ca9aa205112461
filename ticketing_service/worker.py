"""The worker process: carries out the outbox, and what time brings about. Of several one is active."""

from __future__ import annotations

import logging
import signal
import threading

from common.monitoring import logs
from common.outbox.loop import Worker
from common.settings import load_or_exit
from ticketing_service.tasks import build_worker
from ticketing_service.wiring import run_worker

log = logging.getLogger(__name__)

SIGNALS = (signal.SIGTERM, signal.SIGINT)
LOOK_SECONDS = 0.1


def main() -> None:
    """Work until SIGTERM or SIGINT."""
    # Blocked before any thread exists, so that the signals wait to be seen below.
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    settings = load_or_exit("ticketing")
    logs.install("ticketing-worker", settings.log_level)
    running = run_worker(settings)
    try:
        run_until_signalled(build_worker(running.ports, running.metrics))
    finally:
        running.close()


def run_until_signalled(worker: Worker) -> None:
    """Run `worker` in a thread of its own; a signal stops it after what it has begun."""
    thread = threading.Thread(target=worker.run, name="loop")
    thread.start()
    log.info("ticketing worker started")
    # Not `sigtimedwait`: continued after a stop (SIGSTOP, a frozen container) it tells of a signal that never
    # came, and the worker would end.
    while thread.is_alive() and signal.sigpending().isdisjoint(SIGNALS):
        thread.join(LOOK_SECONDS)
    worker.stop()
    thread.join()
    log.info("ticketing worker stopped")


if __name__ == "__main__":
    main()
