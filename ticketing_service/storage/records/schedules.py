"""Schedules as plain data, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from ticketing_service.domain.slots import Closure, OpeningHours, Schedule, ScheduleRule


def hours_json(hours: Iterable[OpeningHours]) -> list[list[str]]:
    """Opening hours as JSON values."""
    return [[span.opens, span.closes] for span in hours]


def schedule_json(schedule: Schedule) -> dict[str, Any]:
    """The schedule as JSON values."""
    return {
        "rules": [
            {
                "optionId": str(rule.option_id),
                "rrule": rule.rrule,
                "from": rule.date_from.isoformat(),
                "to": None if rule.date_to is None else rule.date_to.isoformat(),
                "startTimes": list(rule.start_times),
                "durationMinutes": rule.duration_minutes,
                "openingHours": hours_json(rule.opening_hours),
                "capacity": rule.capacity,
                "multiplier": str(rule.multiplier),
            }
            for rule in schedule.rules
        ],
        "closures": [[c.date_from.isoformat(), c.date_to.isoformat()] for c in schedule.closures],
    }


def schedule_of(data: Mapping[str, Any]) -> Schedule:
    """The schedule that `schedule_json` has written."""
    closures = (tuple(map(date.fromisoformat, dates)) for dates in data["closures"])
    return Schedule(tuple(map(_rule, data["rules"])), tuple(Closure(*dates) for dates in closures))


def _rule(data: Mapping[str, Any]) -> ScheduleRule:
    return ScheduleRule(
        option_id=UUID(data["optionId"]),
        rrule=data["rrule"],
        date_from=date.fromisoformat(data["from"]),
        date_to=None if data["to"] is None else date.fromisoformat(data["to"]),
        start_times=tuple(data["startTimes"]),
        duration_minutes=data["durationMinutes"],
        opening_hours=tuple(OpeningHours(*hours) for hours in data["openingHours"]),
        capacity=data["capacity"],
        multiplier=Decimal(data["multiplier"]),
    )
