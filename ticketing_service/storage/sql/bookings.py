"""The life of a booking: each verb decides and writes in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update

from common.database.engine import Database
from common.database.failures import DATABASE_ERRORS, is_duplicate
from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.bookings import (
    Booking,
    BookingStatus,
)
from ticketing_service.domain.claims import (
    GuestLimits,
)
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.history import HistoryRow
from ticketing_service.domain.orders import HoldOrder, Offer
from ticketing_service.domain.references import new_reference
from ticketing_service.domain.states import require_held
from ticketing_service.storage.foresight import KnownOffers
from ticketing_service.storage.ports.bookings import Amendment, BookingQuery, Cancellation, Course
from ticketing_service.storage.ports.calls import Issue, Plan, Pricing
from ticketing_service.storage.records.bookings import booked, tasks_of_change
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.booking_lists import booking_page
from ticketing_service.storage.sql.booking_records import (
    booking_in,
    booking_row,
    bookings_of,
    locked_booking,
    resold_booking_in,
    resold_id_in,
)
from ticketing_service.storage.sql.cancelling import cancel_units
from ticketing_service.storage.sql.confirming import mark_no_show
from ticketing_service.storage.sql.counters import prolong
from ticketing_service.storage.sql.courses import courses_in, histories_in
from ticketing_service.storage.sql.endings import (
    expire,
    note,
)
from ticketing_service.storage.sql.exchanging import exchange_sold
from ticketing_service.storage.sql.free_sales import FreeSale
from ticketing_service.storage.sql.holding import exchange_items, foresee_hold, hold_places
from ticketing_service.storage.sql.outbox import add_tasks
from ticketing_service.storage.sql.webhook_events import tell_booking
from ticketing_service.storage.sql.writing import Writer

_bookings, _units = schema.bookings, schema.unit_items


class SqlBookings:
    """`storage.ports.bookings.BookingStore` on SQL."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._write = writer
        self._known = KnownOffers()

    def hold(
        self,
        order: HoldOrder,
        price: Pricing,
        limits: GuestLimits,
        expires_at: datetime,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Booking:
        foreseen = self._known.foresee(
            order, lambda offers: booked(order, price(offers, None), None, expires_at, now), idempotency
        )
        ready = None if foreseen is None else foresee_hold(foreseen, order, limits, now, self._write.script())
        seen: dict[UUID, Offer] = {}
        verb = partial(
            hold_places,
            order=order,
            price=price,
            limits=limits,
            expires_at=expires_at,
            now=now,
            foreseen=ready,
            seen=seen,
        )
        try:
            booking = self._write(verb, idempotency if foreseen is None else foreseen.idempotency)
        except DATABASE_ERRORS as error:
            if is_duplicate(error, "resale_uuid"):
                raise Refused(Code.RESALE_UUID_TAKEN) from error
            if not is_duplicate(error, "reference"):
                raise
            again = replace(order, reference=new_reference())
            return self.hold(again, price, limits, expires_at, now, idempotency=idempotency)
        self._known.remember(seen.values())
        return booking

    def get(self, booking_id: UUID) -> Booking | None:
        with self._database.read() as connection:
            return booking_in(connection, booking_id)

    def by_reference(self, reference: str) -> Booking | None:
        with self._database.read() as connection:
            rows = connection.execute(select(_bookings).where(_bookings.c.reference == reference)).all()
            return next(iter(bookings_of(connection, rows)), None)

    def by_resale_uuid(self, reseller_id: UUID, uuid: UUID, *, is_test: bool) -> Booking | None:
        with self._database.read() as connection:
            return resold_booking_in(connection, reseller_id, uuid, is_test=is_test)

    def resold_id(self, reseller_id: UUID, uuid: UUID, *, is_test: bool) -> UUID | None:
        with self._database.read() as connection:
            return resold_id_in(connection, reseller_id, uuid, is_test=is_test)

    def courses(self, bookings: Sequence[Booking]) -> dict[UUID, Course]:
        with self._database.read() as connection:
            return courses_in(connection, bookings, self._known)

    def by_email(self, email: str, limit: int) -> tuple[Booking, ...]:
        statement = (
            select(_bookings)
            .where(
                _bookings.c.customer_email_key == email.strip().casefold(),
                _bookings.c.status != BookingStatus.EXPIRED.value,
                _bookings.c.is_test.is_(False),
            )
            .order_by(_bookings.c.id.desc())
            .limit(limit)
        )
        with self._database.read() as connection:
            return tuple(bookings_of(connection, connection.execute(statement).all()))

    def search(self, query: BookingQuery) -> Page[Booking]:
        with self._database.read() as connection:
            return booking_page(connection, query)

    def history(self, booking_id: UUID) -> tuple[HistoryRow, ...]:
        with self._database.read() as connection:
            return histories_in(connection, [booking_id])[booking_id]

    def amend(
        self,
        booking_id: UUID,
        amendment: Amendment,
        price: Pricing,
        actor: str,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Booking:
        def verb(connection: Connection) -> Booking:
            booking = locked_booking(connection, booking_id)
            amended = replace(amendment.of(booking), version=booking.version + 1, updated_at=now)
            if amendment.exchanges(booking):
                amended = exchange_sold(connection, booking, amended, amendment, price, now)
            elif amendment.items is not None:
                require_held(booking, now)
                amended = exchange_items(connection, booking, amended, amendment.items, price, now)
            _update_booking(connection, amended)
            if booking.status is not BookingStatus.ON_HOLD:
                add_tasks(connection, tasks_of_change(amended, amendment), now)
            note(connection, booking, booking.status, actor, "changed", now)
            tell_booking(connection, amended, now, places=amendment.items is not None, before=booking)
            return amended

        return self._write(verb, idempotency)

    def confirm_free(
        self,
        booking_id: UUID,
        issue: Issue,
        actor: str,
        now: datetime,
        *,
        amendment: Amendment | None = None,
        idempotency: Idempotency | None = None,
    ) -> Booking:
        sale = FreeSale(booking_id, issue, actor, now, amendment)
        foreseen = None
        if self._database.takes_turns:
            with self._database.read() as connection:
                foreseen = sale.foresee(connection, self._write.script())
        return self._write(partial(sale.verb, foreseen=foreseen), idempotency)

    def extend(
        self,
        booking_id: UUID,
        expires_at: Callable[[Booking], datetime],
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Booking:
        def verb(connection: Connection) -> Booking:
            booking = locked_booking(connection, booking_id)
            require_held(booking, now)
            extended = replace(
                booking,
                expires_at=expires_at(booking),
                extensions=booking.extensions + 1,
                version=booking.version + 1,
                updated_at=now,
            )
            _update_booking(connection, extended)
            prolong(connection, booking.id, extended.expires_at)
            tell_booking(connection, extended, now)
            return extended

        return self._write(verb, idempotency)

    def cancel(
        self,
        booking_id: UUID,
        plan: Plan,
        cancellation: Cancellation,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Booking:
        def verb(connection: Connection) -> Booking:
            booking = locked_booking(connection, booking_id)
            if booking.status is BookingStatus.CANCELLED:
                return booking
            if booking.status is BookingStatus.EXPIRED:
                raise Refused(Code.BOOKING_EXPIRED)
            mail = "slot_cancelled" if cancellation.by_destination else "cancelled"
            return cancel_units(connection, booking, plan(booking), cancellation, now, mail)

        return self._write(verb, idempotency)

    def expire_due(self, now: datetime, limit: int) -> int:
        due = (
            select(_bookings.c.id)
            .where(_bookings.c.status == BookingStatus.ON_HOLD.value, _bookings.c.expires_at <= now)
            .order_by(_bookings.c.expires_at)
            .limit(limit)
        )
        with self._database.read() as connection:
            candidates = list(connection.scalars(due))
        return self._write(lambda connection: expire(connection, candidates, now)) if candidates else 0

    def mark_no_shows(self, now: datetime, limit: int) -> int:
        due = select(_bookings.c.id).where(_bookings.c.admits_until <= now).limit(limit)
        with self._database.read() as connection:
            candidates = list(connection.scalars(due))
        for booking_id in candidates:
            self._write(partial(mark_no_show, booking_id=booking_id, now=now))
        return len(candidates)


def _update_booking(connection: Connection, booking: Booking) -> None:
    row: dict[str, Any] = booking_row(booking)
    for kept in ("id", "admits_until", "created_at"):
        del row[kept]
    connection.execute(update(_bookings).where(_bookings.c.id == booking.id).values(row))
