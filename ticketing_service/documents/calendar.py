"""A booking's visits as a calendar file (RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from common.texts import text_in
from ticketing_service.documents.wording import wording
from ticketing_service.domain.bookings import Booking, BookingItem, BookingStatus

MAX_LINE_BYTES = 75
CANCELLED = (BookingStatus.CANCELLED, BookingStatus.EXPIRED)


def booking_calendar(booking: Booking, poi_names: Mapping[UUID, str], public_url: str) -> bytes:
    """One event an item, in the customer's language; a later version of the booking replaces an earlier one.

    METHOD is CANCEL when the whole booking is cancelled, else PUBLISH. `poi_names` are in that language too.
    """
    method = "CANCEL" if booking.status in CANCELLED else "PUBLISH"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//destination//ticketing//EN",
        "CALSCALE:GREGORIAN",
        f"METHOD:{method}",
    ]
    for item in booking.items:
        lines += _event(booking, item, poi_names, public_url)
    lines.append("END:VCALENDAR")
    return b"".join(part + b"\r\n" for line in lines for part in _folded(line))


def _event(
    booking: Booking, item: BookingItem, poi_names: Mapping[UUID, str], public_url: str
) -> Iterable[str]:
    language = booking.customer.language
    words = wording(language)
    title = text_in(item.terms.ticket_title, language)
    places = ", ".join(poi_names[poi_id] for poi_id in item.terms.poi_ids if poi_id in poi_names)
    description = f"{words.label('reference')}: {booking.reference}\n{words.time_of(item)}"
    return [
        "BEGIN:VEVENT",
        f"UID:{item.id}@{urlsplit(public_url).hostname or 'localhost'}",
        f"DTSTAMP:{_utc(booking.updated_at)}",
        f"SEQUENCE:{booking.version}",
        *_times(item),
        f"STATUS:{'CANCELLED' if item.status in CANCELLED else 'CONFIRMED'}",
        f"SUMMARY:{_escaped(title)}",
        *([f"LOCATION:{_escaped(places)}"] if places else []),
        f"DESCRIPTION:{_escaped(description)}",
        "END:VEVENT",
    ]


def _times(item: BookingItem) -> tuple[str, str]:
    """Instants, which need no time zone rules; whole days where the visitor comes when they like."""
    first = item.local_start.date()
    if item.terms.all_day or item.terms.valid_days > 1:
        after = first + timedelta(days=item.terms.valid_days)
        return f"DTSTART;VALUE=DATE:{_day(first)}", f"DTEND;VALUE=DATE:{_day(after)}"
    return f"DTSTART:{_utc(item.starts_at)}", f"DTEND:{_utc(item.ends_at)}"


def _utc(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _escaped(text: str) -> str:
    """TEXT (section 3.3.11): no line break and no separator of ours comes through."""
    one_line = "\n".join(text.splitlines())
    for sign, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        one_line = one_line.replace(sign, written)
    return "".join(sign for sign in one_line if sign.isprintable())


def _folded(line: str) -> Iterator[bytes]:
    """Lines of at most 75 bytes (section 3.1), never cut within a character; each but the first begins with a
    space."""
    part = b""
    for sign in line:
        encoded = sign.encode()
        if len(part) + len(encoded) > MAX_LINE_BYTES:
            yield part
            part = b" "
        part += encoded
    yield part
