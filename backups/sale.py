"""One sale through the services' own API, as staff and a visitor make it: that a restored shop can sell."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Any

import httpx

from common.backups.faults import BackupFault

TIMEOUT_SECONDS = 30.0
BUSY_SECONDS, PAUSE_SECONDS = 60.0, 0.5
PLACES = 10
VISITOR = {"name": "Restore Drill", "email": "restore-drill@example.org", "language": "en"}

Json = dict[str, Any]


class Sale:
    """`ticketing` and `admin`: the addresses of the services, with their prefixes. Raises BackupFault."""

    def __init__(self, ticketing: str, admin: str, account: Mapping[str, str]) -> None:
        """`account`: e-mail and password of a platform administrator who is a ticket manager."""
        self._ticketing, self._admin, self._account = ticketing, admin, account
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False)

    def run(self) -> str:
        """Sell one free ticket; one line on it, or on why there is nothing to sell."""
        with self._client:
            bearer = self._sign_in()
            self._open_to_the_public(bearer)
            offered = self._ask("GET", f"{self._ticketing}/tickets", 200, params={"limit": 1}).json()["data"]
            if not offered:
                return "nothing is on sale: no sale was tried"
            slot = self._new_slot(offered[0], bearer)
            reference = self._buy(slot)
            left = self._slot(slot["ticketId"])["vacancies"]
            if left != PLACES - 1:
                raise BackupFault(f"of {PLACES} places {left} are left after the sale of one")
            return f"sold {reference}, and {left} of {PLACES} places are left"

    def _sign_in(self) -> dict[str, str]:
        body = dict(self._account)
        token = self._ask("POST", f"{self._admin}/auth/login", 200, json=body).json()["accessToken"]
        return {"Authorization": f"Bearer {token}"}

    def _open_to_the_public(self, bearer: Mapping[str, str]) -> None:
        """The backup may be of an hour at which nobody could buy."""
        path = f"{self._admin}/system/mode"
        present = self._ask("GET", path, 200, headers=bearer)
        if present.json()["mode"] != "normal":
            headers = {**bearer, "If-Match": present.headers["ETag"]}
            self._ask("PUT", path, 200, headers=headers, json={"mode": "normal", "reason": "restore drill"})

    def _new_slot(self, like: Json, bearer: Mapping[str, str]) -> Json:
        """Places tomorrow, for nothing, where something else is on sale already."""
        currency = like["options"][0]["units"][0]["price"]["currency"]
        unit = {
            "type": "ADULT",
            "title": {"en": "Drill"},
            "paxCount": 1,
            "price": {"amount": 0, "currency": currency},
        }
        ticket = {
            "poiId": like["poiId"],
            "type": "single",
            "status": "active",
            "availabilityType": "OPENING_HOURS",
            "title": {"en": "Restore drill"},
            "description": {"en": "Restore drill"},
            "options": [{"title": {"en": "Drill"}, "default": True, "units": [unit]}],
        }
        headers = {**bearer, "Idempotency-Key": token_urlsafe(18)}
        made = self._ask("POST", f"{self._ticketing}/tickets", 201, headers=headers, json=ticket).json()
        rule = {
            "optionId": made["options"][0]["id"],
            "rrule": "FREQ=DAILY",
            "openingHours": [{"opens": "08:00", "closes": "20:00"}],
            "capacity": PLACES,
            **dict.fromkeys(("dateFrom", "dateTo"), _day()),
        }
        path = f"{self._ticketing}/tickets/{made['id']}/schedule"
        self._ask("PUT", path, 200, headers=bearer, json={"rules": [rule]})
        return self._slot(made["id"])

    def _slot(self, ticket_id: str) -> Json:
        path = f"{self._ticketing}/tickets/{ticket_id}/availability"
        found = self._ask("GET", path, 200, params={"from": _day(), "to": _day()}).json()["data"]
        if not found:
            raise BackupFault("a new schedule made no slot")
        return dict(found[0])

    def _buy(self, slot: Json) -> str:
        """Hold and confirm; the reference."""
        units = [{"unitId": slot["units"][0]["unitId"], "quantity": 1}]
        body = {"items": [{"slotId": slot["id"], "units": units}], "customer": VISITOR}
        headers = {"Idempotency-Key": token_urlsafe(18)}
        held = self._ask("POST", f"{self._ticketing}/bookings", 201, headers=headers, json=body).json()
        bearer = {"Authorization": f"Bearer {held['accessToken']}"}
        path = f"{self._ticketing}/bookings/{held['id']}"
        done = self._ask("POST", f"{path}/confirm", 200, headers=bearer).json()
        again = self._ask("GET", path, 200, headers=bearer).json()
        if done["status"] != "confirmed" or again["status"] != "confirmed":
            raise BackupFault(f"the booking is {again['status']}, not confirmed")
        return str(again["reference"])

    def _ask(self, method: str, url: str, status: int, **more: Any) -> httpx.Response:
        """Again, for a while, when a service says that it is too busy: what is asked may be asked twice."""
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                answer = self._client.request(method, url, **more)
            except httpx.TransportError as error:
                raise BackupFault(f"{method} {url}: no answer: {error}") from error
            if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                break
            time.sleep(PAUSE_SECONDS)
        if answer.status_code != status:
            raise BackupFault(f"{method} {url}: {answer.status_code}, not {status}: {answer.text[:300]}")
        return answer


def _day() -> str:
    return (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
