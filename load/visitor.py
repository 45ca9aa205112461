"""The visitor: searches, looks, checks, and sometimes books, pays, and comes to the gate."""

from __future__ import annotations

import random
import secrets
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urljoin
from uuid import UUID

from locust import task

from demo.payment_form import PaymentForm
from load.names import (
    ADMISSIONS,
    CONFIRMED_BY_WEBHOOK,
    CONFIRMED_ON_RETURN,
    PAYMENT_PAGE,
    PAYMENT_PRESS,
)
from load.people import API, Code, Json, Person, Wrong, new_key
from load.recorder import SOLD_OUT

POLL_SECONDS = 0.1
PATIENCE_SECONDS = 30.0
DAYS_SHOWN = 6
LANGUAGES = ("en", "nl", "de")


class Visitor(Person):
    """Three of ten who look buy."""

    @task(7)
    def look(self) -> None:
        """Search, look at a ticket and its calendar, and leave."""
        self.move()
        try:
            self._choose()
        except Wrong:
            return

    @task(3)
    def buy(self) -> None:
        """The whole way to the gate."""
        self.move()
        try:
            ticket, slot = self._choose()
            if slot is None:
                return
            items = self._items(ticket, slot)
            self.think(1, 3)
            total = self._quote(items)
            self.think(0.5, 2)
            booking = self._book_and_pay(items, total)
            if booking is not None:
                self._receive(booking, ticket, slot)
        except Wrong:
            return

    def _choose(self) -> tuple[Json, Json | None]:
        """A ticket that was searched for, and one of its slots with room."""
        language = random.choice(LANGUAGES)
        word = random.choice(self.plan.words)
        path = f"{API}/tickets?q={quote(word)}&lang={language}&limit=20"
        answer = self.ask("search", "GET", path, 200, check=lambda answer: len(answer.json()["data"]) > 0)
        found = [each for each in answer.json()["data"] if each["id"] != self.plan.rush_ticket]
        if not found:
            return self._choose()
        chosen = random.choice(found)
        self.think(0.5, 2)
        ticket: Json = self.ask(
            "ticket", "GET", f"{API}/tickets/{chosen['id']}?lang={language}", 200,
            check=lambda answer: answer.json()["id"] == chosen["id"],
        ).json()  # fmt: skip
        self.think(0.5, 2)
        today = datetime.now(UTC).date()
        period = f"from={today}&to={today + timedelta(days=DAYS_SHOWN)}"
        slots = self.ask(
            "availability", "GET", f"{API}/tickets/{chosen['id']}/availability?{period}", 200,
            check=lambda answer: all(slot["ticketId"] == chosen["id"] for slot in answer.json()["data"]),
        ).json()["data"]  # fmt: skip
        free = [slot for slot in slots if slot["status"] in ("available", "limited")]
        if not free:
            return ticket, None
        # Those who come without a plan want the first one: today's, which the gate will see.
        return ticket, free[0] if random.random() < 0.5 else random.choice(free)

    def _items(self, ticket: Json, slot: Json) -> list[Json]:
        option = next(each for each in ticket["options"] if each["id"] == slot["optionId"])
        units = [{"unitId": option["units"][0]["id"], "quantity": random.randint(1, 3)}]
        return [{"slotId": slot["id"], "units": units}]

    def _quote(self, items: list[Json]) -> Json | None:
        """The price, or None when nothing is left."""
        quoted = self.ask(
            "quote", "POST", f"{API}/availability/check", 200, json={"items": items},
            check=lambda answer: answer.json()["canBook"] or bool(answer.json()["reasons"]),
        ).json()  # fmt: skip
        return quoted["price"]["total"] if quoted["canBook"] else None

    def _book_and_pay(self, items: list[Json], total: Json | None) -> Json | None:
        """Hold, pay and be confirmed without a pause, so that the clock shows what the product needs."""
        by_webhook = random.random() < 0.5
        began = time.perf_counter()
        booking = self._hold(items, total)
        if booking is None:
            return None
        bearer = {"Authorization": f"Bearer {booking['accessToken']}"}
        with self.journey(CONFIRMED_BY_WEBHOOK if by_webhook else CONFIRMED_ON_RETURN, began):
            self._pay(booking)
            if by_webhook:
                self._wait_until_confirmed(booking["id"], bearer)
            else:
                self._confirm(booking["id"], bearer)
        if by_webhook:
            self._confirm(booking["id"], bearer)
        return booking

    def _hold(self, items: list[Json], total: Json | None) -> Json | None:
        """The booking; None when another was quicker."""
        language = random.choice(LANGUAGES)
        email = f"visitor.{secrets.token_hex(6)}@example.com"
        body: Json = {
            "items": items,
            "customer": {"name": "Ada Visser", "email": email, "language": language},
        }
        if total is not None:
            body["expectedTotal"] = total
        context: dict[str, Any] = {}

        def held(answer: Any) -> bool:
            found = answer.json()
            if answer.status_code == 409:
                context["outcome"] = SOLD_OUT
                return bool(found["code"] == SOLD_OUT.upper().replace(" ", "_"))
            return bool(
                found["status"] == "on_hold" and found["price"]["total"] == (total or found["price"]["total"])
            )

        answer = self.ask(
            "hold", "POST", f"{API}/bookings", 201, 409, check=held, context=context,
            headers={"Idempotency-Key": new_key()}, json=body,
        )  # fmt: skip
        return answer.json() if answer.status_code == 201 else None

    def _pay(self, booking: Json) -> None:
        """Follow the link, and press the button on the payment module's page."""
        link = self.ask("pay link", "GET", booking["payment"]["paymentUrl"], 303)
        address = urljoin(self.plan.gateway, link.headers["Location"])
        page = self.ask(PAYMENT_PAGE, "GET", address, 200)
        form = PaymentForm(page.text)
        self.ask(
            PAYMENT_PRESS, "POST", urljoin(address, form.action), 303,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            data=urlencode({**form.fields, "action": "pay"}),
        )  # fmt: skip

    def _wait_until_confirmed(self, booking_id: str, bearer: dict[str, str]) -> None:
        """Ask until the module's webhook has done its work. Raises Wrong."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            found = self.ask("booking", "GET", f"{API}/bookings/{booking_id}", 200, headers=bearer).json()
            if found["status"] == "confirmed":
                return
            if found["status"] != "on_hold" or time.monotonic() > deadline:
                raise Wrong(f"the booking is {found['status']}, not confirmed")
            time.sleep(POLL_SECONDS)

    def _confirm(self, booking_id: str, bearer: dict[str, str]) -> None:
        self.ask(
            "confirm", "POST", f"{API}/bookings/{booking_id}/confirm", 200, headers=bearer,
            check=lambda answer: answer.json()["status"] in ("confirmed", "redeemed"),
        )  # fmt: skip

    def _receive(self, booking: Json, ticket: Json, slot: Json) -> None:
        """The codes, once the worker has collected the money and made them; today's go to the gate."""
        bearer = {"Authorization": f"Bearer {booking['accessToken']}"}
        path = f"{API}/bookings/{booking['id']}/admissions"
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self.journey(ADMISSIONS):
            while (
                answer := self.ask("admissions", "GET", path, 200, 409, headers=bearer)
            ).status_code == 409:
                if time.monotonic() > deadline:
                    raise Wrong(f"no admissions within {PATIENCE_SECONDS:g} s")
                self.think(0.5, 1)
        if not slot["allDay"]:
            return
        for admission in answer.json()["data"]:
            self.codes.append(
                Code(
                    code=admission["code"],
                    poi_id=str(UUID(ticket["poiId"])),
                    people=admission["people"],
                    day=slot["localStart"][:10],
                    time_zone=slot["timeZone"],
                )
            )
