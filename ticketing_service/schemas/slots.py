"""Slots and schedules: what comes in and what goes out."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from marshmallow import fields, post_load, validate

from common.web.field_errors import coded
from common.web.schemas import ApiSchema, WholeNumber, YesNo
from ticketing_service.domain.catalogue import Ticket
from ticketing_service.domain.local_time import with_offset
from ticketing_service.domain.money import scaled
from ticketing_service.domain.pricing import unit_prices
from ticketing_service.domain.recurrence import MAX_DURATION_MINUTES, MAX_RULES
from ticketing_service.domain.slots import (
    Closure,
    OpeningHours,
    Schedule,
    ScheduleOutcome,
    ScheduleRule,
    Slot,
)
from ticketing_service.schemas.documents import Document, money
from ticketing_service.schemas.values import Day, Money

MAX_CAPACITY = 1_000_000
LOWEST_MULTIPLIER, HIGHEST_MULTIPLIER = 0.5, 3.0
_TIME = validate.Regexp(r"([01]\d|2[0-3]):[0-5]\d\Z", error="INVALID: Not a time of day like 09:30.")


class Multiplier(fields.Decimal):
    """0.5 to 3.0, at most three places; a JSON number or its text."""

    def __init__(self, **options: Any) -> None:
        # Said in metadata, because apispec cannot render the limits of a Decimal.
        limits = {"minimum": LOWEST_MULTIPLIER, "maximum": HIGHEST_MULTIPLIER}
        super().__init__(places=3, allow_nan=False, validate=_check_multiplier, metadata=limits, **options)


def _check_multiplier(value: Decimal) -> None:
    if not LOWEST_MULTIPLIER <= value <= HIGHEST_MULTIPLIER:
        raise coded("OUT_OF_RANGE", f"From {LOWEST_MULTIPLIER} to {HIGHEST_MULTIPLIER}.")


class OpeningHoursIn(ApiSchema):
    """Local times; a closing that is not after the opening is on the next day."""

    opens = fields.String(required=True, validate=_TIME)
    closes = fields.String(required=True, validate=_TIME)

    @post_load
    def hours(self, values: dict[str, Any], **_: Any) -> OpeningHours:
        return OpeningHours(**values)


class RuleIn(ApiSchema):
    """Starts of one option: an RRULE (RFC 5545, without DTSTART) over local dates."""

    option_id = fields.UUID(required=True)
    rrule = fields.String(required=True, validate=validate.Length(1, 500))
    date_from = Day(required=True)
    date_to = Day(load_default=None, allow_none=True)
    start_times = fields.List(fields.String(validate=_TIME), validate=validate.Length(max=200))
    duration_minutes = WholeNumber(validate=validate.Range(1, MAX_DURATION_MINUTES))
    opening_hours = fields.List(fields.Nested(OpeningHoursIn), validate=validate.Length(max=10))
    capacity = WholeNumber(load_default=None, allow_none=True, validate=validate.Range(0, MAX_CAPACITY))
    multiplier = Multiplier()

    @post_load
    def rule(self, values: dict[str, Any], **_: Any) -> ScheduleRule:
        for name in ("start_times", "opening_hours"):
            values[name] = tuple(values.get(name, ()))
        return ScheduleRule(**values)


class ClosureIn(ApiSchema):
    """Local dates, both included."""

    date_from = Day(required=True)
    date_to = Day(required=True)

    @post_load
    def closure(self, values: dict[str, Any], **_: Any) -> Closure:
        return Closure(**values)


class ScheduleIn(ApiSchema):
    """All that makes a ticket's slots."""

    rules = fields.List(fields.Nested(RuleIn), required=True, validate=validate.Length(max=MAX_RULES))
    closures = fields.List(fields.Nested(ClosureIn), load_default=list, validate=validate.Length(max=500))

    @post_load
    def schedule(self, values: dict[str, Any], **_: Any) -> Schedule:
        return Schedule(rules=tuple(values["rules"]), closures=tuple(values["closures"]))


class AvailabilityQuery(ApiSchema):
    """Local days, both included; at most 100."""

    class Meta:
        include = {  # noqa: RUF012 - `from` is no name in Python
            "from": Day(attribute="day_from", data_key="from"),
            "to": Day(attribute="day_to", data_key="to"),
        }

    option_id = fields.UUID()


class SlotPatch(ApiSchema):
    """`capacity` in people, null for none."""

    capacity = WholeNumber(allow_none=True, validate=validate.Range(0, MAX_CAPACITY))
    multiplier = Multiplier()
    closed = YesNo()


class ReasonIn(ApiSchema):
    reason = fields.String(required=True, validate=validate.Length(1, 200))


class UnitPrice(ApiSchema):
    unit_id = fields.UUID(required=True)
    price = fields.Nested(Money, required=True)


class OpeningHoursOut(ApiSchema):
    opens = fields.String(required=True)
    closes = fields.String(required=True)


class SlotOut(ApiSchema):
    """A slot. `price` is that of a whole group, `openingHours` of a day ticket, `multiplier` for staff."""

    id = fields.UUID(required=True)
    ticket_id = fields.UUID(required=True)
    option_id = fields.UUID(required=True)
    local_start = fields.String(required=True)
    local_end = fields.String(required=True)
    time_zone = fields.String(required=True)
    all_day = fields.Boolean(required=True)
    status = fields.String(
        required=True, validate=validate.OneOf(["available", "limited", "sold_out", "closed"])
    )
    vacancies = fields.Integer(required=True, allow_none=True)
    capacity = fields.Integer(required=True, allow_none=True)
    units = fields.List(fields.Nested(UnitPrice), required=True)
    price = fields.Nested(Money)
    opening_hours = fields.List(fields.Nested(OpeningHoursOut))
    multiplier = fields.Float()


class SlotList(ApiSchema):
    data = fields.List(fields.Nested(SlotOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class RuleOut(ApiSchema):
    option_id = fields.UUID(required=True)
    rrule = fields.String(required=True)
    date_from = fields.Date(required=True)
    date_to = fields.Date(required=True, allow_none=True)
    start_times = fields.List(fields.String(), required=True)
    duration_minutes = fields.Integer(required=True)
    opening_hours = fields.List(fields.Nested(OpeningHoursOut), required=True)
    capacity = fields.Integer(required=True, allow_none=True)
    multiplier = fields.Float(required=True)


class ClosureOut(ApiSchema):
    date_from = fields.Date(required=True)
    date_to = fields.Date(required=True)


class ScheduleOut(ApiSchema):
    rules = fields.List(fields.Nested(RuleOut), required=True)
    closures = fields.List(fields.Nested(ClosureOut), required=True)


class ScheduleOutcomeOut(ApiSchema):
    """`conflicts` hold or sold places that the schedule no longer has; none of those is lost."""

    created = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    removed = fields.Integer(required=True)
    conflicts = fields.List(fields.Nested(SlotOut), required=True)


def slot_document(slot: Slot, ticket: Ticket, now: datetime, *, for_managers: bool = False) -> Document:
    """As `SlotOut` says."""
    option, currency = ticket.option(slot.option_id), ticket.currency
    prices = unit_prices(option, slot) if option else ()
    document: Document = {
        "id": slot.id,
        "ticketId": slot.ticket_id,
        "optionId": slot.option_id,
        "localStart": with_offset(slot.starts_at, slot.time_zone),
        "localEnd": with_offset(slot.ends_at, slot.time_zone),
        "timeZone": slot.time_zone,
        "allDay": slot.all_day,
        "status": slot.shown_status(now),
        "vacancies": slot.vacancies,
        "capacity": slot.capacity,
        "units": [{"unitId": unit_id, "price": money(price, currency)} for unit_id, price in prices],
    }
    if option and option.price is not None:
        document["price"] = money(scaled(option.price, slot.multiplier), currency)
    if slot.all_day:
        document["openingHours"] = [_hours(hours) for hours in slot.opening_hours]
    if for_managers:
        document["multiplier"] = float(slot.multiplier)
    return document


def slots_document(ticket: Ticket, slots: tuple[Slot, ...], now: datetime) -> Document:
    """As `SlotList` says."""
    return {"data": [slot_document(slot, ticket, now) for slot in slots], "nextCursor": None}


def schedule_document(schedule: Schedule) -> Document:
    """As `ScheduleOut` says; it can be sent back as it is, without what is empty."""
    return {
        "rules": [_rule(rule) for rule in schedule.rules],
        "closures": [
            {"dateFrom": each.date_from.isoformat(), "dateTo": each.date_to.isoformat()}
            for each in schedule.closures
        ],
    }


def outcome_document(ticket: Ticket, outcome: ScheduleOutcome, now: datetime) -> Document:
    """As `ScheduleOutcomeOut` says."""
    return {
        "created": outcome.created,
        "changed": outcome.changed,
        "removed": outcome.removed,
        "conflicts": [slot_document(slot, ticket, now, for_managers=True) for slot in outcome.conflicts],
    }


def _rule(rule: ScheduleRule) -> Document:
    return {
        "optionId": rule.option_id,
        "rrule": rule.rrule,
        "dateFrom": rule.date_from.isoformat(),
        "dateTo": rule.date_to.isoformat() if rule.date_to else None,
        "startTimes": rule.start_times,
        "durationMinutes": rule.duration_minutes,
        "openingHours": [_hours(hours) for hours in rule.opening_hours],
        "capacity": rule.capacity,
        "multiplier": float(rule.multiplier),
    }


def _hours(hours: OpeningHours) -> Document:
    return {"opens": hours.opens, "closes": hours.closes}
