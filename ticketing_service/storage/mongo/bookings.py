"""The life of a booking: each verb decides and writes in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from uuid import UUID

from pymongo.errors import DuplicateKeyError

from common.mongo.database import MongoDatabase
from common.mongo.failures import is_duplicate
from common.mongo.transaction import Transaction
from common.mongo.values import ms
from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.bookings import (
    Booking,
    BookingStatus,
)
from ticketing_service.domain.claims import GuestLimits, email_key, standing_claims
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.history import HistoryRow
from ticketing_service.domain.orders import HoldOrder, ItemOrder, Offer
from ticketing_service.domain.references import new_reference
from ticketing_service.domain.states import SOLD, require_held
from ticketing_service.storage.foresight import KnownOffers
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.booking_file import opened, save
from ticketing_service.storage.mongo.booking_lists import booking_page
from ticketing_service.storage.mongo.booking_records import booking_of
from ticketing_service.storage.mongo.cancelling import cancel_units
from ticketing_service.storage.mongo.confirming import confirm, mark_no_show
from ticketing_service.storage.mongo.counters import counters_drawn_on, prolong, settle
from ticketing_service.storage.mongo.courses import courses_in, history_of
from ticketing_service.storage.mongo.endings import expire
from ticketing_service.storage.mongo.exchanging import exchange_sold
from ticketing_service.storage.mongo.holding import exchange_items, hold_places
from ticketing_service.storage.mongo.outbox import add_tasks
from ticketing_service.storage.mongo.writing import Writer
from ticketing_service.storage.ports.bookings import Amendment, BookingQuery, Cancellation, Course
from ticketing_service.storage.ports.calls import Issue, Plan, Pricing
from ticketing_service.storage.records.bookings import booked, status_without_payment, tasks_of_change


class MongoBookings:
    """`storage.ports.bookings.BookingStore` on MongoDB."""

    def __init__(self, database: MongoDatabase, writer: Writer) -> None:
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
        seen: dict[UUID, Offer] = {}
        verb = partial(
            hold_places,
            order=order,
            price=price,
            limits=limits,
            expires_at=expires_at,
            now=now,
            foreseen=foreseen,
            seen=seen,
        )
        standing = [counter.id for _, counter in standing_claims(order, limits)]
        turns = [*self._counters(order.items), *standing]
        try:
            booking = self._write(verb, idempotency if foreseen is None else foreseen.idempotency, turns)
        except DuplicateKeyError as error:
            if is_duplicate(error, "resale_uuid"):
                raise Refused(Code.RESALE_UUID_TAKEN) from error
            if not is_duplicate(error, "reference"):
                raise
            again = replace(order, reference=new_reference())
            return self.hold(again, price, limits, expires_at, now, idempotency=idempotency)
        self._known.remember(seen.values())
        return booking

    def get(self, booking_id: UUID) -> Booking | None:
        with self._database.read() as reading:
            found = reading.one(schema.bookings, {"_id": booking_id})
        return None if found is None else booking_of(found)

    def by_reference(self, reference: str) -> Booking | None:
        with self._database.read() as reading:
            found = reading.one(schema.bookings, {"reference": reference})
        return None if found is None else booking_of(found)

    def by_resale_uuid(self, reseller_id: UUID, uuid: UUID, *, is_test: bool) -> Booking | None:
        called = {"reseller_id": reseller_id, "is_test": is_test, "resale_uuid": uuid}
        with self._database.read() as reading:
            found = reading.one(schema.bookings, called)
        return None if found is None else booking_of(found)

    def resold_id(self, reseller_id: UUID, uuid: UUID, *, is_test: bool) -> UUID | None:
        called = {"reseller_id": reseller_id, "is_test": is_test, "resale_uuid": uuid}
        with self._database.read() as reading:
            found = reading.one(schema.bookings, called, ["_id"])
        return None if found is None else found["_id"]

    def courses(self, bookings: Sequence[Booking]) -> dict[UUID, Course]:
        with self._database.read() as reading:
            return courses_in(reading, bookings)

    def by_email(self, email: str, limit: int) -> tuple[Booking, ...]:
        mine = {
            "customer.email_key": email_key(email),
            "status": {"$ne": BookingStatus.EXPIRED.value},
            "is_test": False,
        }
        with self._database.read() as reading:
            found = reading.find(schema.bookings, mine, sort=[("_id", -1)], limit=limit)
        return tuple(map(booking_of, found))

    def search(self, query: BookingQuery) -> Page[Booking]:
        with self._database.read() as reading:
            return booking_page(reading, query)

    def history(self, booking_id: UUID) -> tuple[HistoryRow, ...]:
        with self._database.read() as reading:
            found = reading.one(schema.bookings, {"_id": booking_id}, ["history"])
        return history_of(found or {"history": []})

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
        def verb(tx: Transaction) -> Booking:
            file = opened(tx, booking_id)
            before = file.booking
            amended = replace(amendment.of(before), version=before.version + 1, updated_at=now)
            if amendment.exchanges(before):
                exchange_sold(tx, file, amended, amendment, price, now)
            elif amendment.items is not None:
                require_held(before, now)
                exchange_items(tx, file, amended, amendment.items, price, now)
            else:
                file.keep(amended)
            if before.status is not BookingStatus.ON_HOLD:
                add_tasks(tx, tasks_of_change(file.booking, amendment), now)
            file.note(before.status, before.status, actor, "changed", now)
            save(tx, [file])
            return file.booking

        return self._write(verb, idempotency, self._turns(booking_id, amendment.items or ()))

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
        def verb(tx: Transaction) -> Booking:
            file = opened(tx, booking_id)
            booking = file.booking
            if booking.status in SOLD:
                return booking
            require_held(booking, now)
            if booking.to_pay > 0:
                raise Refused(Code.PAYMENT_REQUIRED)
            if amendment is not None:
                booking = file.keep(amendment.of(booking))
            status, reason = status_without_payment(booking)
            confirmed = confirm(tx, file, status, issue, actor, reason, now)
            settle(file)
            save(tx, [file])
            return confirmed

        return self._write(verb, idempotency, self._turns(booking_id))

    def extend(
        self,
        booking_id: UUID,
        expires_at: Callable[[Booking], datetime],
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Booking:
        def verb(tx: Transaction) -> Booking:
            file = opened(tx, booking_id)
            booking = file.booking
            require_held(booking, now)
            extended = replace(
                booking,
                expires_at=expires_at(booking),
                extensions=booking.extensions + 1,
                version=booking.version + 1,
                updated_at=now,
            )
            file.keep(extended)
            prolong(file, extended.expires_at)
            save(tx, [file])
            return file.booking

        return self._write(verb, idempotency, [booking_id])

    def cancel(
        self,
        booking_id: UUID,
        plan: Plan,
        cancellation: Cancellation,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Booking:
        def verb(tx: Transaction) -> Booking:
            file = opened(tx, booking_id)
            booking = file.booking
            if booking.status is BookingStatus.CANCELLED:
                return booking
            if booking.status is BookingStatus.EXPIRED:
                raise Refused(Code.BOOKING_EXPIRED)
            mail = "slot_cancelled" if cancellation.by_destination else "cancelled"
            cancelled = cancel_units(tx, file, plan(booking), cancellation, now, mail)
            save(tx, [file])
            return cancelled

        return self._write(verb, idempotency, self._turns(booking_id))

    def expire_due(self, now: datetime, limit: int) -> int:
        due = {"status": BookingStatus.ON_HOLD.value, "expires_at": {"$lte": ms(now)}}
        with self._database.read() as reading:
            found = reading.find(
                schema.bookings,
                due,
                sort=[("expires_at", 1)],
                limit=limit,
                fields=["claims.counter_id"],
            )
        if not found:
            return 0
        candidates = [each["_id"] for each in found]
        turns = {claim["counter_id"] for each in found for claim in each["claims"]}
        return self._write(lambda tx: expire(tx, candidates, now), None, turns)

    def mark_no_shows(self, now: datetime, limit: int) -> int:
        due = {"admits_until": {"$type": "long", "$lte": ms(now)}}
        with self._database.read() as reading:
            found = reading.find(schema.bookings, due, limit=limit, fields=["_id"])
        for each in found:
            self._write(partial(mark_no_show, booking_id=each["_id"], now=now), None, [each["_id"]])
        return len(found)

    def _turns(self, booking_id: UUID, items: Iterable[ItemOrder] = ()) -> list[UUID]:
        """The booking, what it draws on, and what `items` will."""
        with self._database.read() as reading:
            drawn_on = counters_drawn_on(reading, booking_id)
        return [booking_id, *drawn_on, *self._counters(items)]

    def _counters(self, items: Iterable[ItemOrder]) -> list[UUID]:
        """The counters that the slots draw on; asked for where no earlier sale has seen them."""
        slot_ids = {item.slot_id for item in items}
        known = self._known.counters(slot_ids)
        missing = slot_ids - known.keys()
        if missing:
            with self._database.read() as reading:
                found = reading.find(schema.slots, {"_id": {"$in": sorted(missing)}}, fields=["counter_ids"])
            known |= {each["_id"]: tuple(each["counter_ids"]) for each in found}
        return [counter_id for ids in known.values() for counter_id in ids]
