"""Slots as OCTO's availabilities, one by one and by day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from common.web.schemas import instant_text
from ticketing_service.domain.catalogue import Option, Ticket
from ticketing_service.domain.local_time import instant_of, with_offset
from ticketing_service.domain.pricing import SalePolicy
from ticketing_service.domain.slots import Slot, SlotStatus
from ticketing_service.schemas.documents import Document
from ticketing_service.schemas.octo.content import availability_content
from ticketing_service.schemas.octo.pricing import Pricer, cheapest
from ticketing_service.schemas.octo.products import Asked

FREESALE, AVAILABLE, LIMITED, SOLD_OUT, CLOSED = "FREESALE", "AVAILABLE", "LIMITED", "SOLD_OUT", "CLOSED"
_BEST_FIRST = (FREESALE, AVAILABLE, LIMITED, SOLD_OUT, CLOSED)
_OPEN = (FREESALE, AVAILABLE, LIMITED)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Shown:
    """The slots of one option, as they are at `now` for an order of so many of each unit."""

    ticket: Ticket
    option: Option
    quantities: Mapping[UUID, int]
    policy: SalePolicy
    now: datetime
    asked: Asked

    @property
    def people(self) -> int:
        paxes = {unit.id: unit.pax_count for unit in self.option.units}
        return sum(paxes[unit_id] * count for unit_id, count in self.quantities.items())

    def status(self, slot: Slot) -> str:
        """As OCTO counts: LIMITED is less than half; what is ordered must fit."""
        if slot.status is not SlotStatus.OPEN or self.now >= slot.sales_end_at:
            return CLOSED
        left, capacity = slot.vacancies, slot.capacity
        if left is None or capacity is None:
            return FREESALE
        if left < max(1, self.people):
            return SOLD_OUT
        return LIMITED if left * 2 < capacity else AVAILABLE

    def max_units(self, slot: Slot) -> int:
        """How many units one booking may have here."""
        most = min(self.option.max_units, self.policy.max_units_per_item, self.policy.max_units_per_booking)
        smallest = min((unit.pax_count for unit in self.option.units if unit.pax_count), default=1)
        return most if slot.vacancies is None else min(most, slot.vacancies // smallest)

    def is_available(self, slot: Slot, status: str) -> bool:
        """Whether the order can be booked, as far as its size goes."""
        return status in _OPEN and sum(self.quantities.values()) <= self.max_units(slot)


def availability_document(slot: Slot, shown: Shown) -> Document:
    """As OCTO's Availability."""
    status, zone = shown.status(slot), slot.time_zone
    ends_at = slot.ends_at
    if slot.all_day:
        ends_at = instant_of(datetime.combine(slot.local_start.date() + _DAY, time.min), zone)
    document: Document = {
        "id": slot.id,
        "localDateTimeStart": with_offset(slot.starts_at, zone),
        "localDateTimeEnd": with_offset(ends_at, zone),
        "utcCutoffAt": instant_text(slot.sales_end_at),
        "allDay": slot.all_day,
        "available": shown.is_available(slot, status),
        "status": status,
        "vacancies": slot.vacancies,
        "capacity": slot.capacity,
        "maxUnits": shown.max_units(slot),
        "openingHours": _opening_hours(slot),
    }
    if shown.asked.pricing:
        document.update(_prices([slot], shown, "unitPricing", "pricing"))
    if shown.asked.content:
        document.update(availability_content(shown.option, shown.asked.language))
    return document


def calendar_documents(slots: Iterable[Slot], first: date, last: date, shown: Shown) -> list[Document]:
    """As OCTO's AvailabilityCalendar: one for each day, both included, also for those without a slot."""
    by_day: dict[date, list[Slot]] = {}
    for slot in slots:
        by_day.setdefault(slot.local_start.date(), []).append(slot)
    days = (first + number * _DAY for number in range((last - first).days + 1))
    return [_day(day, by_day.get(day, ()), shown) for day in days]


def _day(day: date, slots: Sequence[Slot], shown: Shown) -> Document:
    statuses = [shown.status(slot) for slot in slots]
    status = min(statuses, key=_BEST_FIRST.index, default=CLOSED)
    pairs = list(zip(slots, statuses, strict=True))
    left = [slot.vacancies for slot, each in pairs if each != CLOSED]
    capacities = [slot.capacity for slot in slots]
    document: Document = {
        "localDate": day.isoformat(),
        "available": any(shown.is_available(slot, each) for slot, each in pairs),
        "status": status,
        "vacancies": None if None in left else max((each for each in left if each is not None), default=0),
        "capacity": None if None in capacities else sum(each for each in capacities if each is not None),
        "openingHours": _day_hours(slots),
    }
    if shown.asked.pricing:
        bookable = [slot for slot, each in pairs if each in _OPEN] or slots
        document.update(_prices(bookable, shown, "unitPricingFrom", "pricingFrom"))
    return document


def _prices(slots: Sequence[Slot], shown: Shown, of_units: str, of_order: str) -> Document:
    """The lowest that the slots have, of each unit and of the order; without any, the usual ones."""
    # one slot of each multiplier is enough
    several = {slot.multiplier: slot for slot in slots}.values() or (None,)
    pricers = [Pricer(shown.ticket, shown.asked.reseller, slot) for slot in several]
    of_each = [pricer.units(shown.option) for pricer in pricers]
    return {
        of_units: [cheapest(prices) for prices in zip(*of_each, strict=True)],
        of_order: cheapest(pricer.order(shown.option, shown.quantities) for pricer in pricers),
    }


def _opening_hours(slot: Slot) -> list[Document]:
    """Also of a slot with a start: when it begins and ends."""
    if not slot.all_day:
        return [{"from": f"{slot.local_start:%H:%M}", "to": f"{slot.local_end:%H:%M}"}]
    return [{"from": hours.opens, "to": hours.closes} for hours in slot.opening_hours]


def _day_hours(slots: Sequence[Slot]) -> list[Document]:
    hours = {(each["from"], each["to"]) for slot in slots for each in _opening_hours(slot)}
    return [{"from": opens, "to": closes} for opens, closes in sorted(hours)]
