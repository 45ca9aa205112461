"""What one service has of the other, over real HTTP: configuration, mode, sales, people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.http.admin.both import Both
from tests.http.admin.desk import Desk, Reply, refusal
from tests.http.admin.people import login, person, signed_in
from tests.http.admin.places import create, published
from tests.http.admin.sending import uploaded
from tests.http.ticketing.shop import CUSTOMER, item, ticket


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    made = Both(tmp_path)
    yield made
    made.close()


def change(both: Both, values: dict[str, Any], revision: int = 0) -> Reply:
    headers = {"If-Match": f'"{revision}"'}
    return both.desk.call("PATCH", "/config", {"values": values}, role="platform_admin", headers=headers)


def slot_of(both: Both) -> dict[str, Any]:
    today = both.clock.now.date().isoformat()
    slots = both.shop.slots(both.shop.ticket(), dateFrom=today)
    return slots[-1]


def test_a_fee_set_in_admin_is_the_fee_of_the_next_sale(both: Both) -> None:
    slot = slot_of(both)
    assert change(both, {"sales.bookingFee": 99, "sales.holdMinutes": 20}).status_code == 200
    assert both.shop.hold(item(slot)).json["price"]["fee"]["amount"] == 250
    both.follower.look()
    assert both.shop.hold(item(slot)).json["price"]["fee"]["amount"] == 99
    assert change(both, {"sales.bookingFee": None}, 1).status_code == 200
    both.follower.look()
    assert both.shop.hold(item(slot)).json["price"]["fee"]["amount"] == 250


def test_the_currency_set_in_admin_is_that_of_the_next_ticket(both: Both) -> None:
    assert change(both, {"sales.currency": "CHF"}).status_code == 200
    both.follower.look()
    body = ticket()
    del body["options"][0]["units"][0]["price"]["currency"]
    made = both.shop.call("POST", "/tickets", body, role="ticket_manager").json
    assert made["options"][0]["units"][0]["price"] == {"amount": 1000, "currency": "CHF"}


def test_the_mode_set_in_admin_is_that_of_ticketing(both: Both) -> None:
    slot = slot_of(both)
    for version, (mode, guest, staff) in enumerate(
        [("maintenance", 503, 201), ("read_only", 503, 503), ("normal", 201, 201)]
    ):
        body = {"mode": mode, "reason": "test"}
        headers = {"If-Match": f'"{version}"'}
        assert (
            both.desk.call("PUT", "/system/mode", body, role="operator", headers=headers).status_code == 200
        )
        both.follower.look()
        assert both.shop.hold(item(slot)).status_code == guest
        assert both.shop.hold(item(slot), role="support").status_code == staff


def test_figures_are_those_of_both_and_kept_for_a_while(both: Both) -> None:
    desk = both.desk
    published(desk)
    create(desk)
    uploaded(desk)
    person(desk, "editor")
    signed_in(desk)
    login(desk, password="wrong wrong wrong wrong")
    figures = desk.call("GET", "/stats", role="editor").json
    assert figures["pois"]["byStatus"]["published"] == 1
    assert figures["pois"]["byStatus"]["draft"] == 1
    assert figures["pois"]["byCategory"] == {"museum": 1}
    assert figures["signIns"] == {"accepted": 1, "refused": 1, "activeSessions": 1}
    assert (figures["media"]["files"], figures["media"]["uploads"]) == (1, 1)
    assert figures["media"]["bytes"] > 0
    assert figures["sales"] == []
    uploaded(desk, (60, 60))
    assert desk.call("GET", "/stats", role="editor").json == figures
    assert desk.call("GET", "/stats?days=7", role="editor").json["media"]["files"] == 2
    for query in ("?days=0", "?days=366", "?days=x", "?since=1"):
        assert refusal(desk.call("GET", f"/stats{query}", role="editor")) == (422, "VALIDATION_FAILED")


def test_services_answer_how_they_are(both: Both) -> None:
    services = both.desk.call("GET", "/system/services", role="operator").json["data"]
    assert [each["name"] for each in services] == ["admin", "ticketing"]
    assert services[1]["status"] in ("healthy", "degraded", "unhealthy")
    assert services[1]["version"]
    assert services[1]["responseMs"] > 0


def test_a_person_is_shown_over_both_and_it_is_noted_without_the_name(both: Both) -> None:
    desk = both.desk
    user = person(desk, "editor")
    signed_in(desk)
    token = desk.token("editor", subject=str(user.id))
    media = uploaded(desk, token=token)
    held = both.shop.hold(item(slot_of(both))).json
    shown = desk.call("POST", "/privacy/export", {"email": CUSTOMER["email"]}, role="platform_admin").json
    assert shown["user"]["email"] == "ann@example.org"
    assert len(shown["sessions"]) == 1
    assert [each["id"] for each in shown["media"]] == [media["id"]]
    assert "media.upload" in [entry["action"] for entry in shown["activity"]]
    assert [booking["id"] for booking in shown["bookings"]] == [held["id"]]
    everything = desk.call("GET", "/audit?limit=100", role="platform_admin").get_data(as_text=True)
    assert "privacy.export" in everything
    assert "ann@example.org" not in everything
    assert "Ann Example" not in everything


def test_a_person_is_taken_out_of_both_and_the_books_and_the_trail_hold(both: Both) -> None:
    desk = both.desk
    person(desk, "platform_admin", email="root@example.org")
    user = person(desk, "editor")
    tokens = signed_in(desk)
    held = both.shop.hold(item(slot_of(both))).json
    body = {"email": "ANN@example.org", "reason": "Asked by letter"}
    first = desk.call("POST", "/privacy/erase", body, role="platform_admin")
    assert first.json == {"user": True, "bookings": 0, "openBookings": 1}
    assert refusal(login(desk))[1] == "SIGN_IN_REFUSED"
    assert refusal(desk.call("GET", "/media", token=tokens.access))[0] == 401
    left = desk.call("GET", f"/users/{user.id}", role="platform_admin").json
    assert (left["name"], left["status"], left["hasPassword"], left["roles"]) == ("-", "disabled", False, [])
    assert left["email"].endswith("@erased.invalid")
    both.clock.move(minutes=16)
    both.shop.ports.store.bookings.expire_due(both.clock.now, 10)
    again = desk.call("POST", "/privacy/erase", body, role="platform_admin")
    assert again.json == {"user": False, "bookings": 1, "openBookings": 0}
    booking = both.shop.call("GET", f"/bookings/{held['id']}", role="support").json
    assert (booking["customer"]["name"], booking["reference"]) == ("-", held["reference"])
    shown = desk.call("POST", "/privacy/export", {"email": "ann@example.org"}, role="platform_admin").json
    assert shown == {"user": None, "sessions": [], "activity": [], "media": [], "bookings": []}
    assert desk.call("GET", "/audit/verify", role="platform_admin").json["intact"] is True


def test_the_last_administrator_is_not_taken_out(both: Both) -> None:
    person(both.desk, "platform_admin", email="root@example.org")
    body = {"email": "root@example.org", "reason": "x"}
    assert refusal(both.desk.call("POST", "/privacy/erase", body, role="platform_admin")) == (
        409,
        "LAST_ADMINISTRATOR",
    )


def test_without_ticketing_figures_have_no_sales_and_nobody_is_half_shown(desk: Desk) -> None:
    assert desk.call("GET", "/stats", role="editor").json["sales"] is None
    uploaded(desk)
    assert desk.call("GET", "/stats", role="editor").json["media"]["files"] == 1  # not kept
    body = {"email": "ann@example.org"}
    away = desk.call("POST", "/privacy/export", body, role="platform_admin")
    assert refusal(away) == (503, "TICKETING_UNAVAILABLE")
    assert away.headers["Retry-After"]
    erase = desk.call("POST", "/privacy/erase", {**body, "reason": "x"}, role="platform_admin")
    assert refusal(erase) == (503, "TICKETING_UNAVAILABLE")


@pytest.mark.parametrize("path", ["/privacy/export", "/privacy/erase"])
@pytest.mark.parametrize("body", [{}, {"email": "x"}, {"email": ["a@b.example"]}, {"email": {"$ne": ""}}, []])
def test_what_names_nobody_is_refused(desk: Desk, path: str, body: object) -> None:
    answer = desk.call("POST", path, body, role="platform_admin")
    assert refusal(answer) == (422, "VALIDATION_FAILED")
