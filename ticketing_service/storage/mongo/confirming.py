"""What makes a booking good: it is confirmed, paid, issued and used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from common.mongo.transaction import Transaction
from ticketing_service.domain.bookings import Booking, BookingStatus, PaymentStatus, derived_status
from ticketing_service.storage.mongo.admissions import add_admissions
from ticketing_service.storage.mongo.booking_file import BookingFile, opened, opened_by, save
from ticketing_service.storage.mongo.ledger import add_entries
from ticketing_service.storage.mongo.outbox import add_tasks
from ticketing_service.storage.ports.calls import Issue
from ticketing_service.storage.records.bookings import confirmed, is_confirmed, tasks_of_sale, with_statuses
from ticketing_service.storage.records.entries import sales_entries


def confirm(
    tx: Transaction,
    file: BookingFile,
    payment_status: PaymentStatus,
    issue: Issue | None,
    actor: str,
    reason: str,
    now: datetime,
) -> Booking:
    """The places are the customer's. With `issue` (nothing is to be captured any more) admissions and mail
    follow. The caller settles the counters and saves the file.
    """
    before = file.booking
    file.keep(confirmed(before, payment_status, now))
    file.note(before.status, BookingStatus.CONFIRMED, actor, reason, now)
    return file.booking if issue is None else admit(tx, file, issue, now)


def admit(tx: Transaction, file: BookingFile, issue: Issue, now: datetime) -> Booking:
    """Admissions, ledger, document and mail of a paid booking; for the units that were not cancelled
    meanwhile.
    """
    booking = file.booking
    admissions = [each for each in issue(booking) if is_confirmed(booking, each.unit_item_id)]
    add_entries(tx, sales_entries(booking, now))
    if not admissions:
        return booking
    add_admissions(tx, admissions)
    for each in admissions:
        file.admitted(each.unit_item_id, each.id, each.valid_until)
    add_tasks(tx, tasks_of_sale(booking), now)
    return file.booking


def mark_used(
    file: BookingFile,
    unit_ids: Sequence[UUID],
    status: BookingStatus,
    actor: str,
    reason: str,
    now: datetime,
) -> None:
    """Unit items become redeemed or no_show, and the booking what follows from that."""
    before = file.booking
    changed = with_statuses(before, dict.fromkeys(unit_ids, status))
    changed = replace(
        changed,
        status=derived_status(unit.status for unit in changed.unit_items),
        version=before.version + 1,
        updated_at=now,
    )
    file.keep(changed)
    part = f"{reason} ({len(unit_ids)} of {len(before.unit_items)})"
    file.note(before.status, changed.status, actor, part, now)


def mark_no_show(tx: Transaction, booking_id: UUID, now: datetime) -> None:
    """What of the booking was not used when its last admission ended is a no-show."""
    file = opened(tx, booking_id)
    unused = [unit.id for unit in file.booking.unit_items if unit.status is BookingStatus.CONFIRMED]
    if unused:
        mark_used(file, unused, BookingStatus.NO_SHOW, "system", "the admission ended unused", now)
        save(tx, [file])


def unit_redeemed(tx: Transaction, booking_id: UUID, unit_item_id: UUID, now: datetime, actor: str) -> None:
    """The first entry of a unit item: it is redeemed, and with the last one its booking."""
    file = opened_by(tx, {"_id": booking_id})
    if file is None:
        raise LookupError("an admission without its booking")
    mark_used(file, [unit_item_id], BookingStatus.REDEEMED, actor, "admitted", now)
    save(tx, [file])
