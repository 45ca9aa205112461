"""The worker process: carries out the outbox, and what time brings about. Of several one is active."""

from __future__ import annotations

from common.monitoring import logs
from common.monitoring.memory import announce_worker
from common.outbox.running import hold_signals, run_until_signalled, share_one_heap
from common.settings import load_or_exit
from ticketing_service.tasks import build_worker
from ticketing_service.wiring import run_worker


def main() -> None:
    """Work until SIGTERM or SIGINT."""
    share_one_heap()
    hold_signals()
    settings = load_or_exit("ticketing")
    logs.install("ticketing-worker", settings.log_level)
    running = run_worker(settings)
    announce_worker(running.parts.coordination)
    try:
        for repeated in running.beside:
            repeated.start()
        run_until_signalled(build_worker(running.ports, running.metrics), "ticketing")
    finally:
        for repeated in running.beside:
            repeated.stop()
        running.close()


if __name__ == "__main__":
    main()
