"""What a cancellation ends and what it gives back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from ticketing_service.domain.bookings import Booking, BookingItem, BookingStatus, UnitItem
from ticketing_service.domain.catalogue import RefundStep
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.money import HUNDREDTHS, percent_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationPlan:
    """The unit items that end, and the money (minor units) that goes back for each and in all; on account,
    what is owed no more.

    `whole` says that nothing of the booking lives on, so that its voucher use returns.
    """

    unit_ids: tuple[UUID, ...]
    refund_by_unit: Mapping[UUID, int]
    fee_refund: int
    total: int
    whole: bool


def refundable_percent(policy: Iterable[RefundStep], starts_at: datetime, now: datetime) -> int | None:
    """What the policy gives back at `now`, or None when cancellation is closed.

    Of the steps whose notice is still kept (to the millisecond), the longest notice decides.
    """
    kept = [step for step in policy if now <= starts_at - timedelta(hours=step.hours_before)]
    return max(kept, key=lambda step: step.hours_before).percent if kept and now <= starts_at else None


def plan_cancellation(
    booking: Booking,
    unit_item_ids: tuple[UUID, ...] | None,
    now: datetime,
    by_destination: bool = False,
    override_percent: int | None = None,
) -> CancellationPlan:
    """Decide the cancellation of the unit items named, or of all that still can be (None).

    The destination gives back everything, and the fee too when the whole booking ends by it.
    `override_percent` (0 to 100) is what staff decided instead of the policy. A booking on hold ends whole;
    nothing was paid.

    Raises BOOKING_EXPIRED, BOOKING_CANCELLED, UNIT_ITEM_UNKNOWN, UNIT_ITEM_NOT_CANCELLABLE or
    CANCELLATION_CLOSED.
    """
    if override_percent is not None and not 0 <= override_percent <= HUNDREDTHS:
        raise ValueError("a percentage is between 0 and 100")
    if booking.status is BookingStatus.EXPIRED:
        raise Refused(Code.BOOKING_EXPIRED, "The hold has ended; there is nothing left to cancel.")
    chosen = _chosen_units(booking, unit_item_ids)
    ended = {unit.id for _, unit, _ in chosen}
    whole = all(u.id in ended or u.status is BookingStatus.CANCELLED for u in booking.unit_items)
    if booking.status is BookingStatus.ON_HOLD:
        if not whole:
            detail = "A booking on hold is cancelled as a whole; change it to keep a part."
            raise Refused(Code.UNIT_ITEM_NOT_CANCELLABLE, detail, "/unitItemIds")
        refunds = dict.fromkeys(ended, 0)
        return CancellationPlan(
            unit_ids=tuple(refunds), refund_by_unit=refunds, fee_refund=0, total=0, whole=True
        )
    refunds = {}
    for item, unit, pointer in chosen:
        percent = HUNDREDTHS if by_destination else None
        if override_percent is not None:
            percent = override_percent
        if percent is None:
            percent = _percent_by_policy(item, now, pointer)
        refunds[unit.id] = percent_of(unit.due, percent)
    fee_refund = booking.price.fee if by_destination and whole else 0
    return CancellationPlan(
        unit_ids=tuple(refunds),
        refund_by_unit=refunds,
        fee_refund=fee_refund,
        total=sum(refunds.values()) + fee_refund,
        whole=whole,
    )


_Choice = tuple[BookingItem, UnitItem, str | None]


def _chosen_units(booking: Booking, unit_item_ids: tuple[UUID, ...] | None) -> list[_Choice]:
    """Each unit to cancel with its item and the place where the request names it."""
    units: dict[UUID, _Choice] = {u.id: (i, u, None) for i in booking.items for u in i.units}
    if unit_item_ids is None:
        left = [choice for choice in units.values() if _is_cancellable(choice[1])]
        if left:
            return left
        if booking.status is BookingStatus.CANCELLED:
            raise Refused(Code.BOOKING_CANCELLED, "All of the booking is cancelled.")
        raise Refused(Code.UNIT_ITEM_NOT_CANCELLABLE, "Everything in the booking was used or is cancelled.")
    chosen: dict[UUID, _Choice] = {}
    for index, unit_id in enumerate(unit_item_ids):
        pointer = f"/unitItemIds/{index}"
        if unit_id not in units:
            raise Refused(Code.UNIT_ITEM_UNKNOWN, "The booking has no such unit item.", pointer)
        item, unit, _ = units[unit_id]
        if not _is_cancellable(unit):
            facts = {"status": unit.status.value}
            raise Refused(Code.UNIT_ITEM_NOT_CANCELLABLE, f"The unit item is {unit.status}.", pointer, facts)
        chosen.setdefault(unit_id, (item, unit, pointer))
    if not chosen:
        raise Refused(Code.UNIT_ITEM_UNKNOWN, "No unit item is named.", "/unitItemIds")
    return list(chosen.values())


def _is_cancellable(unit: UnitItem) -> bool:
    return unit.status in (BookingStatus.ON_HOLD, BookingStatus.CONFIRMED)


def _percent_by_policy(item: BookingItem, now: datetime, pointer: str | None) -> int:
    percent = refundable_percent(item.terms.refund_policy, item.notice_counts_to, now)
    if percent is None:
        raise Refused(Code.CANCELLATION_CLOSED, "The time in which it could be cancelled is over.", pointer)
    return percent
