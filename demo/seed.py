"""Loads the demo's destination through the public API: users, places, tickets, their schedules, vouchers, and
a reseller's keys.

A second run finds what is there and changes nothing; schedules that are about to end are prolonged. The
places come to the admin service, and ticketing follows them.
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
from zoneinfo import ZoneInfo

from demo.api import Api, NobodyAnswers, Refused, expect
from demo.catalogue import SCHEDULE_DAYS, Catalogue, Json, TicketPlan, VoucherPlan
from demo.places import Places
from demo.reselling import Reselling
from demo.run import Run, SetupError, read_run
from demo.staff import ADMINISTRATOR, Hiring, SignInRefused, sign_in

ZONE = ZoneInfo("Europe/Amsterdam")
PROLONG_WHEN_LEFT = timedelta(days=30)
PLACES_WAIT_SECONDS = 30.0
POLL_SECONDS = 0.1
KINDS = ("users", "places", "tickets", "schedules", "vouchers", "keys")


@dataclass(slots=True)
class Tally:
    """What a run did."""

    new: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    slots: int = 0

    def __str__(self) -> str:
        made = [f"{count} {what}" for what, count in self.new.items() if count]
        if not made:
            return "all of it was there already"
        return f"made {', '.join(made)}; {self.slots} slots for the next {SCHEDULE_DAYS} days"


class Seeder:
    """Creates the tickets that are missing. `token` is a ticket manager's; `memory` is the file that
    remembers the ids of the tickets.
    """

    def __init__(self, api: Api, token: str, catalogue: Catalogue, memory: Path, tally: Tally) -> None:
        self._api, self._token, self._catalogue, self._memory = api, token, catalogue, memory
        self._tally = tally

    def run(self) -> None:
        """Raises Refused, NobodyAnswers."""
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
        return answer.status_code != 404 and bool(expect(answer, 200))

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
        return str(expect(answer, 201)["id"])

    def _schedule(self, plan: TicketPlan, ticket_id: str, today: date) -> None:
        path = f"/tickets/{ticket_id}/schedule"
        present = expect(self._api.send("GET", path, token=self._token), 200)
        wanted = prolonged(present, today) if present["rules"] else self._first(plan, ticket_id, today)
        if wanted is None:
            return
        answer = self._api.send("PUT", path, token=self._token, body=wanted)
        if answer.status_code == 409 and answer.json()["code"] == "TICKET_ARCHIVED":
            return
        self._tally.new["schedules"] += 1
        self._tally.slots += expect(answer, 200)["created"]

    def _first(self, plan: TicketPlan, ticket_id: str, today: date) -> Json:
        ticket = expect(self._api.send("GET", f"/tickets/{ticket_id}", token=self._token), 200)
        return plan.schedule([option["id"] for option in ticket["options"]], today)

    def _issue(self, voucher: VoucherPlan, ticket_ids: Mapping[str, str]) -> None:
        body = voucher.body(ticket_ids, datetime.now(UTC))
        expect(self._api.send("POST", "/vouchers", token=self._token, body=body), 201)
        self._tally.new["vouchers"] += 1

    def _list(self, path: str, **query: str) -> Iterator[Json]:
        asked = {"limit": "100", **query}
        while True:
            page = expect(self._api.send("GET", path, token=self._token, query=asked), 200)
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


def load(run: Run, api: Api, mail_folder: Path | None) -> Tally:
    """Users, places, tickets and a reseller. Raises Refused, SignInRefused, NobodyAnswers."""
    # At the service itself: the gateway lets one address sign in ten times a minute, and `make try` is next.
    auth = run.url("ADMIN_PORT", "/api/admin/auth")
    hiring, tally, file = Hiring(api, auth, run.data_dir, mail_folder), Tally(), Catalogue()
    staff = hiring.run()
    places = Places(api, sign_in(api, auth, staff["editor"]))
    catalogue = Catalogue(places.load(file.places))
    tally.new |= {"users": hiring.new, "places": places.new}
    memory = run.data_dir / "demo" / "seeded.json"
    Seeder(api, sign_in(api, auth, staff["ticket_manager"]), catalogue, memory, tally).run()
    reselling = Reselling(api, sign_in(api, auth, staff[ADMINISTRATOR]), run.data_dir)
    reselling.run()
    tally.new["keys"] = reselling.new
    return tally


def main() -> int:
    """Seed; 1 with one line when that fails."""
    began = time.monotonic()
    try:
        run = read_run(os.environ)
        mail_folder = None if os.environ.get("SMTP_URL") else run.data_dir / "mail"
        with Api(run.url("GATEWAY_PORT", "/api/v1")) as api:
            tally = load(run, api, mail_folder)
    except SignInRefused as error:
        # the product runs, with whatever is in it: who changed a password keeps it
        print(f"nothing was loaded: {error}")
        return 0
    except (Refused, NobodyAnswers, SetupError) as error:
        sys.stderr.write(f"seed: {error}\n")
        return 1
    print(f"the demo's destination: {tally} ({time.monotonic() - began:.1f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
