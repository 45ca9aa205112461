"""Points of interest that may be one place: found, merged, and parted again."""

from __future__ import annotations

from typing import Any

from tests.http.admin.desk import Desk, Reply, refusal
from tests.http.admin.places import create, if_match, published, read, send_file, step

HERE = {"type": "Point", "coordinates": [4.8897, 52.3702]}
NEAR = {"type": "Point", "coordinates": [4.8900, 52.3703]}


def pairs(desk: Desk) -> list[set[str]]:
    answer = desk.call("GET", "/pois/duplicates", role="editor")
    assert answer.status_code == 200
    return [{pair["poiId"], pair["duplicateId"]} for pair in answer.json["data"]]


def two(desk: Desk) -> tuple[Any, Any]:
    """The same museum twice; the second has what the first lacks."""
    one = published(desk, name={"en": "Canal Museum"}, location=HERE, summary=None, tags=["a"])
    other = published(
        desk, name={"en": "The canal museum", "fr": "Musée"}, location=NEAR, summary={"en": "Water"},
        tags=["b"], externalId="ext-1",
    )  # fmt: skip
    desk.work()
    return one, other


def merge(desk: Desk, one: Any, other: Any) -> Reply:
    body = {"duplicateId": other["id"], "duplicateVersion": other["version"]}
    return desk.call(
        "POST", f"/pois/{one['id']}/merge", body, role="editor", headers=if_match(one["version"])
    )


def test_what_is_near_alike_and_of_a_like_kind_is_listed(any_desk: Desk) -> None:
    one, other = two(any_desk)
    create(any_desk, name={"en": "Canal Museum"}, location={"type": "Point", "coordinates": [4.95, 52.37]})
    create(any_desk, name={"en": "Canal Museum"}, location=HERE, category="restaurant")
    create(any_desk, name={"en": "Tulip Shop"}, location=HERE)
    any_desk.work()
    assert pairs(any_desk) == [{one["id"], other["id"]}]
    (found,) = any_desk.call("GET", f"/pois/{other['id']}/duplicates", role="editor").json["data"]
    assert found["poiId"] == other["id"]
    assert found["duplicateId"] == one["id"]
    assert 0.8 < found["score"] <= 1
    assert 15 < found["metres"] < 35


def test_an_import_is_looked_through_as_well(desk: Desk) -> None:
    one = create(desk, name={"en": "Canal Museum"}, location=HERE)
    content = (
        "externalId,name_en,category,latitude,longitude,city\n"
        "x-1,Canal Museum,museum,52.3703,4.89,Amsterdam\n"
    )
    send_file(desk, content, "csv")
    ((first, second),) = pairs(desk)
    assert one["id"] in (first, second)


def test_what_is_renamed_is_no_duplicate_any_more(any_desk: Desk) -> None:
    one, _ = two(any_desk)
    body = {"name": {"en": "Harbour Museum"}}
    any_desk.call("PATCH", f"/pois/{one['id']}", body, role="editor", headers=if_match(one["version"]))
    any_desk.work()
    assert pairs(any_desk) == []


def test_a_pair_that_was_dismissed_stays_away(any_desk: Desk) -> None:
    one, other = two(any_desk)
    path = f"/pois/{other['id']}/duplicates/{one['id']}"
    assert any_desk.call("DELETE", path, role="editor").status_code == 204
    assert pairs(any_desk) == []
    body = {"name": {"en": "Canal Museum!"}}
    any_desk.call("PATCH", f"/pois/{one['id']}", body, role="editor", headers=if_match(one["version"]))
    any_desk.work()
    assert pairs(any_desk) == []
    unknown = any_desk.call("DELETE", f"/pois/{one['id']}/duplicates/{one['id']}", role="editor")
    assert refusal(unknown) == (422, "NOT_A_DUPLICATE")


def test_merged_the_survivor_has_what_it_lacked(any_desk: Desk) -> None:
    one, other = two(any_desk)
    answer = merge(any_desk, one, other)
    assert answer.status_code == 201, answer.json
    survivor, absorbed = read(any_desk, one["id"]), read(any_desk, other["id"])
    assert survivor["name"] == {"en": "Canal Museum", "fr": "Musée"}
    assert survivor["summary"] == {"en": "Water"}
    assert survivor["tags"] == ["a", "b"]
    assert survivor["externalId"] == "ext-1"
    assert (absorbed["status"], absorbed["mergedInto"]) == ("archived", one["id"])
    assert any_desk.call("GET", f"/api/platform/pois/{other['id']}").status_code == 404
    assert pairs(any_desk) == []


def test_undone_both_are_as_they_were(any_desk: Desk) -> None:
    one, other = two(any_desk)
    made = merge(any_desk, one, other).json
    undo = f"/pois/merges/{made['id']}/undo"
    answer = any_desk.call("POST", undo, role="editor")
    assert answer.status_code == 200, answer.json
    for before in (one, other):
        after = read(any_desk, before["id"])
        changing = {"version", "updatedAt"}
        assert {k: v for k, v in after.items() if k not in changing} == {
            k: v for k, v in before.items() if k not in changing
        }
    assert refusal(any_desk.call("POST", undo, role="editor")) == (409, "MERGE_UNDONE")


def test_what_was_changed_since_stays_changed(desk: Desk) -> None:
    one, other = two(desk)
    made = merge(desk, one, other).json
    body = {"summary": {"en": "Rewritten"}}
    version = read(desk, one["id"])["version"]
    desk.call("PATCH", f"/pois/{one['id']}", body, role="editor", headers=if_match(version))
    desk.call("POST", f"/pois/merges/{made['id']}/undo", role="editor")
    survivor = read(desk, one["id"])
    assert survivor["summary"] == {"en": "Rewritten"}
    assert survivor["tags"] == ["a"]
    assert survivor["externalId"] is None


def test_merges_of_a_poi_are_listed(desk: Desk) -> None:
    one, other = two(desk)
    made = merge(desk, one, other).json
    assert desk.call("GET", f"/pois/{one['id']}/merges", role="editor").json["data"] == [made]


def test_a_merge_that_cannot_be_is_refused(desk: Desk) -> None:
    one, other = two(desk)
    assert refusal(merge(desk, one, one)) == (422, "NOT_A_DUPLICATE")
    stale = merge(desk, one, {**other, "version": 1})
    assert refusal(stale) == (412, "VERSION_CONFLICT")
    gone = step(desk, other, "archive").json
    assert refusal(merge(desk, one, gone)) == (422, "NOT_A_DUPLICATE")
    assert read(desk, one["id"]) == one


def test_a_repeated_merge_under_one_key_is_one(desk: Desk) -> None:
    one, other = two(desk)
    body = {"duplicateId": other["id"], "duplicateVersion": other["version"]}
    headers = {**if_match(one["version"]), "Idempotency-Key": "0123456789abcdef"}
    first, second = (
        desk.call("POST", f"/pois/{one['id']}/merge", body, role="editor", headers=headers) for _ in range(2)
    )
    assert first.status_code == 201
    # the versions have moved on: the action is refused before the key is looked at
    assert second.data == first.data or second.status_code == 412
