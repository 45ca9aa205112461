"""Loads the demo's destination through the public API: tickets, their schedules, vouchers.

A second run finds what is there and changes nothing; schedules that are about to end are prolonged. The
places themselves come to ticketing by POI_DIRECTORY.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from demo.api import Api, NobodyAnswers
from demo.catalogue import SCHEDULE_DAYS, Catalogue, Json, TicketPlan, VoucherPlan
from demo.run import SetupError, read_run

ZONE = ZoneInfo("Europe/Amsterdam")
PROLONG_WHEN_LEFT = timedelta(days=30)
PLACES_WAIT_SECONDS = 30.0
POLL_SECONDS = 0.1


class SeedFailed(Exception):
    """The API answered something else than it should; the message says what."""


@dataclass(slots=True)
class Tally:
    """What a run did."""

    new: dict[str, int] = field(default_factory=lambda: {"tickets": 0, "schedules": 0, "vouchers": 0})
    slots: int = 0

    def __str__(self) -> str:
        made = [f"{count} {what}" for what, count in self.new.items() if count]
        if not made:
            return "all of it was there already"
        return f"made {', '.join(made)}; {self.slots} slots for the next {SCHEDULE_DAYS} days"


class Seeder:
    """Creates what is missing. `memory` is the file that remembers the ids of the tickets."""

    def __init__(self, api: Api, catalogue: Catalogue, memory: Path) -> None:
        self._api, self._catalogue, self._memory = api, catalogue, memory
        self._token = api.token("ticket_manager")
        self._tally = Tally()

    def run(self) -> Tally:
        """Raises SeedFailed, NobodyAnswers."""
        known = self._known()
        ids: dict[str, str] = {}
        today = datetime.now(ZONE).date()
        for plan in self._catalogue.tickets:
            ids[plan.slug] = known.get(plan.slug) or self._create(plan)
            self._schedule(plan, ids[plan.slug], today)
        self._remember(ids)
        taken = {each["code"] for each in self._list("/vouchers")}
        for voucher in self._catalogue.vouchers:
            if voucher.code not in taken:
                self._issue(voucher, ids)
        return self._tally

    def _known(self) -> dict[str, str]:
        """The tickets that are there: by remembered id, whatever became of them, or else by title."""
        remembered: dict[str, str] = json.loads(self._memory.read_text()) if self._memory.exists() else {}
        on_sale = {each["title"]: each["id"] for each in self._list("/tickets", lang="en")}
        found: dict[str, str] = {}
        for plan in self._catalogue.tickets:
            ticket_id = remembered.get(plan.slug, "")
            if ticket_id in on_sale.values() or (ticket_id and self._exists(ticket_id)):
                found[plan.slug] = ticket_id
            elif plan.title in on_sale:
                found[plan.slug] = on_sale[plan.title]
        return found

    def _exists(self, ticket_id: str) -> bool:
        answer = self._api.send("GET", f"/tickets/{ticket_id}", token=self._token)
        return answer.status_code != 404 and bool(_expect(answer, 200))

    def _create(self, plan: TicketPlan) -> str:
        """Create the ticket, once the worker has taken over its places."""
        body = plan.body
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        key = f"demo-{plan.slug[:30]}-{digest[:16]}"
        deadline = time.monotonic() + PLACES_WAIT_SECONDS
        while True:
            answer = self._api.send("POST", "/tickets", token=self._token, key=key, body=body)
            unknown_place = answer.status_code == 422 and answer.json()["code"] == "UNKNOWN_POI"
            if not unknown_place or time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        self._tally.new["tickets"] += 1
        return str(_expect(answer, 201)["id"])

    def _schedule(self, plan: TicketPlan, ticket_id: str, today: date) -> None:
        path = f"/tickets/{ticket_id}/schedule"
        present = _expect(self._api.send("GET", path, token=self._token), 200)
        wanted = prolonged(present, today) if present["rules"] else self._first(plan, ticket_id, today)
        if wanted is None:
            return
        answer = self._api.send("PUT", path, token=self._token, body=wanted)
        if answer.status_code == 409 and answer.json()["code"] == "TICKET_ARCHIVED":
            return
        self._tally.new["schedules"] += 1
        self._tally.slots += _expect(answer, 200)["created"]

    def _first(self, plan: TicketPlan, ticket_id: str, today: date) -> Json:
        ticket = _expect(self._api.send("GET", f"/tickets/{ticket_id}", token=self._token), 200)
        return plan.schedule([option["id"] for option in ticket["options"]], today)

    def _issue(self, voucher: VoucherPlan, ticket_ids: Mapping[str, str]) -> None:
        body = voucher.body(ticket_ids, datetime.now(UTC))
        _expect(self._api.send("POST", "/vouchers", token=self._token, body=body), 201)
        self._tally.new["vouchers"] += 1

    def _list(self, path: str, **query: str) -> Iterator[Json]:
        asked = {"limit": "100", **query}
        while True:
            page = _expect(self._api.send("GET", path, token=self._token, query=asked), 200)
            yield from page["data"]
            if page["nextCursor"] is None:
                return
            asked["cursor"] = page["nextCursor"]

    def _remember(self, ids: Mapping[str, str]) -> None:
        self._memory.parent.mkdir(parents=True, exist_ok=True)
        part = self._memory.with_suffix(".part")
        part.write_text(json.dumps(ids, indent=2) + "\n")
        part.replace(self._memory)


def prolonged(schedule: Json, today: date) -> Json | None:
    """The schedule with its ends moved to 60 days from today; None while none of them is near."""
    near = (today + PROLONG_WHEN_LEFT).isoformat()
    if not any(rule["dateTo"] is not None and rule["dateTo"] < near for rule in schedule["rules"]):
        return None
    end = (today + timedelta(days=SCHEDULE_DAYS)).isoformat()
    rules = [{**rule, "dateTo": rule["dateTo"] and max(rule["dateTo"], end)} for rule in schedule["rules"]]
    return {**schedule, "rules": rules}


def _expect(answer: httpx.Response, status: int) -> Any:
    if answer.status_code != status:
        request = f"{answer.request.method} {answer.request.url.path}"
        raise SeedFailed(f"{request} was answered {answer.status_code}, not {status}: {answer.text}")
    return answer.json()


def main() -> int:
    """Seed; 1 with one line when that fails."""
    began = time.monotonic()
    try:
        run = read_run(os.environ)
        with Api(run.url("GATEWAY_PORT", "/api/v1"), run.data_dir) as api:
            tally = Seeder(api, Catalogue(), run.data_dir / "demo" / "seeded.json").run()
    except (SeedFailed, NobodyAnswers, SetupError) as error:
        sys.stderr.write(f"seed: {error}\n")
        return 1
    print(f"the demo's destination: {tally} ({time.monotonic() - began:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
