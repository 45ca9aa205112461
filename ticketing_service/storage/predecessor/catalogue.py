"""The predecessor's POIs and availabilities: what is for sale, when, and for how many.

It had no products. An availability says what one costs, and so which ticket and option of a POI it is of: one
ticket for what has start times and one for what lasts the day, an option for each price.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from common.identifiers import derived_id
from common.texts import LANGUAGES, Texts
from common.transfer.documents import Document
from common.transfer.members import Unfit, in_hundredths
from common.transfer.object_ids import id_of
from ticketing_service.documents.wording import MINOR_DIGITS
from ticketing_service.domain.catalogue import (
    Point,
    RefundStep,
    Tax,
    TicketStatus,
    UnitType,
)
from ticketing_service.domain.local_time import instant_of, is_time_zone, local_day
from ticketing_service.domain.money import BASIS_POINTS, half_up
from ticketing_service.domain.slots import SlotStatus
from ticketing_service.storage.predecessor.members import AVAILABILITIES, POIS
from ticketing_service.storage.predecessor.reasons import Reason

TAX = Tax("VAT", 900)
"""It came on top of its prices."""

POLICY = (RefundStep(24, 100),)
DAY_CUTOFF_MINUTES = 30
"""Of what lasts the day: it counted from midnight, so that nothing was sold on the day itself."""

YEARS = range(2000, 2100)
"""In which something can take place."""

UNITS = (UnitType.ADULT, UnitType.CHILD, UnitType.INFANT)
_DAY_HOURS = ("00:00", "23:59")
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_CURRENCY = re.compile(r"[A-Z]{3}")
_DECIMALS = 7
_LEAST, _MOST = Decimal("0.5"), Decimal(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A POI."""

    id: UUID
    names: Texts
    city: str
    category: str
    point: Point
    time_zone: str
    status: TicketStatus
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What makes a ticket of a POI another one."""

    all_day: bool
    currency: str
    cutoff_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Rate:
    """What makes an option of a ticket another one; `price` is that of a guest with tax, minor units."""

    price: int
    least: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """A slot. `start` is local `HH:MM`, None for the whole day."""

    id: UUID
    place: Place
    kind: Kind
    rate: Rate
    day: date
    start: str | None
    end: str | None
    capacity: int
    multiplier: Decimal
    is_open: bool

    @property
    def ticket_id(self) -> UUID:
        return ticket_id(self.place, self.kind)

    @property
    def option_id(self) -> UUID:
        return option_id(self.ticket_id, self.rate)

    @property
    def local_start(self) -> datetime:
        return datetime.combine(self.day, _clock(self.start or _DAY_HOURS[0]))

    @property
    def local_end(self) -> datetime:
        end = datetime.combine(self.day, _clock(self.end or _DAY_HOURS[1]))
        return end if end > self.local_start else end + timedelta(days=1)

    @property
    def starts_at(self) -> datetime:
        return instant_of(self.local_start, self.place.time_zone)

    @property
    def ends_at(self) -> datetime:
        return instant_of(self.local_end, self.place.time_zone)

    @property
    def sales_end_at(self) -> datetime:
        end = self.ends_at if self.kind.all_day else self.starts_at
        return end - timedelta(minutes=self.kind.cutoff_minutes)


def place_of(document: Document) -> Place:
    """The POI. Raises Unfit."""
    values = POIS.read(document)
    coordinates = values["location.coordinates.coordinates"]
    if len(coordinates) != 2 or not all(type(each) in (int, float) for each in coordinates):
        raise Unfit(Reason.COORDINATES)
    longitude, latitude = (round(float(each), _DECIMALS) for each in coordinates)
    if not (abs(longitude) <= 180 and abs(latitude) <= 90):
        raise Unfit(Reason.COORDINATES)
    if not is_time_zone(values["hours.timezone"]):
        raise Unfit(Reason.TIME_ZONE)
    translated = {each: values.get(f"translations.{each}.name") for each in LANGUAGES}
    return Place(
        id=id_of(document["_id"]),
        names={
            "en": values["name"].strip(),
            **{language: name.strip() for language, name in translated.items() if name and name.strip()},
        },
        city=values["location.city"].strip(),
        category=values["category"],
        point=Point(latitude, longitude),
        time_zone=values["hours.timezone"],
        status=TicketStatus(values["status"]),
        made_at=document["_id"].generation_time,
    )


def availability_of(document: Document, places: dict[Any, Place]) -> Availability:
    """The slot, at one of the `places` by their ObjectIds. Raises Unfit."""
    values = AVAILABILITIES.read(document)
    place = places.get(values["poiId"])
    if place is None:
        raise Unfit(Reason.NO_POI)
    start, end = times_of(values["timeslot"])
    price = in_hundredths(values["pricing.basePrice"])
    multiplier = values["pricing.dynamicPriceMultiplier"]
    capacity = values["capacity.total"]
    if min(price, capacity) < 0 or not _LEAST <= multiplier <= _MOST:
        raise Unfit(Reason.RANGE)
    least, most = values["restrictions.minBooking"], values["restrictions.maxBooking"]
    if not 1 <= least <= most <= 100:
        raise Unfit(Reason.RANGE)
    minutes = values["restrictions.cutoffHours"] * 60
    if minutes < 0 or minutes != minutes.to_integral_value():
        raise Unfit(Reason.CUTOFF)
    return Availability(
        id=id_of(document["_id"]),
        place=place,
        kind=Kind(
            all_day=start is None,
            currency=currency_of(values["pricing.currency"]),
            cutoff_minutes=DAY_CUTOFF_MINUTES if start is None else int(minutes),
        ),
        rate=Rate(
            price=half_up(price * (BASIS_POINTS + TAX.rate_basis_points), BASIS_POINTS),
            least=least,
            most=most,
        ),
        day=day_of(values["date"], place.time_zone),
        start=start,
        end=end,
        capacity=capacity,
        multiplier=multiplier,
        is_open=values["isActive"],
    )


def day_of(moment: datetime, zone: str) -> date:
    """The day that a date without a time means: it was written as midnight in UTC, or at the place. Raises
    Unfit.
    """
    if moment.year not in YEARS:
        raise Unfit(Reason.DAY)
    if moment.time() == time.min:
        return moment.date()
    day = local_day(moment, zone)
    if instant_of(datetime.combine(day, time.min), zone) != moment:
        raise Unfit(Reason.DAY)
    return day


def moments_of(day: date, zone: str) -> tuple[datetime, datetime]:
    """The two moments for which `day_of` is that day."""
    midnight = datetime.combine(day, time.min)
    return midnight.replace(tzinfo=UTC), instant_of(midnight, zone)


def time_of(text: str | None) -> str | None:
    """A local time of day. Raises Unfit."""
    if text is not None and not _TIME.fullmatch(text):
        raise Unfit(Reason.TIME)
    return text


def times_of(timeslot: str | None) -> tuple[str | None, str | None]:
    """Start and end of a timeslot. Raises Unfit."""
    if timeslot is None:
        return None, None
    start, _, end = timeslot.partition("-")
    return time_of(start), time_of(end)


def currency_of(text: str) -> str:
    """An amount of it has hundredths. Raises Unfit."""
    if not _CURRENCY.fullmatch(text) or text in MINOR_DIGITS:
        raise Unfit(Reason.CURRENCY)
    return text


def ticket_id(place: Place, kind: Kind) -> UUID:
    form = "day" if kind.all_day else "timed"
    return derived_id(place.id, "ticket", form, kind.currency, str(kind.cutoff_minutes))


def option_id(ticket: UUID, rate: Rate) -> UUID:
    return derived_id(ticket, "option", str(rate.price), str(rate.least), str(rate.most))


def unit_id(option: UUID, unit_type: UnitType) -> UUID:
    return derived_id(option, "unit", unit_type.value)


def slot_status(availability: Availability) -> SlotStatus:
    return SlotStatus.OPEN if availability.is_open else SlotStatus.CLOSED


def opening_hours(availability: Availability) -> list[list[str]]:
    """It knew none of a day."""
    return [list(_DAY_HOURS)] if availability.kind.all_day else []


def _clock(text: str) -> time:
    return time.fromisoformat(text)
