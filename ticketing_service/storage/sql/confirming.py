"""What makes a booking good: it is confirmed, paid, issued and used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select, update

from common.database.prepared import Prepared, Target
from ticketing_service.domain.bookings import (
    Booking,
    BookingStatus,
    PaymentStatus,
    derived_status,
)
from ticketing_service.storage.ports.calls import Issue
from ticketing_service.storage.records.bookings import (
    confirmed,
    is_confirmed,
    tasks_of_sale,
    with_statuses,
)
from ticketing_service.storage.records.entries import sales_entries
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.admissions import add_admissions
from ticketing_service.storage.sql.booking_records import locked_booking
from ticketing_service.storage.sql.endings import note
from ticketing_service.storage.sql.ledger import add_entries
from ticketing_service.storage.sql.outbox import add_tasks
from ticketing_service.storage.sql.webhook_events import tell_booking

_bookings, _units = schema.bookings, schema.unit_items
_is_unit = _units.c.id == bindparam("unit")
_is_booking = _bookings.c.id == bindparam("booking")
_SET_STATUS = Prepared(update(_units).where(_is_unit).values(status=bindparam("to_status")))
_SET_ALL = Prepared(
    update(_units).where(_units.c.booking_id == bindparam("booking")).values(status=bindparam("to_status"))
)
_SET_ADMISSION = Prepared(update(_units).where(_is_unit).values(admission_id=bindparam("admission")))
_SET_UNTIL = Prepared(update(_bookings).where(_is_booking).values(admits_until=bindparam("until")))
_SET_THE_BOOKING = update(_bookings).values(
    {name: bindparam(f"to_{name}") for name in ("status", "payment_status", "version", "updated_at")}
)
_SET_BOOKING = Prepared(_SET_THE_BOOKING.where(_is_booking))
_SET_UNCHANGED_BOOKING = Prepared(
    _SET_THE_BOOKING.where(_is_booking, _bookings.c.version == bindparam("from_version"))
)


def confirm(
    connection: Connection,
    booking: Booking,
    payment_status: PaymentStatus,
    issue: Issue | None,
    actor: str,
    reason: str,
    now: datetime,
) -> Booking:
    """The places are the customer's. With `issue` (nothing is to be captured any more) admissions and mail
    follow.

    The caller settles the counters, as the last thing: their rows are the ones that all sales want.
    """
    after = confirmed(booking, payment_status, now)
    set_booking(connection, after)
    return write_confirmation(connection, booking, after, issue, actor, reason, now)


def write_confirmation(
    target: Target,
    before: Booking,
    after: Booking,
    issue: Issue | None,
    actor: str,
    reason: str,
    now: datetime,
) -> Booking:
    """`confirm` without the row of the booking itself."""
    _SET_ALL.run_all(target, [{"booking": after.id, "to_status": BookingStatus.CONFIRMED.value}])
    note(target, before, BookingStatus.CONFIRMED, actor, reason, now)
    # a hold has its places already
    tell_booking(target, after, now, places=before.status is BookingStatus.EXPIRED)
    return after if issue is None else admit(target, after, issue, now)


def admit(target: Target, booking: Booking, issue: Issue, now: datetime) -> Booking:
    """Admissions, ledger, document and mail of a paid booking; for the units that were not cancelled
    meanwhile.
    """
    admissions = [a for a in issue(booking) if is_confirmed(booking, a.unit_item_id)]
    add_entries(target, sales_entries(booking, now))
    if not admissions:
        return booking
    add_admissions(target, admissions)
    _SET_ADMISSION.run_all(target, ({"unit": each.unit_item_id, "admission": each.id} for each in admissions))
    until = max(each.valid_until for each in admissions)
    _SET_UNTIL.run_all(target, [{"booking": booking.id, "until": until}])
    add_tasks(target, tasks_of_sale(booking), now)
    by_unit = {each.unit_item_id: each.id for each in admissions}
    items = tuple(
        replace(
            item, units=tuple(replace(u, admission_id=by_unit.get(u.id, u.admission_id)) for u in item.units)
        )
        for item in booking.items
    )
    return replace(booking, items=items)


def mark_used(
    connection: Connection,
    booking: Booking,
    unit_ids: Sequence[UUID],
    status: BookingStatus,
    actor: str,
    reason: str,
    now: datetime,
) -> Booking:
    """Unit items become redeemed or no_show, and the booking what follows from that."""
    _SET_STATUS.run_all(connection, ({"unit": unit_id, "to_status": status.value} for unit_id in unit_ids))
    changed = with_statuses(booking, dict.fromkeys(unit_ids, status))
    changed = replace(
        changed,
        status=derived_status(unit.status for unit in changed.unit_items),
        version=booking.version + 1,
        updated_at=now,
    )
    set_booking(connection, changed)
    set_admits_until(connection, booking.id)
    note(
        connection,
        booking,
        changed.status,
        actor,
        f"{reason} ({len(unit_ids)} of {len(booking.unit_items)})",
        now,
    )
    tell_booking(connection, changed, now)
    return changed


def mark_no_show(connection: Connection, booking_id: UUID, now: datetime) -> None:
    """What of the booking was not used when its last admission ended is a no-show."""
    booking = locked_booking(connection, booking_id)
    unused = [unit.id for unit in booking.unit_items if unit.status is BookingStatus.CONFIRMED]
    _SET_UNTIL.run(connection, booking=booking_id, until=None)
    if unused:
        mark_used(
            connection, booking, unused, BookingStatus.NO_SHOW, "system", "the admission ended unused", now
        )


def unit_redeemed(connection: Connection, unit_item_id: UUID, now: datetime, actor: str) -> None:
    """The first entry of a unit item: it is redeemed, and with the last one its booking."""
    booking_id = connection.scalars(select(_units.c.booking_id).where(_units.c.id == unit_item_id)).one()
    booking = locked_booking(connection, booking_id)
    mark_used(connection, booking, [unit_item_id], BookingStatus.REDEEMED, actor, "admitted", now)


def set_booking(connection: Connection, booking: Booking) -> None:
    """Write what changes in a booking's life: status, payment status, version."""
    _SET_BOOKING.run(connection, **_life_of(booking))


def set_if_unchanged(connection: Connection, booking: Booking, version: int) -> bool:
    """`set_booking` if nobody else has changed it since `version`; whether that is so."""
    return _SET_UNCHANGED_BOOKING.run(connection, from_version=version, **_life_of(booking)) == 1


def _life_of(booking: Booking) -> dict[str, Any]:
    return {
        "booking": booking.id,
        "to_status": booking.status.value,
        "to_payment_status": booking.payment_status.value,
        "to_version": booking.version,
        "to_updated_at": booking.updated_at,
    }


def set_admits_until(connection: Connection, booking_id: UUID) -> None:
    """When the no-show sweep is to look at the booking: at the end of its last admission that is still
    unused.
    """
    admissions = schema.admissions
    until = (
        select(func.max(admissions.c.valid_until))
        .join(_units, _units.c.admission_id == admissions.c.id)
        .where(admissions.c.booking_id == booking_id, _units.c.status == BookingStatus.CONFIRMED.value)
        .scalar_subquery()
    )
    connection.execute(update(_bookings).where(_bookings.c.id == booking_id).values(admits_until=until))
