"""What is for sale: tickets with their options and units, and the POIs that they admit to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from common.texts import Texts


class TicketType(StrEnum):
    SINGLE = "single"
    MULTI_DAY = "multi-day"
    GROUP = "group"
    GUIDED_TOUR = "guided-tour"
    EXPERIENCE = "experience"
    COMBO = "combo"


class TicketStatus(StrEnum):
    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


class AvailabilityType(StrEnum):
    """START_TIME: one slot a start. OPENING_HOURS: one slot a local day. (OCTO `availabilityType`)"""

    START_TIME = "START_TIME"
    OPENING_HOURS = "OPENING_HOURS"


class UnitType(StrEnum):
    """OCTO `unit.type`."""

    ADULT = "ADULT"
    YOUTH = "YOUTH"
    CHILD = "CHILD"
    INFANT = "INFANT"
    FAMILY = "FAMILY"
    SENIOR = "SENIOR"
    STUDENT = "STUDENT"
    MILITARY = "MILITARY"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Point:
    """WGS 84, degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Poi:
    """Our copy of a point of interest that another system owns. `version` grows with each change there."""

    id: UUID
    names: Texts
    city: str
    category: str
    point: Point
    time_zone: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Restrictions:
    """Ages in years; quantities in units an item; `accompanied_by` lists unit ids of which one must be booked
    too.
    """

    min_age: int | None = None
    max_age: int | None = None
    min_quantity: int | None = None
    max_quantity: int | None = None
    accompanied_by: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Who it is for, at `price` minor units of the ticket's currency; admits `pax_count` people."""

    id: UUID
    type: UnitType
    title: Texts
    pax_count: int
    price: int
    restrictions: Restrictions = Restrictions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A variant of a ticket.

    `price` (minor units) is set for tickets of type group alone: it is the price of the whole item, and the
    units of such an option cost nothing. `resource_ids` name what its slots draw on together with other
    slots of the same local start or day; without any, each slot has a capacity of its own.
    """

    id: UUID
    title: Texts
    default: bool
    units: tuple[Unit, ...]
    price: int | None = None
    min_units: int = 1
    max_units: int = 10
    resource_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RefundStep:
    """Cancelled at least `hours_before` the start, `percent` of what was paid is given back."""

    hours_before: int
    percent: int


@dataclass(frozen=True, slots=True)
class Tax:
    """A tax contained in the price."""

    name: str
    rate_basis_points: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What is for sale at a POI.

    `poi_ids` are the places that it admits to: `(poi_id,)` but for a combo. `cutoff_minutes`: sales end that
    long before the start (START_TIME) or the last closing time (OPENING_HOURS). `valid_days`: on how many
    consecutive local days a multi-day ticket admits, 1 for the others. `commission_basis_points` is the
    platform's share. `city`, `category` and `point` are copied from the POI.
    """

    id: UUID
    poi_id: UUID
    poi_ids: tuple[UUID, ...]
    type: TicketType
    status: TicketStatus
    availability_type: AvailabilityType
    title: Texts
    description: Texts
    city: str
    category: str
    point: Point
    time_zone: str
    currency: str
    options: tuple[Option, ...]
    cutoff_minutes: int
    refund_policy: tuple[RefundStep, ...]
    taxes: tuple[Tax, ...]
    commission_basis_points: int
    valid_days: int
    version: int
    created_at: datetime
    updated_at: datetime

    def option(self, option_id: UUID) -> Option | None:
        return next((option for option in self.options if option.id == option_id), None)

    @property
    def from_price(self) -> int:
        """The lowest price at which one gets in (minor units), for lists and the price filter."""
        prices = [
            o.price if o.price is not None else u.price for o in self.options for u in o.units if u.pax_count
        ]
        return min(prices, default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketQuery:
    """A search of the catalogue. Dates are local `YYYY-MM-DD`; prices are minor units; the radius is km.

    `statuses` is what the caller may see. `sort` is one of `title`, `price`, `-price`, `newest`, `distance`.
    """

    words: tuple[str, ...] = ()
    type: TicketType | None = None
    category: str | None = None
    city: str | None = None
    poi_id: UUID | None = None
    near: Point | None = None
    radius_km: float | None = None
    date_from: str | None = None
    date_to: str | None = None
    min_price: int | None = None
    max_price: int | None = None
    sort: str = "title"
    statuses: tuple[TicketStatus, ...] = (TicketStatus.ACTIVE,)
    limit: int = 20
    cursor: str | None = None
