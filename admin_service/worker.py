"""The worker process: carries out the outbox, and what time brings about. Of several one is active."""

from __future__ import annotations

from admin_service.tasks import build_worker
from admin_service.wiring import backup_schedule, run_worker
from common.monitoring import logs
from common.monitoring.memory import announce_worker
from common.outbox.running import hold_signals, run_until_signalled, share_one_heap
from common.settings import load_or_exit


def main() -> None:
    """Work until SIGTERM or SIGINT."""
    share_one_heap()
    hold_signals()
    settings = load_or_exit("admin")
    logs.install("admin-worker", settings.log_level)
    running = run_worker(settings)
    announce_worker(running.parts.coordination)
    schedule = backup_schedule(settings, running)
    try:
        for repeated in running.beside:
            repeated.start()
        run_until_signalled(build_worker(running.ports, running.metrics, backups=schedule), "admin")
    finally:
        if schedule is not None:
            schedule.stop()
        for repeated in running.beside:
            repeated.stop()
        running.close()


if __name__ == "__main__":
    main()
