"""The whole sale, as a visitor, a gate and the bookkeeper see it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from demo import lines
from demo.catalogue import Json
from demo.payment_form import PaymentForm
from demo.signed_in import SignedIn
from demo.story import POLL_SECONDS, WAIT_SECONDS, Story, Unexpected

NOT_YET = (409, 503)


class Sale:
    """The steps. `shop` is where a payer comes back to; without a `mail_folder` mail goes to a server."""

    def __init__(self, story: Story, staff: SignedIn, shop: str, mail_folder: Path | None) -> None:
        self._story, self._staff, self._shop, self._mail_folder = story, staff, shop, mail_folder
        self._place = ""
        self._visitor = f"ada.{secrets.token_hex(4)}@example.org"

    def run(self) -> str:
        """One line on what was done. Raises Unexpected, NobodyAnswers."""
        sold = self.buy()
        admissions = self.receive(sold)
        self.enter(admissions[0])
        troubled = self.buy_with_trouble()
        refund = self.cancel(troubled)
        self.look_at_the_books()
        return (
            f"sold {sold['reference']} for {lines.money(sold['price']['total'])}, let one visitor in once; "
            f"cancelled {troubled['reference']} and gave back {refund}"
        )

    def buy(self) -> Json:
        """A visitor finds a ticket for today, books it and pays."""
        story = self._story
        story.step("Find a ticket")
        found = self._get("/tickets", {"q": "dune reserve", "lang": "en"}, lines.titles)["data"]
        ticket = self._get(f"/tickets/{found[0]['id']}", {"lang": "en"}, lines.prices)
        self._place = ticket["poiId"]
        story.step("See when there is room")
        today = datetime.now(ZoneInfo("Europe/Amsterdam")).date()
        slot = self._slot(ticket, today, today)
        story.step("Ask what it costs")
        items = _items(ticket, slot, ADULT=1, CHILD=2)
        quote = self._quote(items)
        story.step("Hold the places: the same key gets the same answer, and takes nothing twice")
        booking = self._hold(items, quote["price"]["total"])
        story.step("Pay on the payment module's page")
        self._pay(booking["payment"]["paymentUrl"], "pay")
        story.step("Confirm on return (the module's webhook may have been quicker)")
        return self._confirm(booking)

    def receive(self, booking: Json) -> list[Json]:
        """The admissions, once they are there; with them come mail, PDF and QR codes."""
        story, bearer = self._story, _bearer(booking)
        story.step("Receive the admissions, by mail and here")
        admissions: list[Json] = story.wait_for(
            f"/bookings/{booking['id']}/admissions",
            lambda answer: answer.status_code == 200,
            not_yet=NOT_YET,
            show=lambda body: f"{len(body['data'])} codes: {', '.join(a['unit'] for a in body['data'])}",
            **bearer,
        ).json()["data"]
        self._read_mail(booking)
        story.wait_for(
            f"/bookings/{booking['id']}/admissions.pdf",
            lambda answer: answer.status_code == 200,
            not_yet=NOT_YET,
            show=lines.size,
            **bearer,
        )
        story.ask("GET", admissions[0]["qrPngUrl"], 200, show=lines.size, **bearer)
        story.ask("GET", f"/bookings/{booking['id']}/calendar.ics", 200, show=lines.size, **bearer)
        return admissions

    def enter(self, admission: Json) -> None:
        """The gate lets the code in once."""
        story = self._story
        story.step("Scan at the gate: in")
        gate = self._staff.as_("gate")
        scan = {"code": admission["code"], "poiId": self._place, "scanId": str(uuid4())}
        show_entry = lines.fields("title", "unit", "people", "redeemedAt")
        story.ask("POST", "/redemptions", 201, body=scan, show=show_entry, **gate)
        story.step("The same code again, by another scan: refused, with when and where the first was")
        again = {**scan, "scanId": str(uuid4())}
        story.ask("POST", "/redemptions", 409, code="ALREADY_REDEEMED", body=again, show=lines.facts, **gate)
        story.step("The first scan sent again, as after a lost answer: its first answer")
        story.ask("POST", "/redemptions", 201, body=scan, show=show_entry, **gate)

    def buy_with_trouble(self) -> Json:
        """A cruise in some days with a voucher; the first payment is declined."""
        story = self._story
        story.step("Another visitor: a canal cruise next week, with a voucher")
        found = self._get("/tickets", {"q": "crucero", "type": "experience", "lang": "es"}, lines.titles)[
            "data"
        ]
        ticket = self._get(f"/tickets/{found[0]['id']}", {"lang": "es"}, lines.prices)
        day = datetime.now(UTC).date() + timedelta(days=5)
        slot = self._slot(ticket, day, day + timedelta(days=5))
        items = _items(ticket, slot, ADULT=2)
        quote = self._quote(items, voucherCode="WELCOME10")
        booking = self._hold(items, quote["price"]["total"], voucherCode="WELCOME10", replay=False)
        story.step("The first payment is declined: the hold stands")
        self._pay(booking["payment"]["paymentUrl"], "decline")
        bearer = _bearer(booking)
        path = f"/bookings/{booking['id']}"
        story.ask("POST", f"{path}/confirm", 409, code="PAYMENT_REQUIRED", **bearer)
        story.step("A second payment works")
        session = story.ask(
            "POST", f"{path}/payment", 200, show=lines.fields("status", "expiresAt"), **bearer
        ).json()
        self._pay(session["redirectUrl"], "pay")
        return self._confirm(booking)

    def cancel(self, booking: Json) -> str:
        """Cancel in time; the refund is made by the payment module."""
        story, bearer = self._story, _bearer(booking)
        story.step("Cancel it in time, and get the money back")
        path = f"/bookings/{booking['id']}"
        body = {"reason": "The weather turned."}
        story.ask("POST", f"{path}/cancel", 200, body=body, show=lines.booking, **bearer)
        done = story.wait_for(
            path,
            lambda answer: _states(answer.json()) == {"refunded"},
            show=lambda body: ", ".join(f"{lines.money(r['amount'])} {r['status']}" for r in body["refunds"]),
            **bearer,
        ).json()
        back = {"amount": sum(r["amount"]["amount"] for r in done["refunds"])}
        return lines.money({**back, "currency": done["price"]["total"]["currency"]})

    def look_at_the_books(self) -> None:
        """Revenue by ticket, as finance sees it."""
        story = self._story
        story.step("Look at today's books, as finance")
        day = datetime.now(UTC).date()
        query = {"from": (day - timedelta(days=1)).isoformat(), "to": day.isoformat()}
        story.ask(
            "GET",
            "/revenue",
            200,
            query={**query, "groupBy": "type"},
            show=lines.revenue,
            **self._staff.as_("finance"),
        )

    def _get(self, path: str, query: Json, show: Callable[[Any], str]) -> Json:
        answer: Json = self._story.ask("GET", path, 200, query=query, show=show).json()
        return answer

    def _slot(self, ticket: Json, first: date, last: date) -> Json:
        query = {
            "from": first.isoformat(),
            "to": last.isoformat(),
            "optionId": ticket["options"][0]["id"],
        }
        slots = self._get(f"/tickets/{ticket['id']}/availability", query, lines.slots)["data"]
        for slot in slots:
            if slot["status"] in ("available", "limited") and (slot["vacancies"] or 0) >= 3:
                return dict(slot)
        raise Unexpected(f"no slot of {ticket['title']} has room from {first} to {last}")

    def _quote(self, items: list[Json], **more: str) -> Json:
        body = {"items": items, **more}
        quote: Json = self._story.ask("POST", "/availability/check", 200, body=body, show=lines.quote).json()
        if not quote["canBook"]:
            raise Unexpected(f"the quote says that it cannot be booked: {quote['reasons']}")
        return quote

    def _hold(self, items: list[Json], total: Json, *, replay: bool = True, **more: str) -> Json:
        customer = {"name": "Ada Visser", "email": self._visitor, "language": "nl"}
        body = {
            "items": items,
            "customer": customer,
            "returnUrl": self._shop,
            "expectedTotal": total,
            **more,
        }
        key = secrets.token_urlsafe(18)
        first = self._story.ask("POST", "/bookings", 201, key=key, body=body, show=lines.booking)
        if replay:
            again = self._story.ask("POST", "/bookings", 201, key=key, body=body, show=lines.booking)
            if again.content != first.content:
                raise Unexpected("the repeated request got another answer than the first")
        booking: Json = first.json()
        return booking

    def _pay(self, address: str, button: str) -> None:
        """Follow the link, press a button on the page, and come back to the shop."""
        story = self._story
        if "/pay?" in address:
            address = story.ask("GET", address, 303, show=lines.location).headers["Location"]
        page = story.ask("GET", address, 200, show=lambda page: f"a page of {len(page.text)} characters")
        form = PaymentForm(page.text)
        if button not in form.buttons:
            raise Unexpected(f"the payment page has no button {button!r}, but {form.buttons}")
        target = str(page.request.url.join(form.action))
        story.ask("POST", target, 303, form={**form.fields, "action": button}, show=lines.location)

    def _confirm(self, booking: Json) -> Json:
        path = f"/bookings/{booking['id']}/confirm"
        done: Json = self._story.ask("POST", path, 200, show=lines.booking, **_bearer(booking)).json()
        if done["status"] != "confirmed":
            raise Unexpected(f"the booking is {done['status']}, not confirmed")
        return {**done, "accessToken": booking["accessToken"]}

    def _read_mail(self, booking: Json) -> None:
        if self._mail_folder is None:
            self._story.tell("The mail went to the server of SMTP_URL.")
            return
        deadline = time.monotonic() + WAIT_SECONDS
        while (found := mail_about(self._mail_folder, booking["reference"])) is None:
            if time.monotonic() > deadline:
                raise Unexpected(f"no mail about {booking['reference']} came to {self._mail_folder}")
            time.sleep(POLL_SECONDS)
        path, mail = found
        attachments = ", ".join(part.get_filename() or "?" for part in mail.iter_attachments())
        self._story.tell(f"mail  {path.name}")
        self._story.tell(f"      To: {mail['To']}   Subject: {mail['Subject']}   Attached: {attachments}")


def mail_about(folder: Path, reference: str) -> tuple[Path, EmailMessage] | None:
    """The newest mail with the reference among its attachments' names."""
    for path in sorted(folder.glob("*.eml"), reverse=True):
        mail = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(path.read_bytes())
        if any(reference in (part.get_filename() or "") for part in mail.iter_attachments()):
            return path, mail
    return None


def _bearer(booking: Json) -> Json:
    return {"token": booking["accessToken"], "who": "the booking's own token"}


def _items(ticket: Json, slot: Json, **quantities: int) -> list[Json]:
    """One item: so many units of each type, of the slot's option."""
    option = next(option for option in ticket["options"] if option["id"] == slot["optionId"])
    ids = {unit["type"]: unit["id"] for unit in option["units"]}
    units = [{"unitId": ids[kind], "quantity": number} for kind, number in quantities.items()]
    return [{"slotId": slot["id"], "units": units}]


def _states(booking: Json) -> set[str]:
    return {refund["status"] for refund in booking["refunds"]}
