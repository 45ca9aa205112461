"""The life of a booking: each verb decides and writes in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, select, update

from common.database.engine import Database
from common.database.failures import DATABASE_ERRORS, is_duplicate
from common.web.idempotency import Idempotency
from ticketing_service.domain.bookings import (
    Booking,
    BookingStatus,
    HistoryRow,
    PaymentStatus,
)
from ticketing_service.domain.catalogue import Page
from ticketing_service.domain.claims import (
    ClaimKind,
    GuestLimits,
    guest_claims,
    seat_claims,
    voucher_claims,
)
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.orders import HoldOrder, Offer
from ticketing_service.domain.references import new_reference
from ticketing_service.domain.states import require_held
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.storage.port import (
    Amendment,
    BookingQuery,
    Cancellation,
    Issue,
    Plan,
    Pricing,
)
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.booking_lists import booking_page
from ticketing_service.storage.sql.booking_records import (
    booking_in,
    booking_row,
    bookings_of,
    insert_booking,
    insert_items,
)
from ticketing_service.storage.sql.cancelling import cancel_units
from ticketing_service.storage.sql.confirming import confirm, mark_used
from ticketing_service.storage.sql.counters import give_back, prolong, settle, take
from ticketing_service.storage.sql.endings import (
    expire,
    expire_on_counter,
    void_open_payments,
    write_history,
)
from ticketing_service.storage.sql.outbox import add_task
from ticketing_service.storage.sql.slots import offers_in
from ticketing_service.storage.sql.vouchers import voucher_in
from ticketing_service.storage.sql.writing import Writer

_bookings, _units = schema.bookings, schema.unit_items


class SqlBookings:
    """`storage.port.BookingStore` on SQL."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._write = writer

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
        def verb(connection: Connection) -> Booking:
            offers = offers_in(connection, (item.slot_id for item in order.items), lock=True)
            voucher = _voucher(connection, order.voucher_code)
            booking = _priced(order, price, offers, voucher, expires_at, now)
            insert_booking(connection, booking)
            write_history(
                connection,
                [booking.id],
                now,
                actor=order.principal or "guest",
                from_status=None,
                to_status=booking.status.value,
                reason="held",
            )
            on_demand = [*voucher_claims(voucher, order.customer), *guest_claims(order, limits)]
            take(
                connection,
                booking.id,
                [*seat_claims(booking.items, offers), *(claim for claim, _ in on_demand)],
                expires_at,
                lambda counter_id: expire_on_counter(connection, counter_id, now),
                {counter.id: counter for _, counter in on_demand if counter.id != booking.voucher_id},
            )
            return booking

        try:
            return self._write(verb, idempotency)
        except DATABASE_ERRORS as error:
            if not is_duplicate(error, "reference"):
                raise
        again = replace(order, reference=new_reference())
        return self.hold(again, price, limits, expires_at, now, idempotency=idempotency)

    def get(self, booking_id: UUID) -> Booking | None:
        with self._database.read() as connection:
            return booking_in(connection, booking_id)

    def by_reference(self, reference: str) -> Booking | None:
        with self._database.read() as connection:
            rows = connection.execute(select(_bookings).where(_bookings.c.reference == reference)).all()
            return next(iter(bookings_of(connection, rows)), None)

    def by_email(self, email: str, limit: int) -> tuple[Booking, ...]:
        statement = (
            select(_bookings)
            .where(
                _bookings.c.customer_email_key == email.strip().casefold(),
                _bookings.c.status != BookingStatus.EXPIRED.value,
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
        table = schema.history
        statement = select(table).where(table.c.booking_id == booking_id).order_by(table.c.id)
        with self._database.read() as connection:
            return tuple(
                HistoryRow(
                    at=row.at,
                    actor=row.actor,
                    from_status=row.from_status,
                    to_status=row.to_status,
                    reason=row.reason,
                )
                for row in connection.execute(statement)
            )

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
            booking = _locked(connection, booking_id)
            amended = replace(
                booking,
                customer=amendment.customer or booking.customer,
                version=booking.version + 1,
                updated_at=now,
            )
            if amendment.items is not None:
                require_held(booking, now)
                offers = offers_in(connection, (item.slot_id for item in amendment.items), lock=True)
                priced = price(offers, _voucher(connection, booking.voucher_code))
                amended = replace(amended, items=priced.items, price=priced.price)
                self._exchange_items(connection, booking, amended, offers, now)
            _update_booking(connection, amended)
            if booking.status is not BookingStatus.ON_HOLD:
                add_task(connection, "document", {"bookingId": str(booking_id)}, now)
            _note(connection, booking, booking.status, actor, "changed", now)
            return amended

        return self._write(verb, idempotency)

    @staticmethod
    def _exchange_items(
        connection: Connection,
        booking: Booking,
        amended: Booking,
        offers: Mapping[UUID, Offer],
        now: datetime,
    ) -> None:
        """Give the old places back and take the new ones, all or nothing. An open payment of another amount
        is voided.
        """
        give_back(connection, [booking.id], [ClaimKind.SEAT])
        connection.execute(delete(_units).where(_units.c.booking_id == booking.id))
        connection.execute(
            delete(schema.booking_items).where(schema.booking_items.c.booking_id == booking.id)
        )
        insert_items(connection, amended)
        take(
            connection,
            booking.id,
            seat_claims(amended.items, offers),
            booking.expires_at,
            lambda counter_id: expire_on_counter(connection, counter_id, now),
        )
        if amended.price.total != booking.price.total:
            void_open_payments(connection, [booking.id], now)

    def confirm_free(
        self,
        booking_id: UUID,
        issue: Issue,
        actor: str,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Booking:
        def verb(connection: Connection) -> Booking:
            booking = _locked(connection, booking_id)
            if booking.status in (BookingStatus.CONFIRMED, BookingStatus.REDEEMED, BookingStatus.NO_SHOW):
                return booking
            require_held(booking, now)
            if booking.price.total > 0:
                raise Refused(Code.PAYMENT_REQUIRED)
            confirmed = confirm(connection, booking, PaymentStatus.NONE, issue, actor, "nothing to pay", now)
            settle(connection, booking.id)
            return confirmed

        return self._write(verb, idempotency)

    def extend(
        self,
        booking_id: UUID,
        expires_at: Callable[[Booking], datetime],
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Booking:
        def verb(connection: Connection) -> Booking:
            booking = _locked(connection, booking_id)
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
            booking = _locked(connection, booking_id)
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
            self._write(partial(_mark_no_show, booking_id=booking_id, now=now))
        return len(candidates)


def _mark_no_show(connection: Connection, booking_id: UUID, now: datetime) -> None:
    booking = _locked(connection, booking_id)
    unused = [unit.id for unit in booking.unit_items if unit.status is BookingStatus.CONFIRMED]
    connection.execute(update(_bookings).where(_bookings.c.id == booking_id).values(admits_until=None))
    if unused:
        mark_used(
            connection, booking, unused, BookingStatus.NO_SHOW, "system", "the admission ended unused", now
        )


def unit_redeemed(connection: Connection, unit_item_id: UUID, now: datetime, actor: str) -> None:
    """The first entry of a unit item: it is redeemed, and with the last one its booking."""
    booking_id = connection.scalars(select(_units.c.booking_id).where(_units.c.id == unit_item_id)).one()
    booking = _locked(connection, booking_id)
    mark_used(connection, booking, [unit_item_id], BookingStatus.REDEEMED, actor, "admitted", now)


def _locked(connection: Connection, booking_id: UUID) -> Booking:
    booking = booking_in(connection, booking_id, lock=True)
    if booking is None:
        raise Refused(Code.BOOKING_NOT_FOUND)
    return booking


def _voucher(connection: Connection, code: str | None) -> Voucher | None:
    if code is None:
        return None
    voucher = voucher_in(connection, code)
    if voucher is None:
        raise Refused(Code.VOUCHER_UNKNOWN, pointer="/voucherCode")
    return voucher


def _priced(
    order: HoldOrder,
    price: Pricing,
    offers: Mapping[UUID, Offer],
    voucher: Voucher | None,
    expires_at: datetime,
    now: datetime,
) -> Booking:
    priced = price(offers, voucher)
    return Booking(
        id=order.booking_id,
        reference=order.reference,
        status=BookingStatus.ON_HOLD,
        channel=order.channel,
        principal=order.principal,
        customer=order.customer,
        items=priced.items,
        price=priced.price,
        voucher_id=voucher.id if voucher else None,
        voucher_code=voucher.code if voucher else None,
        payment_status=PaymentStatus.NONE,
        refunds=(),
        return_url=order.return_url,
        extensions=0,
        version=1,
        created_at=now,
        expires_at=expires_at,
        updated_at=now,
    )


def _update_booking(connection: Connection, booking: Booking) -> None:
    row: dict[str, Any] = booking_row(booking)
    for kept in ("id", "admits_until", "created_at"):
        del row[kept]
    connection.execute(update(_bookings).where(_bookings.c.id == booking.id).values(row))


def _note(
    connection: Connection, before: Booking, after: BookingStatus, actor: str, reason: str, now: datetime
) -> None:
    write_history(
        connection,
        [before.id],
        now,
        actor=actor,
        from_status=before.status.value,
        to_status=after.value,
        reason=reason,
    )
