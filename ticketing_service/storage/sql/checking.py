"""Whether a database keeps the invariants of the business: each is a question whose answer is to be empty.

The database does the sums, so memory stays flat. One snapshot for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.sql.selectable import Subquery

from common.transfer.sql import SqlSide
from ticketing_service.domain.bookings import BookingStatus, PaymentState
from ticketing_service.domain.claims import ClaimKind
from ticketing_service.domain.states import SOLD
from ticketing_service.storage.sql import schema

MOST_NAMED = 20
"""How many offenders of one invariant are named."""

_SOLD = tuple(status.value for status in SOLD)
_HELD = BookingStatus.ON_HOLD.value
_UNCAPTURED = tuple(
    state.value for state in (PaymentState.OPENING, PaymentState.PENDING, PaymentState.AUTHORIZED)
)
_counters, _claims, _bookings = schema.counters, schema.claims, schema.bookings
_units, _items, _links = schema.unit_items, schema.booking_items, schema.slot_counters
_payments, _refunds, _ledger = schema.payments, schema.refunds, schema.ledger


def violations(side: SqlSide) -> Iterator[str]:
    """A line for each violation, at most 20 of each invariant. Raises StoreUnavailable."""
    with side.at_one_moment() as connection:
        for invariant, offenders in _questions():
            for subject in connection.scalars(offenders.limit(MOST_NAMED)):
                yield f"{invariant}: {subject}"


def _questions() -> Iterator[tuple[str, Select[Any]]]:
    taken = _counters.c.held + _counters.c.sold
    yield "oversold", select(_counters.c.id).where(taken > _counters.c.capacity)
    yield "negative counter", select(_counters.c.id).where(or_(_counters.c.held < 0, _counters.c.sold < 0))
    yield "counter differs from its claims", _differing(_sums_of_claims(), every=True)
    yield "counter differs from its bookings", _differing(_sums_of_units(), every=False)
    yield from _of_bookings()
    yield from _of_money()


def _sums_of_claims() -> Subquery:
    is_held = _claims.c.held_until.is_not(None)
    return (
        select(_claims.c.counter_id, *_held_and_sold(is_held, ~is_held, _claims.c.quantity))
        .group_by(_claims.c.counter_id)
        .subquery()
    )


def _sums_of_units() -> Subquery:
    """The people of living unit items, by the counters of their slots; nought for a slot without any. Tests
    take no place.
    """
    living, is_real = _units.c.status, _bookings.c.is_test.is_(False)
    held, sold = and_(living == _HELD, is_real), and_(living.in_(_SOLD), is_real)
    return (
        select(
            _links.c.counter_id,
            *_held_and_sold(held, sold, func.coalesce(_units.c.pax_count, 0)),
        )
        .join_from(_links, _items, _items.c.slot_id == _links.c.slot_id, isouter=True)
        .join(_units, _units.c.item_id == _items.c.id, isouter=True)
        .join(_bookings, _bookings.c.id == _units.c.booking_id, isouter=True)
        .group_by(_links.c.counter_id)
        .subquery()
    )


def _held_and_sold(held: ColumnElement[bool], sold: ColumnElement[bool], number: Any) -> tuple[Any, Any]:
    return (
        func.sum(case((held, number), else_=0)).label("held"),
        func.sum(case((sold, number), else_=0)).label("sold"),
    )


def _differing(sums: Subquery, *, every: bool) -> Select[Any]:
    """Counters that are not what they add up to; with `every`, those too that nothing adds up for."""
    held, sold = func.coalesce(sums.c.held, 0), func.coalesce(sums.c.sold, 0)
    return (
        select(_counters.c.id)
        .join(sums, sums.c.counter_id == _counters.c.id, isouter=every)
        .where(or_(_counters.c.held != held, _counters.c.sold != sold))
    )


def _of_bookings() -> Iterator[tuple[str, Select[Any]]]:
    status, until = _bookings.c.status, _claims.c.held_until
    unfit = or_(
        and_(status == _HELD, or_(until.is_(None), until != _bookings.c.expires_at)),
        and_(status.in_(_SOLD), until.is_not(None)),
        # what is owed of a booking on account is owed after its end, too
        and_(
            status.not_in((_HELD, *_SOLD)),
            or_(_claims.c.kind != ClaimKind.CREDIT.value, until.is_not(None)),
        ),
    )
    yield (
        "claims do not fit the status",
        select(_bookings.c.id).distinct().join(_claims, _claims.c.booking_id == _bookings.c.id).where(unfit),
    )
    is_scarce = _claims.c.kind != ClaimKind.GUEST.value
    yield (
        "a test takes something",
        select(_bookings.c.id)
        .join(_claims, _claims.c.booking_id == _bookings.c.id)
        .where(_bookings.c.is_test, is_scarce),
    )
    last = select(func.max(schema.history.c.id).label("id")).group_by(schema.history.c.booking_id).subquery()
    yield (
        "history does not end in the status",
        select(_bookings.c.id)
        .join(schema.history, schema.history.c.booking_id == _bookings.c.id)
        .join(last, last.c.id == schema.history.c.id)
        .where(schema.history.c.to_status != status),
    )
    good = schema.admissions
    yield (
        "two admissions of one unit item",
        select(good.c.booking_id)
        .where(good.c.cancelled_at.is_(None))
        .group_by(good.c.booking_id, good.c.unit_item_id)
        .having(func.count() > 1),
    )
    yield (
        "admission of what was not sold",
        select(_units.c.booking_id)
        .distinct()
        .join(schema.admissions, schema.admissions.c.unit_item_id == _units.c.id)
        .where(schema.admissions.c.cancelled_at.is_(None), _units.c.status.not_in(_SOLD)),
    )


def _of_money() -> Iterator[tuple[str, Select[Any]]]:
    ordered = (
        select(_refunds.c.payment_id, func.sum(_refunds.c.amount).label("amount"))
        .where(_refunds.c.status != "void")
        .group_by(_refunds.c.payment_id)
        .subquery()
    )
    bound = case((_payments.c.state.in_(_UNCAPTURED), _payments.c.amount), else_=_payments.c.captured)
    yield (
        "refunded more than was captured",
        select(_payments.c.id)
        .join(ordered, ordered.c.payment_id == _payments.c.id)
        .where(ordered.c.amount > bound),
    )
    is_refund = _ledger.c.kind == "refund"
    paid, on_account = _bookings.c.reseller_id.is_(None), _bookings.c.reseller_id.is_not(None)
    captured = _by_booking(select(_payments).where(_payments.c.accepted).subquery(), "captured")
    entered = _by_booking(_entries(~is_refund), "amount")
    yield "ledger differs from captures", _unequal(entered, captured).where(paid)
    given_back = (
        select(_refunds)
        .join(_payments, _payments.c.id == _refunds.c.payment_id)
        .where(_payments.c.accepted, _refunds.c.status != "void")
        .subquery()
    )
    yield (
        "ledger differs from refunds",
        _unequal(_by_booking(_entries(is_refund), "amount"), _by_booking(given_back, "amount")).where(paid),
    )
    is_credit = _claims.c.kind == ClaimKind.CREDIT.value
    owed = _by_booking(
        select(_claims).where(is_credit, _claims.c.held_until.is_(None)).subquery(), "quantity"
    )
    yield (
        "credit differs from the books",
        _unequal(_by_booking(_net_entries(), "amount"), owed).where(on_account),
    )
    held = _by_booking(
        select(_claims).where(is_credit, _claims.c.held_until.is_not(None)).subquery(), "quantity"
    )
    on_hold = (
        select(_units)
        .join(_bookings, _bookings.c.id == _units.c.booking_id)
        .where(_units.c.status == _HELD, _bookings.c.is_test.is_(False))
        .subquery()
    )
    yield "credit differs from its units", _unequal(_by_booking(on_hold, "net"), held).where(on_account)
    price = _bookings.c.items_amount - _bookings.c.discount_amount + _bookings.c.fee_amount
    accepted = (
        select(func.count())
        .where(_payments.c.booking_id == _bookings.c.id, _payments.c.accepted)
        .scalar_subquery()
    )
    yield (
        "sold without payment",
        select(_bookings.c.id).where(_bookings.c.status.in_(_SOLD), price > 0, paid, accepted != 1),
    )
    yield "two accepted payments", select(_bookings.c.id).where(accepted > 1)


def _entries(condition: ColumnElement[bool]) -> Subquery:
    return select(_ledger).where(condition).subquery()


def _net_entries() -> Subquery:
    """What was entered less what was taken back."""
    amount = case((_ledger.c.kind == "refund", -_ledger.c.amount), else_=_ledger.c.amount)
    return select(_ledger.c.booking_id, amount.label("amount")).subquery()


def _by_booking(rows: Subquery, column: str) -> Subquery:
    total = func.sum(rows.c[column]).label("amount")
    return select(rows.c.booking_id, total).group_by(rows.c.booking_id).subquery()


def _unequal(one: Subquery, other: Subquery) -> Select[Any]:
    """Bookings that have not the same sum on both sides; what is not there is nought."""
    return (
        select(_bookings.c.id)
        .join(one, one.c.booking_id == _bookings.c.id, isouter=True)
        .join(other, other.c.booking_id == _bookings.c.id, isouter=True)
        .where(func.coalesce(one.c.amount, 0) != func.coalesce(other.c.amount, 0))
    )
