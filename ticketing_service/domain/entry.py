"""Who may come in when, where and how often."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import IntEnum
from typing import Any
from uuid import UUID

from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.bookings import BookingItem
from ticketing_service.domain.catalogue import TicketType
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.local_time import instant_of, local_day, with_offset

EARLY_ENTRY = timedelta(minutes=60)
"""Gates let people in that long before the start."""

ONE_ENTRY = "entry"


class EntryMode(IntEnum):
    """What one entry right is good for; the number stands in the admission code."""

    ONCE = 0
    EACH_DAY = 1
    EACH_POI = 2
    TEST = 3
    """Nothing: no gate lets anybody in with it."""


def entry_mode(ticket_type: TicketType) -> EntryMode:
    """multi-day: one entry each local day. combo: one at each POI. All others: one entry."""
    if ticket_type is TicketType.MULTI_DAY:
        return EntryMode.EACH_DAY
    return EntryMode.EACH_POI if ticket_type is TicketType.COMBO else EntryMode.ONCE


def admission_window(item: BookingItem) -> tuple[datetime, datetime, date]:
    """From when until when (both included) an item's admissions are good, and their first local day.

    START_TIME: from 60 minutes before the start, on the same day, until the end. OPENING_HOURS: from
    midnight until the last closing. A combo, whose other places do not keep the slot's time, is good all of
    its days; a ticket of several days all of those after the first.
    """
    days, first_day, zone = item.terms.valid_days, item.local_start.date(), item.time_zone
    mode = entry_mode(item.terms.ticket_type)
    midnight = instant_of(datetime.combine(first_day, time.min), zone)
    whole_days = mode is EntryMode.EACH_POI and not item.terms.all_day
    valid_from = midnight
    if not item.terms.all_day and not whole_days:
        valid_from = max(midnight, item.starts_at - EARLY_ENTRY)
    valid_until = item.ends_at
    if days > 1 or whole_days:
        day_after = datetime.combine(first_day + timedelta(days=days), time.min)
        closing = item.local_end + timedelta(days=days - 1)
        valid_until = max(valid_until, instant_of(max(day_after, closing), zone))
    return valid_from, valid_until, first_day


def entry_key(admission: Admission, poi_id: UUID, at: datetime) -> str:
    """The entry right that a scan at `poi_id` at the instant `at` would use: unique for each admission.

    `entry`, or the local day (multi-day), or the POI's id (combo). A later day is expired, an earlier one
    the wrong day. Raises ADMISSION_CANCELLED, ADMISSION_WRONG_POI, ADMISSION_WRONG_DAY,
    ADMISSION_NOT_YET_VALID or ADMISSION_EXPIRED, with what would be right as facts.
    """
    facts = _facts(admission)
    if admission.cancelled_at is not None:
        raise Refused(Code.ADMISSION_CANCELLED, "The admission was cancelled.", facts=facts)
    if poi_id not in admission.poi_ids:
        raise Refused(Code.ADMISSION_WRONG_POI, "The admission is for another place.", "/poiId", facts)
    day = local_day(at, admission.time_zone)
    if at < admission.valid_from:
        if day < admission.first_day:
            detail = f"The admission is for {admission.first_day.isoformat()}."
            raise Refused(Code.ADMISSION_WRONG_DAY, detail, facts=facts)
        detail = f"The admission is good from {facts['validFrom']}."
        raise Refused(Code.ADMISSION_NOT_YET_VALID, detail, facts=facts)
    if at > admission.valid_until:
        detail = f"The admission was good until {facts['validUntil']}."
        raise Refused(Code.ADMISSION_EXPIRED, detail, facts=facts)
    mode = entry_mode(admission.ticket_type)
    if mode is EntryMode.EACH_DAY:
        # After midnight on the last night it is still the last day.
        return min(day, _last_day(admission)).isoformat()
    return str(poi_id) if mode is EntryMode.EACH_POI else ONE_ENTRY


def _last_day(admission: Admission) -> date:
    return admission.first_day + timedelta(days=admission.valid_days - 1)


def _facts(admission: Admission) -> Mapping[str, Any]:
    zone = admission.time_zone
    return {
        "firstDay": admission.first_day.isoformat(),
        "lastDay": _last_day(admission).isoformat(),
        "validFrom": with_offset(admission.valid_from, zone),
        "validUntil": with_offset(admission.valid_until, zone),
        "timeZone": zone,
        "poiIds": [str(poi_id) for poi_id in admission.poi_ids],
    }
