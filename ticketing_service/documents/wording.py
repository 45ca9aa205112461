"""The words of documents and mail in each language, and how dates, times and money are written there."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from common.texts import LANGUAGES
from ticketing_service.domain.bookings import BookingItem
from ticketing_service.domain.local_time import in_zone

# Digits after the decimal sign (ISO 4217), where they are not two.
MINOR_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX"), 0),
    **dict.fromkeys(("VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}


class Wording:
    """What is said in one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        name = f"{language}.json"
        texts = orjson.loads((files("ticketing_service.documents") / "texts" / name).read_bytes())
        self._format: dict[str, Any] = texts["format"]
        self._labels: dict[str, str] = texts["label"]
        self.mail: dict[str, Any] = texts["mail"]

    def label(self, name: str, **values: object) -> str:
        """A short text of a document. Raises KeyError."""
        return self._labels[name].format_map(values)

    def date(self, day: date) -> str:
        """A day in full: `Wednesday 1 July 2026`."""
        return str(self._format["date"]).format(
            weekday=self._format["weekdays"][day.weekday()],
            day=day.day,
            month=self._format["months"][day.month - 1],
            year=day.year,
        )

    def money(self, amount: int, currency: str) -> str:
        """Minor units as an amount: `12.50 EUR`."""
        digits = MINOR_DIGITS.get(currency, 2)
        whole, rest = divmod(abs(amount), 10**digits)
        decimals = f"{self._format['decimal']}{rest:0{digits}d}" if digits else ""
        return f"{'-' if amount < 0 else ''}{whole}{decimals} {currency}"

    def people(self, count: int) -> str:
        """`1 person`, `4 people`."""
        return f"{count} {self.label('person' if count == 1 else 'people')}"

    def days_of(self, item: BookingItem) -> str:
        """The day of a visit, or its first and last."""
        first = item.local_start.date()
        if item.terms.valid_days == 1:
            return self.date(first)
        last = first + timedelta(days=item.terms.valid_days - 1)
        return self.label("valid_days", first=self.date(first), last=self.date(last))

    def time_of(self, item: BookingItem) -> str:
        """The time of a visit with its zone: `10:00 - 11:30 (CEST)`, or that any opening hour will do."""
        if item.terms.all_day:
            return self.label("opening_hours")
        start, end = item.local_start, item.local_end
        until = f"{end:%H:%M}" if end.date() == start.date() else f"{self.date(end.date())} {end:%H:%M}"
        return f"{start:%H:%M} - {until} ({zone_name(item.starts_at, item.time_zone)})"


def zone_name(instant: datetime, zone: str) -> str:
    """What clocks there are on: `CEST`; the difference from UTC where the zone has no letters for it."""
    name = in_zone(instant, zone).tzname() or zone
    return name if name.isalpha() else f"UTC{name}"


@cache
def wording(language: str) -> Wording:
    """The words of `language`, of English where there are none."""
    return Wording(language if language in LANGUAGES else LANGUAGES[0])
