"""The calendar file, read back by the rules of RFC 5545."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.documents.sample import URL, make_booking, make_item, make_unit_item, names_of
from ticketing_service.documents.calendar import booking_calendar
from ticketing_service.domain.bookings import Booking, BookingStatus


def lines_of(booking: Booking) -> list[str]:
    """Unfolded content lines."""
    content = booking_calendar(booking, names_of(booking), URL)
    assert content.endswith(b"\r\n")
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    return content.decode().replace("\r\n ", "").split("\r\n")


def test_a_timed_visit_is_given_in_instants() -> None:
    item = make_item()
    lines = lines_of(make_booking(item))
    assert lines[0] == "BEGIN:VCALENDAR"
    for line in (
        "METHOD:PUBLISH",
        f"UID:{item.id}@tickets.example.org",
        "DTSTART:20260701T080000Z",
        "DTEND:20260701T093000Z",
        "SEQUENCE:3",
        "STATUS:CONFIRMED",
        "SUMMARY:Canal tour",
        "LOCATION:Old Church 1",
    ):
        assert line in lines


def test_a_visit_at_any_hour_or_of_several_days_takes_whole_days() -> None:
    assert "DTEND;VALUE=DATE:20260702" in lines_of(make_booking(make_item(all_day=True)))
    lines = lines_of(make_booking(make_item(valid_days=3)))
    assert "DTSTART;VALUE=DATE:20260701" in lines
    assert "DTEND;VALUE=DATE:20260704" in lines


def test_texts_cannot_add_lines_and_long_ones_are_folded_between_characters() -> None:
    title = {"en": "A; b, c\\ d\r\nATTENDEE:x " + "é東" * 60}
    lines = lines_of(make_booking(make_item(title=title)))
    (summary,) = [line for line in lines if line.startswith("SUMMARY:")]
    assert summary == "SUMMARY:A\\; b\\, c\\\\ d\\nATTENDEE:x " + "é東" * 60
    assert not any(line.startswith("ATTENDEE") for line in lines)


def test_what_is_cancelled_says_so() -> None:
    gone = make_item(units=0)
    gone = replace(gone, units=(make_unit_item(BookingStatus.CANCELLED),))
    whole = make_booking(gone, status=BookingStatus.CANCELLED)
    assert "METHOD:CANCEL" in lines_of(whole)
    part = lines_of(make_booking(gone, make_item()))
    assert "METHOD:PUBLISH" in part
    assert [line for line in part if line.startswith("STATUS")] == ["STATUS:CANCELLED", "STATUS:CONFIRMED"]
