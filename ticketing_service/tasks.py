"""What the worker does: a handler for each kind of task, and the jobs of its timetable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from common.mail.port import MailUnavailable
from common.outbox.loop import Handler, Job, Pace, Worker
from common.outbox.payload import id_of, text_of
from common.outbox.port import Permanent
from common.outbox.running import worker_name
from ticketing_service.actions import delivery, settlement, slot_cancellation, upkeep, webhook_delivery
from ticketing_service.actions.ports import Ports
from ticketing_service.clients.port import DirectoryUnavailable, PaymentUnavailable
from ticketing_service.documents.mail_texts import Template
from ticketing_service.domain.platform import Mode
from ticketing_service.metrics import TicketingMetrics
from ticketing_service.schemas.octo.webhooks import update_body
from ticketing_service.storage.ports.outbox import Task

POI_COPY = "poi-copy"
DEPENDENCIES_AWAY = (PaymentUnavailable, MailUnavailable, DirectoryUnavailable)


def build_worker(
    ports: Ports,
    metrics: TicketingMetrics | None = None,
    *,
    owner: str | None = None,
    pace: Pace | None = None,
) -> Worker:
    """The worker over `ports`; `owner` names it among others. `metrics` are told how it does."""
    dispatcher = webhook_delivery.Dispatcher(ports, update_body)
    timetable = jobs(ports, dispatcher)
    if metrics is not None:
        timetable = (*map(partial(_told, ports, metrics), timetable), *watching(ports, metrics))
    return Worker(
        ports.store.outbox,
        handlers(ports),
        timetable,
        ports.clock,
        owner or worker_name(),
        transient=DEPENDENCIES_AWAY,
        pace=pace,
        watcher=metrics,
        paused=lambda: ports.followed.platform.mode is Mode.READ_ONLY,
        closing=dispatcher.close,
    )


def watching(ports: Ports, metrics: TicketingMetrics) -> tuple[Job, ...]:
    """The jobs that only measure."""

    def outbox() -> None:
        metrics.outbox(*ports.store.outbox.depth(ports.clock()))

    check = upkeep.CounterCheck()

    def counters() -> None:
        drifted = check.go_on(ports)
        if drifted is not None:
            metrics.counters_checked(drifted)

    def webhooks() -> None:
        metrics.webhooks(ports.store.webhooks.backlog(ports.clock()))

    return (
        Job("outbox-depth", 2, outbox),
        Job("webhooks-backlog", 10, webhooks),
        Job("counters", 10, counters),
    )


def _told(ports: Ports, metrics: TicketingMetrics, job: Job) -> Job:
    """`job`; that of the POIs says how old our copy is, too."""
    if job.name != POI_COPY:
        return job

    def pull() -> None:
        job.run()
        metrics.poi_copy_current(ports.clock())

    return replace(job, run=pull)


def handlers(ports: Ports) -> Mapping[str, Handler]:
    """What is done for each kind of task."""
    return {
        "capture": lambda task: settlement.capture(id_of(task, "paymentId"), ports),
        "void": lambda task: settlement.void(id_of(task, "paymentId"), ports),
        "refund": lambda task: settlement.refund(id_of(task, "refundId"), ports),
        "document": lambda task: delivery.make_document(id_of(task, "bookingId"), ports),
        "mail": lambda task: _mail(task, ports),
        slot_cancellation.KIND: lambda task: _slot_cancelled(task, ports),
    }


def jobs(ports: Ports, dispatcher: webhook_delivery.Dispatcher) -> tuple[Job, ...]:
    """What is done again and again, in seconds."""
    copy = upkeep.PoiCopy()
    return (
        Job("expiry", 1, partial(upkeep.expire_holds, ports)),
        Job("reconciliation", 2, partial(settlement.reconcile, ports)),
        Job(POI_COPY, 2, partial(copy.pull, ports)),
        Job("no-shows", 60, partial(upkeep.mark_no_shows, ports)),
        Job("purge", 60, partial(upkeep.purge, ports)),
        Job("webhooks", 0.5, dispatcher.run),
        Job("webhooks-tidied", 60, partial(webhook_delivery.tidy_up, ports)),
        Job("schedules", 3600, partial(upkeep.extend_schedules, ports)),
    )


def _mail(task: Task, ports: Ports) -> None:
    payload = task.payload
    try:
        template = Template(payload.get("template", ""))
    except ValueError as error:
        raise Permanent(f"there is no such template: {payload.get('template')}") from error
    if template is Template.LOOKUP:
        links = delivery.SendLinks(
            id=task.id,
            written_at=task.created_at,
            email=text_of(task, "email"),
            language=text_of(task, "language"),
            reference=payload.get("reference"),
        )
        delivery.send_links(links, ports)
        return
    mail = delivery.SendMail(
        id=task.id,
        written_at=task.created_at,
        template=template,
        booking_id=id_of(task, "bookingId"),
        amount=int(payload.get("amount", payload.get("refund", 0))),
        reason=str(payload.get("reason", "")),
        # The first attempt leaves the document to its own task, which was added in the same commit.
        may_wait=task.attempts <= 1,
    )
    delivery.send_mail(mail, ports)


def _slot_cancelled(task: Task, ports: Ports) -> None:
    command = slot_cancellation.CancelBookingsOnSlot(
        slot_id=id_of(task, "slotId"),
        reason=text_of(task, "reason"),
        actor=text_of(task, "actor"),
        after=id_of(task, "after") if task.payload.get("after") else None,
    )
    slot_cancellation.cancel_bookings_on_slot(command, ports)
