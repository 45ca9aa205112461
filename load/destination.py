"""The destination that visitors come to: places, walk-in and timed tickets, and what wrk buys."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from common.identifiers import uuid7
from demo.api import Api

Json = dict[str, Any]

THINGS = ("Museum", "Castle", "Garden", "Harbour", "Cave", "Tower")
TOWNS = ("Marisol", "Alcova")
CATEGORIES = ("museum", "castle", "park", "harbour", "nature", "viewpoint")
ZONES = ("Europe/Amsterdam", "America/New_York")
LATE_HOUR = 20
DAYS = 14
STARTS = ("10:00", "12:00", "14:00", "16:00")
WALK_IN_PLACES, TIMED_PLACES = 50_000, 200
"""Walk-in days hardly sell out; timed tours may, and visitors then hear SOLD_OUT."""

MANY_PLACES = 1_000_000
SPREAD_DAYS = 4
PLACES_WAIT_SECONDS = 30.0


class FillFailed(Exception):
    """The API did not take the destination; the message says what it answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sells:
    """What there is. `spread` are slots of a free ticket that never sell out; `rush_slot` has
    `rush_places`."""

    words: tuple[str, ...]
    ticket_path: str
    search_path: str
    calendar_path: str
    free_unit: UUID
    spread: tuple[UUID, ...]
    rush_ticket: UUID
    rush_unit: UUID
    rush_slot: UUID
    rush_places: int


def time_zone(now: datetime) -> str:
    """Where it is not yet late, so that today's tickets are good for a while."""
    return next((zone for zone in ZONES if now.astimezone(ZoneInfo(zone)).hour < LATE_HOUR), ZONES[-1])


def write_places(path: Path, zone: str) -> list[str]:
    """The POI directory's file; the ids of its places."""
    ids = [str(uuid7()) for _ in range(len(THINGS) * len(TOWNS))]
    features = [_place(number, poi_id, zone) for number, poi_id in enumerate(ids)]
    path.write_bytes(orjson.dumps({"type": "FeatureCollection", "features": features}))
    return ids


def fill(api: Api, token: str, places: list[str], zone: str, rush_places: int) -> Sells:
    """Put everything on sale, through the API as a ticket manager does it. Raises FillFailed."""
    filler = _Filler(api, token, datetime.now(ZoneInfo(zone)).date())
    tickets = [
        filler.ticket(poi_id, number, walk_in=walk_in)
        for number, poi_id in enumerate(places)
        for walk_in in (True, False)
    ]
    free, spread = filler.special(places[0], "Free concert", 0, SPREAD_DAYS, STARTS, MANY_PLACES)
    rush, (rush_slot,) = filler.special(places[1], "Fireworks", 2500, 1, STARTS[:1], rush_places)
    begin = filler.today + timedelta(days=1)
    period = f"from={begin}&to={begin + timedelta(days=DAYS - 1)}"
    timed = tickets[1]
    return Sells(
        words=tuple(thing.lower() for thing in THINGS) + tuple(town.lower() for town in TOWNS),
        ticket_path=f"/api/v1/tickets/{timed['id']}",
        search_path=f"/api/v1/tickets?q={THINGS[1].lower()}&limit=20",
        calendar_path=f"/api/v1/tickets/{timed['id']}/availability?{period}",
        free_unit=_first_unit(free),
        spread=tuple(UUID(slot) for slot in spread),
        rush_ticket=UUID(rush["id"]),
        rush_unit=_first_unit(rush),
        rush_slot=UUID(rush_slot),
        rush_places=rush_places,
    )


class _Filler:
    def __init__(self, api: Api, token: str, today: date) -> None:
        self.today = today
        self._api, self._token = api, token

    def ticket(self, poi_id: str, number: int, *, walk_in: bool) -> Json:
        """One of the two tickets of a place: come when it is open, or at a time."""
        thing, town = THINGS[number % len(THINGS)], TOWNS[number % len(TOWNS)]
        title = f"{thing} of {town}, {'day ticket' if walk_in else 'guided tour'}"
        kind = "single" if walk_in else "guided-tour"
        ticket = self._create(poi_id, title, kind, 900 + 50 * number, walk_in=walk_in)
        if walk_in:
            hours = {"openingHours": [{"opens": "00:00", "closes": "23:59"}], "capacity": WALK_IN_PLACES}
            self._schedule(ticket, self.today, DAYS, hours)
        else:
            times = {"startTimes": STARTS, "durationMinutes": 90, "capacity": TIMED_PLACES}
            self._schedule(ticket, self.today + timedelta(days=1), DAYS, times)
        return ticket

    def special(
        self, poi_id: str, title: str, price: int, days: int, starts: tuple[str, ...], capacity: int
    ) -> tuple[Json, list[str]]:
        """A ticket that no visitor searches for, and its slots."""
        ticket = self._create(poi_id, title, "experience", price, walk_in=False)
        begin = self.today + timedelta(days=1)
        times = {"startTimes": starts, "durationMinutes": 90, "capacity": capacity}
        self._schedule(ticket, begin, days, times)
        query = {"from": begin.isoformat(), "to": (begin + timedelta(days=days)).isoformat()}
        slots = self._ask("GET", f"/tickets/{ticket['id']}/availability", 200, query=query)["data"]
        return ticket, [slot["id"] for slot in slots]

    def _create(self, poi_id: str, title: str, kind: str, price: int, *, walk_in: bool) -> Json:
        unit = {
            "type": "ADULT",
            "title": {"en": "Adult", "nl": "Volwassene", "de": "Erwachsene"},
            "price": {"amount": price, "currency": "EUR"},
        }
        option = {"title": {"en": "Admission"}, "default": True, "units": [unit]}
        body = {
            "poiId": poi_id,
            "type": kind,
            "status": "active",
            "availabilityType": "OPENING_HOURS" if walk_in else "START_TIME",
            "title": {"en": title, "nl": title, "de": title},
            "description": {"en": f"{title}. An hour well spent, with a guide on request. " * 3},
            "options": [option],
            **({"cutoffMinutes": 0} if walk_in else {}),
        }
        # The worker takes the places over from their file a moment after the start.
        deadline, key = time.monotonic() + PLACES_WAIT_SECONDS, secrets.token_urlsafe(18)
        while True:
            answer = self._api.send("POST", "/tickets", token=self._token, key=key, body=body)
            waiting = answer.status_code == 422 and answer.json()["code"] == "UNKNOWN_POI"
            if not waiting or time.monotonic() > deadline:
                return _expect(answer, 201)
            time.sleep(0.1)

    def _schedule(self, ticket: Json, begin: date, days: int, rule: Mapping[str, Any]) -> None:
        period = {"dateFrom": begin.isoformat(), "dateTo": (begin + timedelta(days=days - 1)).isoformat()}
        body = {"rules": [{"optionId": ticket["options"][0]["id"], "rrule": "FREQ=DAILY", **period, **rule}]}
        self._ask("PUT", f"/tickets/{ticket['id']}/schedule", 200, body=body)

    def _ask(self, method: str, path: str, status: int, **more: Any) -> Json:
        return _expect(self._api.send(method, path, token=self._token, **more), status)


def _expect(answer: Any, status: int) -> Json:
    if answer.status_code != status:
        request = f"{answer.request.method} {answer.request.url.path}"
        raise FillFailed(f"{request} was answered {answer.status_code}, not {status}: {answer.text}")
    found: Json = answer.json()
    return found


def _first_unit(ticket: Json) -> UUID:
    return UUID(ticket["options"][0]["units"][0]["id"])


def _place(number: int, poi_id: str, zone: str) -> Json:
    name = f"{THINGS[number % len(THINGS)]} of {TOWNS[number % len(TOWNS)]}"
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [3.9 + number / 100, 51.6 + number / 100]},
        "properties": {
            "id": poi_id,
            "names": {"en": name, "nl": name, "de": name},
            "city": TOWNS[number % len(TOWNS)],
            "category": CATEGORIES[number % len(CATEGORIES)],
            "timeZone": zone,
            "version": 1,
        },
    }
