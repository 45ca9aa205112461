"""What visitors read is kept, and every change is in the next read, whichever process answers it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.http.ticketing.shop import CUSTOMER, TOWER, item, refusal
from tests.http.ticketing.two import FINANCE, STAFF, Two, changed, titles, vacancies
from tests.sandbox.running import SandboxProcess
from ticketing_service.domain.catalogue import Poi, Point


def test_a_ticket_that_staff_change_or_archive(two: Two) -> None:
    made, _ = two.ticket_with_slots()
    path = f"/tickets/{made['id']}"
    places = f"{path}/availability"
    assert two.kept(path)["title"] == "Tower"
    assert titles(two.kept("/tickets")) == ["Tower"]
    two.kept(places)
    changed(two.other, made, {"title": {"en": "High tower"}})
    assert two.kept(path)["title"] == "High tower"
    assert titles(two.kept("/tickets")) == ["High tower"]
    two.kept(places)
    tag = two.one.call("GET", path).headers["ETag"]
    assert two.other.call("DELETE", path, headers={"If-Match": tag}, **STAFF).status_code == 204
    assert two.refused(path) == two.refused(places) == {(404, "TICKET_NOT_FOUND")}
    assert titles(two.read("/tickets")) == []


def test_a_new_ticket_is_found(two: Two) -> None:
    assert titles(two.kept("/tickets")) == []
    two.other.ticket()
    assert titles(two.kept("/tickets")) == ["Tower"]


def test_a_draft_is_for_those_who_manage_it_until_it_is_on_sale(two: Two) -> None:
    made = two.one.ticket(status="draft")
    path = f"/tickets/{made['id']}"
    for _ in range(2):
        assert two.read(path, **STAFF)["status"] == "draft"
        assert two.read(f"{path}/availability", **STAFF)["data"] == []
        assert two.refused(path) == two.refused(f"{path}/availability") == {(404, "TICKET_NOT_FOUND")}
        assert two.refused("/tickets?status=draft") == {(403, "FORBIDDEN")}
        assert titles(two.read("/tickets?status=draft", **STAFF)) == ["Tower"]
        assert titles(two.read("/tickets")) == []
    changed(two.one, made, {"status": "active"})
    assert two.kept(path)["status"] == "active"
    assert titles(two.kept("/tickets")) == ["Tower"]
    changed(two.one, made, {"status": "draft"})
    assert two.refused(path) == {(404, "TICKET_NOT_FOUND")}


def test_what_managers_read_is_kept_by_nobody(two: Two) -> None:
    path = f"/tickets/{two.one.ticket()['id']}"
    two.kept(path)
    for shop in two.both:
        answer = shop.call("GET", path, **STAFF)
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "texts" in answer.json
    assert "texts" not in two.read(path)


def test_a_poi_that_moves(two: Two) -> None:
    path = f"/tickets/{two.one.ticket()['id']}"
    assert two.kept(path)["city"] == "Delft"
    assert len(two.kept("/tickets?city=Delft")["data"]) == 1
    moved = Poi(
        id=TOWER,
        names={"en": "Tower"},
        city="Leiden",
        category="museum",
        point=Point(latitude=52.16, longitude=4.49),
        time_zone="Europe/Amsterdam",
        version=2,
    )
    two.other.ports.store.catalogue.put_pois([moved])
    assert two.kept(path)["city"] == "Leiden"
    assert two.kept("/tickets?city=Delft")["data"] == []


def test_a_slot_that_staff_change_and_cancel(two: Two) -> None:
    made, slot = two.ticket_with_slots()
    places, on_sale = f"/tickets/{made['id']}/availability", f"/tickets?from={two.day}&to={two.day}"
    assert vacancies(two.kept(places)) == 10
    two.other.call("PATCH", f"/slots/{slot['id']}", {"capacity": 4}, **STAFF)
    assert vacancies(two.kept(places)) == 4
    assert titles(two.kept(on_sale)) == ["Tower"]
    two.other.call("PATCH", f"/slots/{slot['id']}", {"closed": True}, **STAFF)
    assert two.kept(places)["data"][0]["status"] == "closed"
    assert titles(two.kept(on_sale)) == []
    two.one.call("PATCH", f"/slots/{slot['id']}", {"closed": False}, **STAFF)
    assert titles(two.kept(on_sale)) == ["Tower"]
    two.other.call("POST", f"/slots/{slot['id']}/cancel", {"reason": "Storm"}, **STAFF)
    assert two.kept(places)["data"][0]["status"] == "closed"
    assert titles(two.kept(on_sale)) == []


def test_a_schedule_makes_and_removes_slots(two: Two) -> None:
    made = two.one.ticket()
    places, on_sale = f"/tickets/{made['id']}/availability", f"/tickets?from={two.day}"
    assert two.kept(places)["data"] == []
    assert titles(two.kept(on_sale)) == []
    two.other.slots(made, dateFrom=two.day)
    assert len(two.kept(places)["data"]) == 31
    assert titles(two.kept(on_sale)) == ["Tower"]
    schedule = f"/tickets/{made['id']}/schedule"
    assert two.other.call("PUT", schedule, {"rules": []}, **STAFF).status_code == 200
    assert two.kept(places)["data"] == []
    assert titles(two.kept(on_sale)) == []


def test_places_that_are_held_given_back_and_run_out(two: Two) -> None:
    made, slot = two.ticket_with_slots(capacity=3)
    places, on_sale = f"/tickets/{made['id']}/availability", f"/tickets?from={two.day}&to={two.day}"
    assert vacancies(two.kept(places)) == 3
    assert titles(two.kept(on_sale)) == ["Tower"]
    held = two.other.hold(item(slot, 3)).json
    assert vacancies(two.kept(places)) == 0
    assert titles(two.kept(on_sale)) == []
    assert refusal(two.one.hold(item(slot))) == (409, "SOLD_OUT")
    cancel = f"/bookings/{held['id']}/cancel"
    two.one.call("POST", cancel, {"reason": "changed"}, token=held["accessToken"])
    assert vacancies(two.kept(places)) == 3
    assert titles(two.kept(on_sale)) == ["Tower"]


def test_holds_that_end_give_their_places_back(two: Two) -> None:
    made, slot = two.ticket_with_slots(capacity=3)
    places = f"/tickets/{made['id']}/availability"
    two.one.hold(item(slot, 2))
    assert vacancies(two.kept(places)) == 1
    two.clock.move(minutes=16)
    two.kept(places)
    # as the worker does
    assert two.other.ports.store.bookings.expire_due(two.clock(), 10) == 1
    assert vacancies(two.kept(places)) == 3
    other_ticket, full = two.ticket_with_slots(capacity=3, title={"en": "Mill"})
    two.one.hold(item(full, 2), item(slot, 1))
    two.clock.move(minutes=16)
    assert vacancies(two.kept(places)) == 2
    # a sale that needs the places ends the hold, and with it what the hold had of another ticket
    assert two.other.hold(item(full, 3)).status_code == 201
    assert vacancies(two.kept(places)) == 3
    assert vacancies(two.kept(f"/tickets/{other_ticket['id']}/availability")) == 0


def test_a_hold_that_is_exchanged_frees_the_places_of_the_other_ticket(two: Two) -> None:
    first, slot = two.ticket_with_slots()
    second, wanted = two.ticket_with_slots(title={"en": "Mill"})
    paths = [f"/tickets/{made['id']}/availability" for made in (first, second)]
    held = two.one.hold(item(slot, 2)).json
    assert [vacancies(two.kept(path)) for path in paths] == [8, 10]
    body = {"items": [item(wanted, 3)]}
    answer = two.other.call("PATCH", f"/bookings/{held['id']}", body, token=held["accessToken"])
    assert answer.status_code == 200, answer.json
    assert [vacancies(two.kept(path)) for path in paths] == [10, 7]


def test_revenue_is_that_of_the_last_sale_and_refund(two: Two, sandbox: SandboxProcess) -> None:
    # in three days: until a day before it, cancelling is free of charge
    slot = two.one.slots(two.one.ticket(), dateFrom=two.day)[3]
    path = f"/revenue?from={two.day}&to={two.day}&groupBy=type"
    assert two.kept(path, **FINANCE)["data"] == []
    two.one.hold(item(slot))
    assert two.kept(path, **FINANCE)["data"] == []
    booking = two.other.paid(sandbox, item(slot, 2))
    sums = {row["key"]: row for row in two.kept(path, **FINANCE)["data"]}
    assert (sums["single"]["sales"]["amount"], sums["single"]["refunds"]["amount"]) == (2000, 0)
    cancel = f"/bookings/{booking['id']}/cancel"
    answer = two.one.call("POST", cancel, {"reason": "ill"}, token=booking["accessToken"])
    assert answer.status_code == 200, answer.json
    sums = {row["key"]: row for row in two.kept(path, **FINANCE)["data"]}
    assert sums["single"]["refunds"]["amount"] == 2000
    assert {refusal(shop.call("GET", path)) for shop in two.both} == {(401, "UNAUTHENTICATED")}
    assert {refusal(shop.call("GET", path, role="gate")) for shop in two.both} == {(403, "FORBIDDEN")}


def test_sales_end_and_days_begin_by_time_alone(two: Two) -> None:
    made, slot = two.ticket_with_slots()
    places = f"/tickets/{made['id']}/availability"
    end = datetime.fromisoformat(slot["localEnd"])
    assert two.kept(places)["data"][0]["status"] == "available"
    left = (end - two.clock()).total_seconds() - made["cutoffMinutes"] * 60
    # a change before it, so that what is kept is young when sales end
    two.clock.move(seconds=left - 10)
    changed(two.one, made, {"title": {"en": "High tower"}})
    assert two.kept(places)["data"][0]["status"] == "available"
    two.clock.move(seconds=10)
    assert two.kept(places)["data"][0]["status"] == "closed"
    midnight = (end + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    two.clock.move(seconds=(midnight - two.clock()).total_seconds() - 10)
    assert two.kept(places)["data"][0]["id"] == slot["id"]
    two.clock.move(seconds=10)
    assert slot["id"] not in {each["id"] for each in two.kept(places)["data"]}


def option(**changes: Any) -> dict[str, Any]:
    unit = {"type": "ADULT", "title": {"en": "Adult"}, "price": {"amount": 1000, "currency": "EUR"}}
    return {"title": {"en": "Standard"}, "default": True, "units": [unit], **changes}


def test_a_sale_of_a_ticket_that_shares_the_boat_is_seen_at_the_other(two: Two) -> None:
    sharing: dict[str, Any] = {"options": [option(resourceIds=["boat"])]}
    _, slot = two.ticket_with_slots(**sharing)
    second, _ = two.ticket_with_slots(title={"en": "Mill"}, **sharing)
    path = f"/tickets/{second['id']}/availability"
    for sold in range(1, 4):
        assert two.other.hold(item(slot), customer={**CUSTOMER, "email": f"{sold}@x.org"}).status_code == 201
        assert vacancies(two.read(path)) == 10 - sold
    # the slots go on sharing when the ticket is changed not to
    own = option(id=second["options"][0]["id"])
    own["units"][0]["id"] = second["options"][0]["units"][0]["id"]
    changed(two.one, second, {"options": [own]})
    assert vacancies(two.read(path)) == 7
    assert two.other.hold(item(slot), customer={**CUSTOMER, "email": "4@x.org"}).status_code == 201
    assert vacancies(two.read(path)) == 6


def test_a_change_reaches_the_others_although_this_process_has_yet_to_begin_anew(two: Two) -> None:
    """A process that starts ends all that was kept before; the other one may not have done so yet."""
    made = two.one.ticket()
    path = f"/tickets/{made['id']}"
    two.kept(path)
    two.one.running.parts.caches.backend.distrust()
    assert two.other.call("GET", path).json["title"] == "Tower"
    changed(two.one, made, {"title": {"en": "High tower"}})
    assert two.other.call("GET", path).json["title"] == "High tower"
