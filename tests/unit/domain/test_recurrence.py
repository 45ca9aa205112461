"""Schedules: which slots they make, and which they refuse without spinning."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.domain.builders import option, ticket, uid, unit
from ticketing_service.domain.catalogue import AvailabilityType, Ticket
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.recurrence import plan_slots
from ticketing_service.domain.slots import Closure, OpeningHours, PlannedSlot, Schedule, ScheduleRule

TODAY = date(2026, 6, 1)
TOUR = ticket("tour")
MUSEUM = ticket("museum", availability_type=AvailabilityType.OPENING_HOURS, cutoff_minutes=30)


def _rule(rrule: str = "FREQ=DAILY", **changes: Any) -> ScheduleRule:
    built = ScheduleRule(
        option_id=uid("standard"), rrule=rrule, date_from=TODAY, date_to=None, start_times=("10:00",)
    )
    return replace(built, **changes)


def _day_rule(*hours: tuple[str, str], **changes: Any) -> ScheduleRule:
    opening_hours = tuple(OpeningHours(*each) for each in hours or (("10:00", "17:00"),))
    return _rule(start_times=(), opening_hours=opening_hours, **changes)


def _plan(
    rule: ScheduleRule, *more: ScheduleRule, of: Ticket = TOUR, closures: tuple[Closure, ...] = ()
) -> tuple[PlannedSlot, ...]:
    return plan_slots(of, Schedule((rule, *more), closures), TODAY, 30)


def _dates(*args: Any, **kwargs: Any) -> list[str]:
    return [f"{slot.local_start:%m-%d}" for slot in _plan(*args, **kwargs)]


@pytest.mark.parametrize(
    "rrule, dates",
    [
        ("FREQ=WEEKLY;BYDAY=SA,SU;COUNT=3", ["06-06", "06-07", "06-13"]),
        ("RRULE:freq=weekly;byday=mo;until=20260615", ["06-01", "06-08", "06-15"]),
        ("FREQ=DAILY;INTERVAL=10", ["06-01", "06-11", "06-21", "07-01"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", ["06-26"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1,15", ["06-15", "06-30"]),
        ("FREQ=YEARLY;BYMONTH=6;BYDAY=2TU", ["06-09"]),
        ("FREQ=DAILY;UNTIL=20260602T215959Z", ["06-01", "06-02"]),
        ("FREQ=DAILY;UNTIL=20260602T220000Z", ["06-01", "06-02", "06-03"]),
    ],
)
def test_a_rule_makes_the_dates_of_rfc_5545(rrule: str, dates: list[str]) -> None:
    assert _dates(_rule(rrule)) == dates


def test_the_horizon_today_and_the_rules_own_days_are_included() -> None:
    assert len(_plan(_rule())) == 31
    assert _dates(_rule(date_to=TODAY + timedelta(days=1))) == ["06-01", "06-02"]
    # A rule counts from its own beginning, though what is past is not planned.
    assert _dates(_rule("FREQ=DAILY;INTERVAL=3;COUNT=3", date_from=date(2026, 5, 27))) == ["06-02"]
    assert _plan(_rule(date_from=date(2027, 6, 1))) == ()


def test_closures_take_their_first_and_last_day_away() -> None:
    closed = (Closure(date(2026, 6, 2), date(2026, 6, 4)), Closure(TODAY, TODAY))
    assert _dates(_rule("FREQ=DAILY;COUNT=6"), closures=closed) == ["06-05", "06-06"]


def test_a_start_has_its_instants_and_cutoff() -> None:
    first, second = _plan(_rule("FREQ=DAILY;COUNT=1", start_times=("14:30", "10:00"), capacity=20))
    assert f"{first.local_start:%H:%M} {second.local_start:%H:%M}" == "10:00 14:30"
    assert first.starts_at == datetime(2026, 6, 1, 8, tzinfo=UTC)
    assert first.ends_at == datetime(2026, 6, 1, 9, tzinfo=UTC)
    assert first.sales_end_at == datetime(2026, 6, 1, 6, tzinfo=UTC)
    assert (first.capacity, first.all_day, first.shared_counter_ids) == (20, False, ())


def test_a_slot_may_end_after_midnight() -> None:
    (late,) = _plan(_rule("FREQ=DAILY;COUNT=1", start_times=("23:00",), duration_minutes=120))
    assert f"{late.local_end:%m-%d %H:%M}" == "06-02 01:00"
    (party,) = _plan(_day_rule(("22:00", "03:00"), rrule="FREQ=DAILY;COUNT=1"), of=MUSEUM)
    assert f"{party.local_end:%m-%d %H:%M}" == "06-02 03:00"


def test_a_day_ticket_is_sold_until_shortly_before_the_last_closing() -> None:
    (day,) = _plan(_day_rule(("13:00", "17:30"), ("09:00", "12:00"), rrule="FREQ=DAILY;COUNT=1"), of=MUSEUM)
    assert day.all_day
    assert (f"{day.local_start:%H:%M}", f"{day.local_end:%H:%M}") == ("00:00", "17:30")
    assert day.sales_end_at == datetime(2026, 6, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "day, start, starts_at, local_end",
    [
        (date(2026, 3, 29), "02:30", "2026-03-29T01:30+00:00", "04:30"),
        (date(2026, 10, 25), "02:30", "2026-10-25T00:30+00:00", "02:30"),
    ],
    ids=["gap", "doubled"],
)
def test_a_start_in_the_night_of_a_clock_change(
    day: date, start: str, starts_at: str, local_end: str
) -> None:
    rule = _rule("FREQ=DAILY;COUNT=1", date_from=day, start_times=(start,))
    (slot,) = plan_slots(TOUR, Schedule((rule,)), day)
    assert slot.starts_at == datetime.fromisoformat(starts_at)
    assert slot.ends_at - slot.starts_at == timedelta(hours=1)
    assert f"{slot.local_start:%H:%M} {slot.local_end:%H:%M}" == f"{start} {local_end}"


def test_slots_of_one_resource_share_a_counter_for_each_start_or_day() -> None:
    one = option("one", [unit("adult", 1)], resource_ids=("boat", "guide"))
    other = option("other", [unit("adult", 1)], resource_ids=("boat",))
    both = ticket(options=[one, other])
    first = _rule("FREQ=DAILY;COUNT=2", option_id=uid("one"))
    plan = _plan(first, replace(first, option_id=uid("other")), of=both)
    ids = {(slot.option_id, slot.local_start.day): slot.shared_counter_ids for slot in plan}
    assert ids[uid("one"), 1][0] == ids[uid("other"), 1][0] != ids[uid("other"), 2][0]
    assert len(ids[uid("one"), 1]) == len(set(ids[uid("one"), 1])) == 2
    by_day = replace(both, availability_type=AvailabilityType.OPENING_HOURS)
    hours = _day_rule(rrule="FREQ=DAILY;COUNT=1", option_id=uid("one"))
    (morning,) = _plan(hours, of=by_day)
    (evening,) = _plan(replace(hours, opening_hours=(OpeningHours("18:00", "22:00"),)), of=by_day)
    assert morning.shared_counter_ids == evening.shared_counter_ids != ids[uid("one"), 1]


@pytest.mark.parametrize(
    "rrule",
    [
        "",
        "nonsense",
        "FREQ=HOURLY",
        "FREQ=SECONDLY;COUNT=999999",
        "FREQ=DAILY;BYHOUR=1",
        "FREQ=DAILY;BYEASTER=0",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;INTERVAL=99999999999999999999",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=2;UNTIL=20260701",
        "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=DAILY;UNTIL=20260231",
        "FREQ=DAILY;UNTIL=99991231T235959Z",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=MONTHLY;BYDAY=9MO",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=YEARLY;BYMONTH=13",
        "FREQ=DAILY;BYSETPOS=0",
        "BYDAY=MO",
        "DTSTART:20260101\nRRULE:FREQ=DAILY",
        "FREQ=DAILY\nEXDATE:20260102",
        "FREQ=DAILY;BYMONTH=" + ",".join(["1"] * 300),
        "FREQ=DAILY;COUNT=١",
    ],
)
def test_a_rule_that_cannot_be_read_is_refused(rrule: str) -> None:
    assert _refusal(_rule("FREQ=DAILY;COUNT=1", option_id=uid("standard")), _rule(rrule)) == "/rules/1/rrule"


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "rrule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYSETPOS=2",
        "FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "FREQ=YEARLY;BYWEEKNO=53;BYMONTH=6",
    ],
)
def test_a_rule_that_never_has_a_date_is_refused_and_does_not_spin(rrule: str) -> None:
    assert _refusal(_rule(rrule)) == "/rules/0/rrule"


def _refusal(*rules: ScheduleRule, of: Ticket = TOUR, code: Code = Code.INVALID_SCHEDULE) -> str | None:
    with pytest.raises(Refused) as refused:
        _plan(*rules, of=of)
    assert refused.value.code is code
    return refused.value.pointer


@pytest.mark.parametrize(
    "changes, field",
    [
        ({"start_times": ()}, "startTimes"),
        ({"start_times": ("24:00",)}, "startTimes"),
        ({"start_times": ("9:00",)}, "startTimes"),
        ({"start_times": ("٠٩:00",)}, "startTimes"),
        ({"opening_hours": (OpeningHours("09:00", "10:00"),)}, "openingHours"),
        ({"duration_minutes": 0}, "durationMinutes"),
        ({"duration_minutes": 100_000}, "durationMinutes"),
        ({"date_to": date(2026, 5, 31)}, "dateTo"),
        ({"date_from": date(1900, 1, 1)}, "dateFrom"),
        ({"capacity": -1}, "capacity"),
        ({"multiplier": Decimal(0)}, "multiplier"),
    ],
)
def test_a_rule_with_an_impossible_field_names_it(changes: dict[str, Any], field: str) -> None:
    assert _refusal(_rule(**changes)) == f"/rules/0/{field}"


def test_a_rule_must_fit_its_ticket() -> None:
    assert _refusal(_rule(), of=MUSEUM) == "/rules/0/openingHours"
    assert _refusal(replace(_day_rule(), start_times=("10:00",)), of=MUSEUM) == "/rules/0/startTimes"
    assert _refusal(_day_rule(("10:00", "25:00")), of=MUSEUM) == "/rules/0/openingHours/0"
    assert _refusal(_rule(option_id=uid("x")), code=Code.UNKNOWN_OPTION) == "/rules/0/optionId"


def test_the_same_start_twice_is_refused() -> None:
    assert _refusal(_rule(), _rule("FREQ=WEEKLY")) == "/rules/1"
    assert _refusal(_rule(start_times=("10:00", "10:00"))) == "/rules/0"
    assert _refusal(_day_rule(), _day_rule(("18:00", "20:00")), of=MUSEUM) == "/rules/1"


def test_a_schedule_of_too_many_rules_or_slots_or_a_closure_turned_round_is_refused() -> None:
    assert _refusal(*[_rule()] * 101) == "/rules"
    every_minute = tuple(f"{minute // 60:02}:{minute % 60:02}" for minute in range(24 * 60))
    assert _refusal(_rule(start_times=every_minute)) == "/rules/0"
    with pytest.raises(Refused) as refused:
        _plan(_rule(), closures=(Closure(TODAY, TODAY - timedelta(days=1)),))
    assert refused.value.pointer == "/closures/0/dateTo"
