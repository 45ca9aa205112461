"""The gate: which entry right a scan uses, and what a code that is not good here says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.unit.domain.builders import START, admission, booking, uid
from ticketing_service.domain.bookings import BookingItem
from ticketing_service.domain.catalogue import TicketType
from ticketing_service.domain.entry import admission_window, entry_key
from ticketing_service.domain.errors import Code, Refused

MILLISECOND = timedelta(milliseconds=1)
POI, OTHER = uid("poi"), uid("other poi")
FROM, UNTIL = START - timedelta(hours=1), START + timedelta(hours=2)


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "ticket_type",
    [TicketType.SINGLE, TicketType.GROUP, TicketType.GUIDED_TOUR, TicketType.EXPERIENCE],
)
def test_most_tickets_admit_once_from_an_hour_before_the_start_until_the_end(ticket_type: TicketType) -> None:
    sold = admission(ticket_type=ticket_type)
    assert [entry_key(sold, POI, at) for at in (FROM, START, UNTIL)] == ["entry"] * 3


@pytest.mark.parametrize(
    "at, code",
    [
        (FROM - MILLISECOND, Code.ADMISSION_NOT_YET_VALID),
        (_utc("2026-06-30T22:00"), Code.ADMISSION_NOT_YET_VALID),
        (_utc("2026-06-30T21:59"), Code.ADMISSION_WRONG_DAY),
        (UNTIL + MILLISECOND, Code.ADMISSION_EXPIRED),
        (UNTIL + timedelta(days=30), Code.ADMISSION_EXPIRED),
    ],
)
def test_a_scan_at_the_wrong_time_says_which_it_is(at: datetime, code: Code) -> None:
    with pytest.raises(Refused) as refused:
        entry_key(admission(), POI, at)
    assert refused.value.code is code
    assert refused.value.facts is not None
    assert refused.value.facts["firstDay"] == "2026-07-01"
    assert refused.value.facts["validFrom"] == "2026-07-01T09:00:00+02:00"
    assert refused.value.facts["validUntil"] == "2026-07-01T12:00:00+02:00"


def test_another_place_is_told_with_the_right_ones_and_a_cancelled_one_first() -> None:
    with pytest.raises(Refused) as refused:
        entry_key(admission(), OTHER, START + timedelta(days=9))
    assert refused.value.code is Code.ADMISSION_WRONG_POI
    assert refused.value.facts is not None
    assert refused.value.facts["poiIds"] == [str(POI)]
    with pytest.raises(Refused) as refused:
        entry_key(admission(cancelled_at=START), OTHER, START)
    assert refused.value.code is Code.ADMISSION_CANCELLED


def test_a_combo_admits_once_at_each_of_its_places() -> None:
    sold = admission(ticket_type=TicketType.COMBO, poi_ids=(POI, OTHER))
    assert {entry_key(sold, poi, START) for poi in (POI, OTHER)} == {str(POI), str(OTHER)}


def _window(
    ticket_type: TicketType = TicketType.SINGLE, days: int = 1, all_day: bool = False, **changes: Any
) -> Any:
    item: BookingItem = booking().items[0]
    terms = replace(item.terms, ticket_type=ticket_type, valid_days=days, all_day=all_day)
    if all_day:
        midnight = item.local_start.replace(hour=0)
        changes = {"local_start": midnight, "starts_at": _utc("2026-06-30T22:00"), **changes}
    valid_from, valid_until, first_day = admission_window(replace(item, terms=terms, **changes))
    assert first_day == date(2026, 7, 1)
    return valid_from, valid_until


def test_the_window_of_a_start_is_an_hour_before_it_but_not_the_day_before() -> None:
    assert _window() == (FROM, UNTIL)
    early: dict[str, Any] = {"local_start": booking().items[0].local_start.replace(hour=0, minute=30)}
    assert _window(starts_at=_utc("2026-06-30T22:30"), **early)[0] == _utc("2026-06-30T22:00")


def test_the_window_of_a_day_is_from_midnight_to_the_last_closing() -> None:
    assert _window(all_day=True) == (_utc("2026-06-30T22:00"), UNTIL)


def test_a_ticket_of_several_days_is_good_to_the_end_of_the_last() -> None:
    assert _window(TicketType.MULTI_DAY, 3, all_day=True) == (
        _utc("2026-06-30T22:00"),
        _utc("2026-07-03T22:00"),
    )
    assert _window(TicketType.COMBO) == (_utc("2026-06-30T22:00"), _utc("2026-07-01T22:00"))
    until_two = booking().items[0].local_start.replace(day=2, hour=2)
    late = {"local_end": until_two, "ends_at": _utc("2026-07-02T00:00")}
    assert _window(TicketType.MULTI_DAY, 2, all_day=True, **late)[1] == _utc("2026-07-03T00:00")


def test_a_ticket_of_several_days_admits_once_each_local_day() -> None:
    until = _utc("2026-07-03T00:00")
    sold = admission(
        ticket_type=TicketType.MULTI_DAY, valid_days=2, valid_from=_utc("2026-06-30T22:00"), valid_until=until
    )
    days = [
        "2026-06-30T22:00",
        "2026-07-01T21:59",
        "2026-07-01T22:00",
        "2026-07-02T21:59",
        "2026-07-03T00:00",
    ]
    keys = ["2026-07-01", "2026-07-01", "2026-07-02", "2026-07-02", "2026-07-02"]
    assert [entry_key(sold, POI, _utc(at)) for at in days] == keys
    with pytest.raises(Refused, match="ADMISSION_EXPIRED"):
        entry_key(sold, POI, until + MILLISECOND)
