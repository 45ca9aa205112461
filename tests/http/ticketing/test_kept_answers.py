"""Kept answers to those who read them: what they have already, their language, their count, their age."""

from __future__ import annotations

import uuid
from typing import Any

from tests.http.ticketing.shop import item, refusal
from tests.http.ticketing.two import STAFF, Two, changed, vacancies
from tests.servers.process import eventually
from ticketing_service import wiring
from ticketing_service.domain.slots import SlotChange


def test_who_has_the_answer_already_is_told_so_until_it_changes(two: Two) -> None:
    made, slot = two.ticket_with_slots()
    places = f"/tickets/{made['id']}/availability"
    for path in ("/tickets", f"/tickets/{made['id']}", places):
        two.kept(path)
        (tag,) = {shop.call("GET", path).headers["ETag"] for shop in two.both}
        for shop in (*two.both, *two.both):
            answer = shop.call("GET", path, headers={"If-None-Match": tag})
            assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", tag)
            assert "must-revalidate" in answer.headers["Cache-Control"]
        if path == places:
            two.other.hold(item(slot))
        else:
            changed(two.other, made, {"title": {"en": f"Tower {uuid.uuid4()}"}})
        for shop in two.both:
            answer = shop.call("GET", path, headers={"If-None-Match": tag})
            assert answer.status_code == 200
            assert answer.headers["ETag"] != tag


def test_what_is_old_is_made_anew(two: Two) -> None:
    made, slot = two.ticket_with_slots()
    places = f"/tickets/{made['id']}/availability"
    assert vacancies(two.kept(places)) == 10
    # a change that nobody is told of, as of a process that was killed right after its commit
    unwatched = two.one.running.store.slots
    unwatched.change(uuid.UUID(slot["id"]), SlotChange(capacity=4), two.clock())
    assert vacancies(two.kept(places)) == 10
    two.clock.move(seconds=400)
    assert vacancies(two.kept(places)) == 4


def test_what_a_killed_process_left_behind_ends_with_the_start_of_its_successor(two: Two) -> None:
    made, slot = two.ticket_with_slots()
    places = f"/tickets/{made['id']}/availability"
    two.kept(places)
    two.one.running.store.slots.change(uuid.UUID(slot["id"]), SlotChange(capacity=4), two.clock())
    assert vacancies(two.kept(places)) == 10
    successor = wiring.run_web(two.one.settings)
    try:
        eventually(lambda: vacancies(two.read(places)) == 4, what="the end of the old answer")
    finally:
        successor.close()


def test_a_change_can_be_made_from_what_a_visitor_has_read(two: Two) -> None:
    made = two.one.ticket()
    path = f"/tickets/{made['id']}"
    two.kept(path)
    tag = two.one.call("GET", path).headers["ETag"]
    how: dict[str, Any] = {"headers": {"If-Match": tag}, **STAFF}
    assert two.other.call("PATCH", path, {"title": {"en": "High tower"}}, **how).status_code == 200
    again = two.other.call("PATCH", path, {"title": {"en": "Low tower"}}, **how)
    assert refusal(again) == (412, "VERSION_CONFLICT")
    assert two.read(path)["title"] == "High tower"


def test_languages_are_kept_apart(two: Two) -> None:
    path = f"/tickets/{two.one.ticket()['id']}"
    for _ in range(2):
        for shop in two.both:
            dutch = shop.call("GET", path, headers={"Accept-Language": "nl"})
            assert (dutch.json["title"], dutch.headers["Content-Language"]) == ("Toren", "nl")
            assert "Accept-Language" in dutch.headers["Vary"]
            assert shop.call("GET", path).json["title"] == "Tower"


def test_every_look_is_counted_whether_it_was_kept_or_not(two: Two) -> None:
    made, _ = two.ticket_with_slots()
    names = (
        'tickets_viewed_total{category="museum",city="Delft"}',
        "tickets_searched_total",
        "availability_checks_total",
    )
    paths = (f"/tickets/{made['id']}", "/tickets", f"/tickets/{made['id']}/availability")
    for name, path in zip(names, paths, strict=True):
        before = two.counted(name)
        tag = two.one.call("GET", path).headers["ETag"]
        assert two.counted(name) == before + 1, name
        two.kept(path)
        before = two.counted(name)
        two.read(path)
        two.one.call("GET", path, headers={"If-None-Match": tag})
        two.one.call("GET", path, **STAFF)
        # both of what is kept, one that had it already, one by staff
        assert two.counted(name) == before + 4, name
    before = two.counted(names[0])
    two.refused(f"/tickets/{uuid.uuid4()}")
    assert two.counted(names[0]) == before
