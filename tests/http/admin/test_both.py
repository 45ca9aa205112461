"""What one service has of the other, over real HTTP: configuration, mode, sales, people."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from admin_service.actions.privacy import ERASURE
from admin_service.clients.port import Erased, TicketingUnavailable
from admin_service.domain.audit import Origin
from admin_service.tasks import handlers
from common.auth.keyfiles import SecretRing
from common.database.engine import Database
from common.outbox.port import StoredTask
from common.service_client import ServiceClient
from tests.http.admin.both import Both
from tests.http.admin.desk import Desk, Reply, refusal
from tests.http.admin.people import PASSWORD, login, person, signed_in
from tests.http.admin.places import create, published
from tests.http.admin.sending import uploaded
from tests.http.ticketing.shop import CUSTOMER, item, ticket


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Both]:
    # a busy machine is no service that is away
    defaults: Any = ServiceClient.__init__.__kwdefaults__
    monkeypatch.setitem(defaults, "read_seconds", 60.0)
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
    noted = desk.call("GET", "/audit?action=privacy", role="platform_admin").get_data(as_text=True)
    assert "privacy.export" in noted
    assert "ann@example.org" not in noted


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


def entries(desk: Desk) -> list[dict[str, Any]]:
    return list(desk.call("GET", "/audit?limit=100", role="platform_admin").json["data"])


def test_nothing_names_an_erased_person_any_more_and_others_stay(both: Both) -> None:
    desk = both.desk
    bob = person(desk, "platform_admin", email="bob@example.org")
    key = {"Idempotency-Key": "the-invitation-of-ann"}
    invited = {"email": "ann@example.org", "name": "Ann Example", "roles": ["editor"]}
    who = desk.token("platform_admin", subject=str(bob.id))
    ann = desk.call("POST", "/users", invited, token=who, headers=key).json
    desk.ports.store.users.set_password(
        uuid.UUID(ann["id"]), desk.ports.passwords.hashed(PASSWORD), None,
        desk.ports.event(Origin(actor="test"), "users.password", ann["id"]),
    )  # fmt: skip
    login(desk, password="wrong wrong wrong")
    mine = desk.token("editor", subject=ann["id"])
    signed_in(desk)
    upload = {"Idempotency-Key": "the-picture-of-ann"}
    uploaded(desk, token=mine, headers=upload)
    renamed = {"name": "Ann Other"}
    version = desk.call("GET", f"/users/{ann['id']}", token=who).json["version"]
    match = {"If-Match": f'"{version}"'}
    assert desk.call("PATCH", f"/users/{ann['id']}", renamed, token=who, headers=match).status_code == 200
    of_bob = {"email": "bob@example.org"}
    shown = desk.call("POST", "/privacy/export", of_bob, token=who).json["activity"]
    assert "users.create" in [each["action"] for each in shown]
    assert not any("ann@example.org" in str(each) for each in shown), "what Bob did, not whom he did it to"
    slot = slot_of(both)
    same = uuid.uuid4().hex
    held = both.shop.hold(item(slot), key=same)
    assert both.shop.hold(item(slot), key=same).data == held.data
    names = ("ann@example.org", "Ann Example", "Ann Other")
    assert any("ann@example.org" in str(each["after"]) for each in entries(desk))
    assert len(kept_answers(desk.settings.database_url, "admin_idempotency")) == 2
    assert len(kept_answers(both.shop.settings.database_url, "ticketing_idempotency")) == 1
    both.clock.move(minutes=16)
    both.shop.ports.store.bookings.expire_due(both.clock.now, 10)
    body = {"email": "ann@example.org", "reason": "Asked by letter"}
    assert desk.call("POST", "/privacy/erase", body, token=who).json["bookings"] == 1

    for each in entries(desk):
        if each["subject"] != str(bob.id):
            assert not any(name in str(each) for name in names), each
        if each["actor"] == f"access:{ann['id']}" or each["action"].startswith("sessions."):
            assert (each["address"], each["erased"]) == (None, True), each
        if each["actor"] == f"access:{bob.id}":
            assert each["address"] is not None, each
    assert "bob@example.org" in str(entries(desk))
    verified = desk.call("GET", "/audit/verify", role="platform_admin").json
    assert (verified["intact"], verified["broken"]) == (True, None)
    assert verified["erased"] == sum(each["erased"] for each in entries(desk)) > 0
    assert kept_answers(desk.settings.database_url, "admin_idempotency") == []
    assert kept_answers(both.shop.settings.database_url, "ticketing_idempotency") == []


def kept_answers(url: str, table: str) -> list[str]:
    """The bodies that are kept for a repetition."""
    database = Database(url, threads=1)
    with database.read() as connection:
        found = [bytes(row.body).decode() for row in connection.execute(text(f"SELECT body FROM {table}"))]
    database.close()
    return found


def test_who_takes_themselves_out_leaves_no_address_behind(both: Both) -> None:
    desk = both.desk
    person(desk, "platform_admin", email="root@example.org")
    user = person(desk, "platform_admin")
    token = desk.token("platform_admin", subject=str(user.id))
    body = {"email": "ann@example.org", "reason": "I leave"}
    assert desk.call("POST", "/privacy/erase", body, token=token).status_code == 200
    mine = [each for each in entries(desk) if each["actor"] == f"access:{user.id}"]
    assert {each["action"] for each in mine} == {"users.erase", "privacy.erase"}
    assert {each["address"] for each in mine} == {None}


def test_the_trail_calls_an_address_what_nobody_can_try_out_and_an_erasure_knows_all_of_it(
    both: Both,
) -> None:
    desk, ring = both.desk, both.desk.ports.pseudonym_secrets
    assert isinstance(ring, SecretRing)
    login(desk, "eve@example.org")
    login(desk, " Eve@Example.org")
    ring.rotate()
    login(desk, "eve@example.org")
    after, *before = [each["subject"] for each in entries(desk) if each["action"] == "sessions.refused"]
    assert before[0] == before[1] != after
    assert not any(sha256(b"eve@example.org").hexdigest()[:8] in each for each in (after, *before))
    body = {"email": "eve@example.org", "reason": "Asked by letter"}
    assert desk.call("POST", "/privacy/erase", body, role="platform_admin").status_code == 200
    assert [each["address"] for each in entries(desk)][1:] == [None] * 3


def test_an_erasure_finishes_by_itself_when_ticketing_is_back(both: Both) -> None:
    desk = both.desk
    person(desk, "editor")
    held = both.shop.hold(item(slot_of(both))).json
    both.clock.move(minutes=16)
    both.shop.ports.store.bookings.expire_due(both.clock.now, 10)
    guarded: Any = desk.ports.ticketing
    there, guarded._ticketing = guarded._ticketing, NoTicketing()
    body = {"email": "ann@example.org", "reason": "Asked by letter"}
    away = desk.call("POST", "/privacy/erase", body, role="platform_admin")
    assert refusal(away) == (503, "TICKETING_UNAVAILABLE")
    assert refusal(login(desk))[1] == "SIGN_IN_REFUSED"
    (task,) = (each for each in tasks(desk) if each.kind == ERASURE)
    with pytest.raises(TicketingUnavailable):
        handlers(desk.ports)[ERASURE](task)
    guarded._ticketing = there
    handlers(desk.ports)[ERASURE](task)
    booking = both.shop.call("GET", f"/bookings/{held['id']}", role="support").json
    assert booking["customer"]["name"] == "-"
    noted = entries(desk)[0]
    assert (noted["action"], noted["after"]["bookings"]) == ("privacy.erase", 1)
    assert noted["actor"].startswith("access:")
    desk.ports.store.outbox.done(task.id)
    assert tasks(desk) == []


def tasks(desk: Desk) -> list[StoredTask]:
    """What waits for the worker."""
    now = desk.clock.now
    return list(desk.ports.store.outbox.claim(now + timedelta(days=1), now + timedelta(days=1), 100))


class NoTicketing:
    """A ticketing service that is away."""

    def erase_person(self, email: str) -> Erased:
        raise TicketingUnavailable("away")


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
