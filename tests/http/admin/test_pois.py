"""Points of interest: created, changed, taken through their workflow, kept in their history."""

from __future__ import annotations

import uuid

import pytest

from tests.http.admin.desk import Desk, pointers, refusal
from tests.http.admin.places import create, if_match, poi_in, published, read, step


def test_a_poi_is_a_draft_first_and_says_all_of_itself(any_desk: Desk) -> None:
    answer = any_desk.call("POST", "/pois", poi_in(), role="editor")
    assert answer.status_code == 201
    poi = answer.json
    assert answer.headers["Location"] == f"/api/admin/pois/{poi['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert poi["status"] == "draft"
    assert poi["timeZone"] == "Europe/Amsterdam"  # of the place itself
    assert poi["tags"] == ["water", "history"]
    assert poi["location"] == {"type": "Point", "coordinates": [4.8897, 52.3702]}
    assert poi["review"] is None
    assert read(any_desk, poi["id"]) == poi


def test_completeness_names_what_is_missing_in_each_language(desk: Desk) -> None:
    poi = create(desk, images=[])
    assert poi["completeness"]["en"] == {"percent": 100, "missing": []}
    assert poi["completeness"]["nl"] == {"percent": 33, "missing": ["/summary", "/description"]}
    assert poi["completeness"]["fr"]["percent"] == 0


def test_a_patch_changes_what_it_names(any_desk: Desk) -> None:
    poi = create(any_desk)
    answer = any_desk.call(
        "PATCH", f"/pois/{poi['id']}", {"category": "gallery", "summary": None}, role="editor",
        headers=if_match(1),
    )  # fmt: skip
    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"2"'
    assert answer.json["category"] == "gallery"
    assert answer.json["summary"] == {}
    assert answer.json["name"] == poi["name"]


def test_a_put_replaces_everything(desk: Desk) -> None:
    poi = create(desk, openingHours="24/7", externalId="x-1")
    body = poi_in(name={"de": "Grachtenmuseum"})
    for name in ("openingHours", "summary", "contact"):
        del body[name]
    answer = desk.call("PUT", f"/pois/{poi['id']}", body, role="editor", headers=if_match(1))
    assert answer.status_code == 200
    assert answer.json["name"] == {"de": "Grachtenmuseum"}
    assert answer.json["openingHours"] is None
    assert answer.json["externalId"] is None
    assert answer.json["contact"] == {"phone": None, "email": None, "website": None}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_write_names_the_version_that_it_was_made_from(desk: Desk, method: str) -> None:
    poi = create(desk)
    path, body = f"/pois/{poi['id']}", None if method == "DELETE" else poi_in()
    assert refusal(desk.call(method, path, body, role="editor")) == (428, "PRECONDITION_REQUIRED")
    stale = desk.call(method, path, body, role="editor", headers=if_match(7))
    assert refusal(stale) == (412, "VERSION_CONFLICT")
    assert stale.json["version"] == 1
    assert read(desk, poi["id"]) == poi


def test_the_same_content_again_is_no_new_version(desk: Desk) -> None:
    poi = create(desk)
    answer = desk.call("PUT", f"/pois/{poi['id']}", poi_in(), role="editor", headers=if_match(1))
    assert answer.headers["ETag"] == '"1"'
    assert len(desk.call("GET", f"/pois/{poi['id']}/history", role="editor").json["data"]) == 1


def test_a_repeated_key_makes_one_poi(any_desk: Desk) -> None:
    key = {"Idempotency-Key": "0123456789abcdef"}
    first, second = (any_desk.call("POST", "/pois", poi_in(), role="editor", headers=key) for _ in range(2))
    assert first.data == second.data
    assert len(any_desk.call("GET", "/pois", role="editor").json["data"]) == 1


def test_an_external_id_is_one_pois(any_desk: Desk) -> None:
    create(any_desk, externalId="vvv-1")
    answer = any_desk.call("POST", "/pois", poi_in(externalId="vvv-1"), role="editor")
    assert refusal(answer) == (409, "EXTERNAL_ID_TAKEN")
    other = create(any_desk, externalId="vvv-2")
    changed = any_desk.call(
        "PATCH", f"/pois/{other['id']}", {"externalId": "vvv-1"}, role="editor", headers=if_match(1)
    )
    assert refusal(changed) == (409, "EXTERNAL_ID_TAKEN")


@pytest.mark.parametrize(
    "field, value, pointer, code",
    [
        ("name", {}, "/name", "TOO_SHORT"),
        ("name", {"xx": "Tower"}, "/name/xx", "NOT_A_CHOICE"),
        ("name", {"en": " "}, "/name/en", "TOO_SHORT"),
        ("name", {"en": "x" * 201}, "/name/en", "TOO_LONG"),
        ("location", {"type": "Point", "coordinates": [4.9]}, "/location", "WRONG_TYPE"),
        ("location", {"type": "Point", "coordinates": ["4", "52"]}, "/location", "WRONG_TYPE"),
        ("location", {"type": "LineString", "coordinates": [4, 52]}, "/location", "WRONG_TYPE"),
        ("location", {"type": "Point", "coordinates": [52, 100]}, "/location", "COORDINATES_SWAPPED"),
        ("location", {"type": "Point", "coordinates": [181, 52]}, "/location", "BEYOND_ANTIMERIDIAN"),
        ("location", {"type": "Point", "coordinates": [400, 52]}, "/location", "OUT_OF_RANGE"),
        ("openingHours", "Mo-Fr 25:99", "/openingHours", "INVALID"),
        ("timeZone", "Europe/Nowhere", "/timeZone", "INVALID"),
        ("timeZone", "../../etc/passwd", "/timeZone", "INVALID"),
        ("contact", {"website": "javascript:alert(1)"}, "/contact/website", "INVALID"),
        ("contact", {"website": "https://user:pass@example.org"}, "/contact/website", "INVALID"),
        ("contact", {"phone": "call me"}, "/contact/phone", "INVALID"),
        ("tags", ["x"] * 31, "/tags", "TOO_LONG"),
        ("priceRange", {"level": "cheap"}, "/priceRange/level", "NOT_A_CHOICE"),
        ("images", [{"mediaId": str(uuid.uuid4())}], "/images/0/alt", "REQUIRED"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(desk: Desk, field: str, value: object, pointer: str, code: str) -> None:
    answer = desk.call("POST", "/pois", poi_in(**{field: value}), role="editor")
    assert refusal(answer) == (422, "VALIDATION_FAILED")
    assert (pointer, code) in pointers(answer)


@pytest.mark.parametrize(
    "changes, pointer, code",
    [
        ({"category": "spaceport"}, "/category", "UNKNOWN_CATEGORY"),
        ({"category": "culture"}, "/category", "UNKNOWN_CATEGORY"),  # a group has kinds, not places
        ({"address": {"city": "Amsterdam", "country": "ZZ"}}, "/address/country", "UNKNOWN_COUNTRY"),
        (
            {"location": {"type": "Point", "coordinates": [52.3702, 4.8897]}},
            "/location/coordinates", "COORDINATES_SWAPPED",
        ),
        ({"priceRange": {"level": "low", "lowest": 500}}, "/priceRange/currency", "INVALID_POI"),
        (
            {"priceRange": {"level": "low", "lowest": 500, "highest": 100, "currency": "EUR"}},
            "/priceRange/highest", "INVALID_POI",
        ),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused(
    desk: Desk, changes: dict[str, object], pointer: str, code: str
) -> None:
    answer = desk.call("POST", "/pois", poi_in(**changes), role="editor")
    assert refusal(answer) == (422, code)
    assert pointers(answer) == [(pointer, code)]


def test_swapped_coordinates_are_told_by_the_time_zone_where_there_is_no_country(desk: Desk) -> None:
    swapped = {"type": "Point", "coordinates": [52.3702, 4.8897]}
    body = poi_in(location=swapped, address={"city": "Amsterdam"}, timeZone="Europe/Amsterdam")
    answer = desk.call("POST", "/pois", body, role="editor")
    assert refusal(answer) == (422, "COORDINATES_SWAPPED")
    assert "[4.8897, 52.3702]" in answer.json["detail"]


def test_the_workflow_leads_from_draft_to_archive(any_desk: Desk) -> None:
    poi = create(any_desk)
    seen = []
    for name, role in (
        ("submit", "editor"), ("approve", "reviewer"), ("close", "editor"), ("publish", "editor"),
        ("archive", "editor"), ("publish", "editor"),
    ):  # fmt: skip
        answer = step(any_desk, poi, name, role)
        assert answer.status_code == 200, answer.json
        poi = answer.json
        seen.append(poi["status"])
    assert seen == ["in_review", "published", "closed_temporarily", "published", "archived", "published"]
    entries = any_desk.call("GET", f"/pois/{poi['id']}/history", role="editor").json["data"]
    assert [entry["action"] for entry in entries] == [
        "publish", "archive", "publish", "close", "approve", "submit", "created",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name, status",
    [("close", "draft"), ("submit", "published"), ("archive", "archived"), ("publish", "published")],
)
def test_a_step_that_the_state_does_not_allow_is_refused(desk: Desk, name: str, status: str) -> None:
    poi = published(desk) if status != "draft" else create(desk)
    if status == "archived":
        poi = step(desk, poi, "archive").json
    answer = step(desk, poi, name)
    assert refusal(answer) == (409, "STEP_NOT_ALLOWED")
    assert answer.json["poiStatus"] == status
    assert read(desk, poi["id"]) == poi


def test_a_rejection_needs_a_reason_and_goes_back_to_draft(desk: Desk) -> None:
    poi = step(desk, create(desk), "submit").json
    assert refusal(step(desk, poi, "reject", "reviewer", reason=" ")) == (422, "VALIDATION_FAILED")
    answer = step(desk, poi, "reject", "reviewer", reason="Wrong address")
    assert answer.json["status"] == "draft"
    (newest, *_) = desk.call("GET", f"/pois/{poi['id']}/history", role="editor").json["data"]
    assert (newest["action"], newest["reason"]) == ("reject", "Wrong address")


def test_what_is_archived_is_not_edited(desk: Desk) -> None:
    poi = step(desk, published(desk), "archive").json
    answer = desk.call(
        "PATCH", f"/pois/{poi['id']}", {"category": "park"}, role="editor", headers=if_match(poi["version"])
    )
    assert refusal(answer) == (409, "POI_ARCHIVED")


def test_a_verification_says_who_and_when(desk: Desk) -> None:
    poi = create(desk)
    desk.clock.move(hours=1)
    answer = step(desk, poi, "verify", "reviewer", note="Called them")
    verification = answer.json["verification"]
    assert verification["at"] == "2026-07-01T09:00:00.000Z"
    assert verification["by"].startswith("access:")
    assert verification["note"] == "Called them"


def test_an_earlier_version_is_restored(any_desk: Desk) -> None:
    poi = create(any_desk)
    path = f"/pois/{poi['id']}"
    any_desk.call("PATCH", path, {"name": {"en": "Other"}}, role="editor", headers=if_match(1))
    assert any_desk.call("GET", f"{path}/history", role="editor").json["data"][0]["content"]["name"] == {
        "en": "Other"
    }
    answer = any_desk.call("POST", f"{path}/restore", {"version": 1}, role="editor", headers=if_match(2))
    assert answer.json["name"] == poi["name"]
    assert answer.json["version"] == 3
    missing = any_desk.call("POST", f"{path}/restore", {"version": 9}, role="editor", headers=if_match(3))
    assert refusal(missing) == (404, "NOTHING_TO_RESTORE")


def test_history_comes_by_page(desk: Desk) -> None:
    poi = create(desk)
    for version in range(1, 5):
        body = {"name": {"en": f"Name {version}"}}
        desk.call("PATCH", f"/pois/{poi['id']}", body, role="editor", headers=if_match(version))
    path, cursor, versions = f"/pois/{poi['id']}/history", None, []
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = desk.call("GET", path, role="editor", query_string=query).json
        versions += [entry["version"] for entry in page["data"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break
    assert versions == [5, 4, 3, 2, 1]


def test_bulk_has_a_result_for_each(any_desk: Desk) -> None:
    draft, shown = create(any_desk), published(any_desk)
    unknown = str(uuid.uuid4())
    items = [{"id": draft["id"], "version": 1}, {"id": shown["id"]}, {"id": unknown}]
    answer = any_desk.call("POST", "/pois/bulk", {"action": "publish", "items": items}, role="editor")
    assert answer.status_code == 200
    first, second, third = answer.json["data"]
    assert (first["outcome"], first["status"], first["version"]) == ("done", "published", 2)
    assert (second["outcome"], second["code"]) == ("refused", "STEP_NOT_ALLOWED")
    assert (third["outcome"], third["code"]) == ("refused", "POI_NOT_FOUND")
    assert read(any_desk, draft["id"])["status"] == "published"


def test_bulk_changes_many(desk: Desk) -> None:
    pois = [create(desk), create(desk)]
    body = {
        "action": "change",
        "items": [{"id": poi["id"], "version": 1} for poi in pois],
        "changes": {"tags": ["winter"]},
    }
    answer = desk.call("POST", "/pois/bulk", body, role="editor")
    assert [result["outcome"] for result in answer.json["data"]] == ["done", "done"]
    assert all(read(desk, poi["id"])["tags"] == ["winter"] for poi in pois)


def test_bulk_asks_for_the_permission_of_what_is_done(desk: Desk) -> None:
    poi = step(desk, create(desk), "submit").json
    body = {"action": "approve", "items": [{"id": poi["id"]}]}
    assert refusal(desk.call("POST", "/pois/bulk", body, role="editor")) == (403, "FORBIDDEN")
    assert desk.call("POST", "/pois/bulk", body, role="reviewer").json["data"][0]["outcome"] == "done"


def test_bulk_refuses_the_same_poi_twice(desk: Desk) -> None:
    poi = create(desk)
    body = {"action": "publish", "items": [{"id": poi["id"]}, {"id": poi["id"]}]}
    assert pointers(desk.call("POST", "/pois/bulk", body, role="editor")) == [("/items", "INVALID")]


def test_every_write_is_in_the_audit_trail(desk: Desk) -> None:
    poi = published(desk)
    entries = [entry.event for entry in desk.ports.store.audit.after(0, 10)]
    assert [(event.action, event.subject) for event in entries] == [
        ("pois.created", poi["id"]),
        ("pois.publish", poi["id"]),
    ]
    assert entries[1].before == {"status": "draft"}
    assert entries[1].after == {"status": "published"}
