"""What the worker does: a handler for each kind of task, and the jobs of its timetable."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from admin_service.actions import duplicates, mailing, media, poi_imports, privacy, upkeep
from admin_service.actions.mailing import SendLink
from admin_service.actions.ports import Ports
from admin_service.actions.system import ModeWatch
from admin_service.clients.port import StorageUnavailable, TicketingUnavailable
from admin_service.domain.audit import Origin
from admin_service.domain.modes import Mode
from admin_service.metrics import AdminMetrics
from admin_service.schemas.poi_imports import read_row
from common.backups.schedule import Schedule
from common.mail.port import MailUnavailable
from common.outbox.loop import Handler, Job, Pace, Worker
from common.outbox.payload import id_of, text_of
from common.outbox.port import Permanent, Task
from common.outbox.running import worker_name

DEPENDENCIES_AWAY = (MailUnavailable, StorageUnavailable, TicketingUnavailable)


def build_worker(
    ports: Ports,
    metrics: AdminMetrics | None = None,
    *,
    owner: str | None = None,
    pace: Pace | None = None,
    backups: Schedule | None = None,
) -> Worker:
    """The worker over `ports`; `owner` names it among others. `metrics` are told how it does;
    `backups` are made where there is a repository for them."""
    timetable, watch = jobs(ports), ModeWatch()
    if metrics is not None:
        timetable = (*timetable, *watching(ports, metrics))
    if backups is not None:
        timetable = (*timetable, Job("backups", 5, backups.look))
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

    def sessions() -> None:
        metrics.sessions(ports.store.sessions.active(ports.clock()))

    def pois() -> None:
        metrics.pois(ports.store.pois.counts())

    return (
        Job("outbox-depth", 2, outbox),
        Job("sessions", 15, sessions),
        Job("poi-counts", 30, pois),
    )


def handlers(ports: Ports) -> Mapping[str, Handler]:
    """What is done for each kind of task."""
    return {
        "mail": lambda task: _mail(task, ports),
        privacy.ERASURE: lambda task: _erasure(task, ports),
        "media-delete": lambda task: media.delete_bytes(id_of(task, "mediaId"), ports),
        "poi-duplicates": lambda task: _compared(task, ports),
        "poi-import": lambda task: poi_imports.work_off(id_of(task, "importId"), read_row, ports),
    }


def _erasure(task: Task, ports: Ports) -> None:
    # whoever asked for it; not from where, as the worker is somewhere else
    origin = Origin(actor=text_of(task, "actor"))
    privacy.finish_erasure(text_of(task, "email"), origin, ports)


def _compared(task: Task, ports: Ports) -> None:
    try:
        poi_ids = [UUID(each) for each in task.payload["poiIds"]]
    except (KeyError, TypeError, ValueError) as error:
        raise Permanent("the task has no ids of points of interest") from error
    duplicates.look_for_duplicates(poi_ids, ports)


def jobs(ports: Ports) -> tuple[Job, ...]:
    """What is done again and again, in seconds."""
    return (
        Job("purge", 60, lambda: upkeep.purge(ports)),
        Job("broken-off-imports", 600, lambda: poi_imports.forget_broken_off(ports)),
        Job("unfinished-media", 300, lambda: media.give_up_unfinished(ports)),
        Job("storage-ping", 60, ports.storage.ping),
    )


def _mail(task: Task, ports: Ports) -> None:
    purpose = text_of(task, "template")
    if purpose not in ("invite", "reset"):
        raise Permanent(f"there is no such template: {purpose}")
    command = SendLink(
        id=task.id,
        purpose="invite" if purpose == "invite" else "reset",
        user_id=id_of(task, "userId") if "userId" in task.payload else None,
        email=text_of(task, "email") if "email" in task.payload else None,
        written_at=task.created_at,
    )
    mailing.send_link(command, ports)
