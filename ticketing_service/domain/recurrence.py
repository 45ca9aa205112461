"""The slots that a schedule asks for, from its RRULE rules (RFC 5545 section 3.3.10) and closures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from common.identifiers import derived_id
from ticketing_service.domain.catalogue import AvailabilityType, Option, Ticket
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.local_time import in_zone, instant_of
from ticketing_service.domain.recurring_dates import recurring_dates
from ticketing_service.domain.slots import OpeningHours, PlannedSlot, Schedule, ScheduleRule

MAX_RULES = 100
MAX_SLOTS = 20_000
MAX_DURATION_MINUTES = 7 * 24 * 60
OLDEST_START = timedelta(days=3660)
RESOURCES = UUID("2b7f0e6c-0d0a-5c1f-9f53-5e1f6d1f7a40")
"""The namespace of the ids of shared capacity counters."""

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True, slots=True)
class _Rule:
    """One rule, checked, with what it needs of its ticket; `pointer` is its place in the request."""

    rule: ScheduleRule
    option: Option
    ticket: Ticket
    pointer: str

    @property
    def by_start(self) -> bool:
        return self.ticket.availability_type is AvailabilityType.START_TIME


def plan_slots(
    ticket: Ticket, schedule: Schedule, today: date, horizon_days: int = 400
) -> tuple[PlannedSlot, ...]:
    """The slots from `today` (local) to `horizon_days` later, in order of option and start.

    Raises INVALID_SCHEDULE or UNKNOWN_OPTION with a pointer into `/rules` or `/closures`. The work is bounded
    whatever the rules say.
    """
    if len(schedule.rules) > MAX_RULES:
        raise _invalid("/rules", f"A schedule has at most {MAX_RULES} rules.")
    for index, closure in enumerate(schedule.closures):
        if closure.date_to < closure.date_from:
            raise _invalid(f"/closures/{index}/dateTo", "The closure ends before it begins.")
    last = today + timedelta(days=horizon_days)
    planned: dict[tuple[UUID, datetime], PlannedSlot] = {}
    for index, rule in enumerate(schedule.rules):
        checked = _checked(ticket, rule, today, f"/rules/{index}")
        for day in _open_days(checked, schedule, today, last):
            for slot in _slots_on(checked, day):
                if planned.setdefault((slot.option_id, slot.local_start), slot) is not slot:
                    detail = f"The option starts at {slot.local_start.isoformat()} twice."
                    raise _invalid(checked.pointer, detail)
        if len(planned) > MAX_SLOTS:
            raise _invalid(checked.pointer, f"The schedule makes more than {MAX_SLOTS} slots.")
    return tuple(planned[key] for key in sorted(planned))


def _invalid(pointer: str, detail: str) -> Refused:
    return Refused(Code.INVALID_SCHEDULE, detail, pointer)


def _checked(ticket: Ticket, rule: ScheduleRule, today: date, pointer: str) -> _Rule:
    option = ticket.option(rule.option_id)
    if option is None:
        raise Refused(Code.UNKNOWN_OPTION, "The ticket has no such option.", f"{pointer}/optionId")
    if rule.date_to is not None and rule.date_to < rule.date_from:
        raise _invalid(f"{pointer}/dateTo", "The rule ends before it begins.")
    if rule.date_from < today - OLDEST_START:
        raise _invalid(f"{pointer}/dateFrom", "The rule begins more than ten years ago.")
    if rule.capacity is not None and rule.capacity < 0:
        raise _invalid(f"{pointer}/capacity", "A capacity is not negative.")
    if rule.multiplier <= 0:
        raise _invalid(f"{pointer}/multiplier", "A multiplier is more than nothing.")
    if ticket.availability_type is AvailabilityType.START_TIME:
        _check_start_times(rule, pointer)
    else:
        _check_opening_hours(rule, pointer)
    return _Rule(rule, option, ticket, pointer)


def _check_start_times(rule: ScheduleRule, pointer: str) -> None:
    if not rule.start_times:
        raise _invalid(f"{pointer}/startTimes", "A ticket with start times needs at least one.")
    if rule.opening_hours:
        raise _invalid(f"{pointer}/openingHours", "A ticket with start times has no opening hours.")
    _check_times(rule.start_times, f"{pointer}/startTimes")
    if not 1 <= rule.duration_minutes <= MAX_DURATION_MINUTES:
        raise _invalid(f"{pointer}/durationMinutes", "A slot lasts from one minute to a week.")


def _check_opening_hours(rule: ScheduleRule, pointer: str) -> None:
    if not rule.opening_hours:
        raise _invalid(f"{pointer}/openingHours", "A ticket with opening hours needs some.")
    if rule.start_times:
        raise _invalid(f"{pointer}/startTimes", "A ticket with opening hours has no start times.")
    for index, hours in enumerate(rule.opening_hours):
        _check_times((hours.opens, hours.closes), f"{pointer}/openingHours/{index}")


def _check_times(texts: Sequence[str], pointer: str) -> None:
    for text in texts:
        if _TIME.fullmatch(text) is None:
            raise _invalid(pointer, f"{text[:20]!r} is not a time of day like 09:30.")


def _open_days(checked: _Rule, schedule: Schedule, today: date, last: date) -> Iterator[date]:
    rule = checked.rule
    end = last if rule.date_to is None else min(last, rule.date_to)
    try:
        for day in recurring_dates(rule.rrule, rule.date_from, end, checked.ticket.time_zone):
            closed = any(closure.date_from <= day <= closure.date_to for closure in schedule.closures)
            if day >= today and not closed:
                yield day
    except ValueError as error:
        raise _invalid(f"{checked.pointer}/rrule", str(error)) from error


def _slots_on(checked: _Rule, day: date) -> Iterator[PlannedSlot]:
    rule = checked.rule
    if checked.by_start:
        for text in rule.start_times:
            start = datetime.combine(day, time.fromisoformat(text))
            yield _by_start(checked, start)
    else:
        yield _by_day(checked, datetime.combine(day, time.min))


def _by_start(checked: _Rule, start: datetime) -> PlannedSlot:
    zone = checked.ticket.time_zone
    starts_at = instant_of(start, zone)
    # Elapsed time, so that a tour in the night of a clock change is as long as any other.
    ends_at = starts_at + timedelta(minutes=checked.rule.duration_minutes)
    return PlannedSlot(
        option_id=checked.option.id,
        local_start=start,
        local_end=in_zone(ends_at, zone).replace(tzinfo=None),
        time_zone=zone,
        all_day=False,
        opening_hours=(),
        starts_at=starts_at,
        ends_at=ends_at,
        sales_end_at=starts_at - timedelta(minutes=checked.ticket.cutoff_minutes),
        multiplier=checked.rule.multiplier,
        capacity=checked.rule.capacity,
        shared_counter_ids=_counter_ids(checked.option, start.isoformat(timespec="minutes")),
    )


def _by_day(checked: _Rule, midnight: datetime) -> PlannedSlot:
    """The slot of a whole day: it starts at midnight, so that other hours do not make it another slot."""
    zone = checked.ticket.time_zone
    hours = checked.rule.opening_hours
    end = max(_closing(midnight, each) for each in hours)
    ends_at = instant_of(end, zone)
    return PlannedSlot(
        option_id=checked.option.id,
        local_start=midnight,
        local_end=end,
        time_zone=zone,
        all_day=True,
        opening_hours=hours,
        starts_at=instant_of(midnight, zone),
        ends_at=ends_at,
        sales_end_at=ends_at - timedelta(minutes=checked.ticket.cutoff_minutes),
        multiplier=checked.rule.multiplier,
        capacity=checked.rule.capacity,
        shared_counter_ids=_counter_ids(checked.option, midnight.date().isoformat()),
    )


def _closing(midnight: datetime, hours: OpeningHours) -> datetime:
    """The local time at which `hours` end: the next day when not after the opening."""
    opens, closes = time.fromisoformat(hours.opens), time.fromisoformat(hours.closes)
    day = midnight.date() + timedelta(days=int(closes <= opens))
    return datetime.combine(day, closes)


def _counter_ids(option: Option, when: str) -> tuple[UUID, ...]:
    """One counter for each resource: all slots of the same local start (or day) that name it draw on it."""
    return tuple(derived_id(RESOURCES, name, when) for name in dict.fromkeys(option.resource_ids))
