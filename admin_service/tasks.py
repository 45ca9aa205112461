"""What the worker does: a handler for each kind of task, and the jobs of its timetable."""

from __future__ import annotations

from collections.abc import Mapping

from admin_service.actions import media, upkeep
from admin_service.actions.ports import Ports
from admin_service.actions.system import ModeWatch
from admin_service.clients.port import StorageUnavailable, TicketingUnavailable
from admin_service.domain.modes import Mode
from admin_service.metrics import AdminMetrics
from common.mail.port import MailUnavailable
from common.outbox.loop import Handler, Job, Pace, Worker
from common.outbox.payload import id_of
from common.outbox.running import worker_name

DEPENDENCIES_AWAY = (MailUnavailable, StorageUnavailable, TicketingUnavailable)


def build_worker(
    ports: Ports,
    metrics: AdminMetrics | None = None,
    *,
    owner: str | None = None,
    pace: Pace | None = None,
) -> Worker:
    """The worker over `ports`; `owner` names it among others. `metrics` are told how it does."""
    timetable, watch = jobs(ports), ModeWatch()
    if metrics is not None:
        timetable = (*timetable, *watching(ports, metrics))
    return Worker(
        ports.store.outbox,
        handlers(ports),
        timetable,
        ports.clock,
        owner or worker_name(),
        transient=DEPENDENCIES_AWAY,
        pace=pace,
        watcher=metrics,
        paused=lambda: watch.mode(ports) is Mode.READ_ONLY,
    )


def watching(ports: Ports, metrics: AdminMetrics) -> tuple[Job, ...]:
    """The jobs that only measure."""

    def outbox() -> None:
        metrics.outbox(*ports.store.outbox.depth(ports.clock()))

    return (Job("outbox-depth", 2, outbox),)


def handlers(ports: Ports) -> Mapping[str, Handler]:
    """What is done for each kind of task."""
    return {"media-delete": lambda task: media.delete_bytes(id_of(task, "mediaId"), ports)}


def jobs(ports: Ports) -> tuple[Job, ...]:
    """What is done again and again, in seconds."""
    return (
        Job("purge", 60, lambda: upkeep.purge(ports)),
        Job("unfinished-media", 300, lambda: media.give_up_unfinished(ports)),
        Job("storage-ping", 60, ports.storage.ping),
    )
