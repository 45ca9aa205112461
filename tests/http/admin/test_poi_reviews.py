"""Owners: what they do to a published POI waits for review, by every path; and they reach their own only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.http.admin.desk import Desk, refusal
from tests.http.admin.places import (
    ANN,
    BOB,
    create,
    if_match,
    owned,
    owner_token,
    poi_in,
    published,
    read,
    send_file,
    step,
)

NEW_NAME = {"en": "Renamed", "nl": "Grachtenmuseum"}


def by_put(desk: Desk, poi: Any) -> None:
    body = poi_in(name=NEW_NAME, externalId=poi["externalId"])
    headers = if_match(poi["version"])
    answer = desk.call("PUT", f"/pois/{poi['id']}", body, token=owner_token(desk), headers=headers)
    assert answer.status_code == 200, answer.json


def by_patch(desk: Desk, poi: Any) -> None:
    headers = if_match(poi["version"])
    answer = desk.call(
        "PATCH", f"/pois/{poi['id']}", {"name": NEW_NAME}, token=owner_token(desk), headers=headers
    )
    assert answer.status_code == 200, answer.json


def by_bulk(desk: Desk, poi: Any) -> None:
    body = {"action": "change", "items": [{"id": poi["id"]}], "changes": {"name": NEW_NAME}}
    answer = desk.call("POST", "/pois/bulk", body, token=owner_token(desk))
    assert answer.json["data"][0]["outcome"] == "done", answer.json


def by_import(desk: Desk, poi: Any) -> None:
    content = f"externalId,name_en,name_nl\n{poi['externalId']},Renamed,Grachtenmuseum\n"
    job = send_file(desk, content, "csv", token=owner_token(desk))
    assert job["outcomes"]["proposed"] == 1, job


PATHS = pytest.mark.parametrize("change", [by_put, by_patch, by_bulk, by_import])


def shown(desk: Desk, poi: Any) -> Any:
    """What visitors see of the POI."""
    return desk.call("GET", f"/api/platform/pois/{poi['id']}").json


@PATHS
def test_a_change_waits_as_a_visible_diff(any_desk: Desk, change: Callable[[Desk, Any], None]) -> None:
    poi = owned(any_desk, externalId="x-1")
    change(any_desk, poi)
    after = read(any_desk, poi["id"], role="reviewer")
    assert after["status"] == "published"
    assert after["name"] == poi["name"]
    assert after["review"]["changes"] == [
        {"pointer": "/name/en", "before": "Canal Museum", "after": "Renamed"}
    ]
    assert shown(any_desk, poi)["name"] == "Canal Museum"


@PATHS
def test_approved_it_is_what_visitors_see(desk: Desk, change: Callable[[Desk, Any], None]) -> None:
    poi = owned(desk, externalId="x-1")
    change(desk, poi)
    waiting = read(desk, poi["id"])
    answer = step(desk, waiting, "approve", role="reviewer")
    assert answer.status_code == 200
    assert answer.json["review"] is None
    assert shown(desk, poi)["name"] == "Renamed"


def test_rejected_it_is_gone(desk: Desk) -> None:
    poi = owned(desk, externalId="x-1")
    by_patch(desk, poi)
    answer = step(desk, read(desk, poi["id"]), "reject", role="reviewer", reason="No")
    assert answer.json["review"] is None
    assert answer.json["status"] == "published"
    assert shown(desk, poi)["name"] == "Canal Museum"


def test_a_restored_version_waits_too(desk: Desk) -> None:
    poi = owned(desk)
    by_patch(desk, {**poi, "externalId": None})
    poi = step(desk, read(desk, poi["id"]), "approve", role="reviewer").json
    answer = desk.call(
        "POST", f"/pois/{poi['id']}/restore", {"version": 1}, token=owner_token(desk),
        headers=if_match(poi["version"]),
    )  # fmt: skip
    assert answer.status_code == 200
    assert answer.json["name"]["en"] == "Renamed"
    assert answer.json["review"]["changes"] == [
        {"pointer": "/name/en", "before": "Renamed", "after": "Canal Museum"}
    ]


def test_an_owner_goes_on_from_what_was_proposed(desk: Desk) -> None:
    poi = owned(desk)
    by_patch(desk, poi)
    poi = read(desk, poi["id"])
    desk.call(
        "PATCH", f"/pois/{poi['id']}", {"tags": ["new"]}, token=owner_token(desk),
        headers=if_match(poi["version"]),
    )  # fmt: skip
    pointers = [change["pointer"] for change in read(desk, poi["id"])["review"]["changes"]]
    assert pointers == ["/name/en", "/tags"]


def test_a_proposal_that_is_taken_back_is_none(desk: Desk) -> None:
    poi = owned(desk)
    by_patch(desk, poi)
    poi = read(desk, poi["id"])
    desk.call(
        "PATCH", f"/pois/{poi['id']}", {"name": poi["name"]}, token=owner_token(desk),
        headers=if_match(poi["version"]),
    )  # fmt: skip
    assert read(desk, poi["id"])["review"] is None


def test_an_editors_change_in_between_is_kept(desk: Desk) -> None:
    poi = owned(desk)
    by_patch(desk, poi)
    version = read(desk, poi["id"])["version"]
    desk.call("PATCH", f"/pois/{poi['id']}", {"tags": ["edited"]}, role="editor", headers=if_match(version))
    answer = step(desk, read(desk, poi["id"]), "approve", role="reviewer")
    assert answer.json["tags"] == ["edited"]
    assert answer.json["name"]["en"] == "Renamed"


def test_what_an_owner_creates_waits_for_review(any_desk: Desk) -> None:
    poi = create(any_desk, token=owner_token(any_desk))
    assert poi["status"] == "in_review"
    assert poi["ownerId"] == ANN
    assert any(change["pointer"] == "/name/en" for change in poi["review"]["changes"])
    assert any_desk.call("GET", f"/api/platform/pois/{poi['id']}").status_code == 404
    waiting = any_desk.call("GET", "/pois", role="reviewer", query_string={"waiting": "true"}).json["data"]
    assert [each["id"] for each in waiting] == [poi["id"]]


def test_an_imported_poi_of_an_owner_waits_for_review(desk: Desk) -> None:
    content = (
        "externalId,name_en,category,latitude,longitude,city,country\n"
        "o-1,Own Museum,museum,52.37,4.89,Amsterdam,NL\n"
    )
    job = send_file(desk, content, "csv", token=owner_token(desk))
    assert job["outcomes"]["created"] == 1, job
    (poi,) = desk.call("GET", "/pois", token=owner_token(desk)).json["data"]
    assert poi["status"] == "in_review"


def test_an_owner_cannot_decide_about_it(desk: Desk) -> None:
    poi = create(desk, token=owner_token(desk))
    for name in ("approve", "publish", "archive", "close", "verify"):
        answer = desk.call("POST", f"/pois/{poi['id']}/{name}", token=owner_token(desk), headers=if_match(1))
        assert refusal(answer) == (403, "FORBIDDEN"), name
    for action in ("approve", "publish", "archive", "close", "verify"):
        body = {"action": action, "items": [{"id": poi["id"]}]}
        answer = desk.call("POST", "/pois/bulk", body, token=owner_token(desk))
        assert refusal(answer) == (403, "FORBIDDEN"), action
    assert read(desk, poi["id"]) == poi


def test_anothers_poi_does_not_exist_for_an_owner(any_desk: Desk) -> None:
    poi = owned(any_desk, BOB, externalId="bob-1")
    path, token, now = f"/pois/{poi['id']}", owner_token(any_desk), if_match(poi["version"])
    tries = [
        any_desk.call("GET", path, token=token),
        any_desk.call("GET", f"{path}/history", token=token),
        any_desk.call("PUT", path, poi_in(), token=token, headers=now),
        any_desk.call("PATCH", path, {"tags": []}, token=token, headers=now),
        any_desk.call("POST", f"{path}/submit", token=token, headers=now),
        any_desk.call("POST", f"{path}/restore", {"version": 1}, token=token, headers=now),
    ]
    assert [refusal(answer) for answer in tries] == [(404, "POI_NOT_FOUND")] * len(tries)
    body = {"action": "change", "items": [{"id": poi["id"]}], "changes": {"tags": []}}
    answer = any_desk.call("POST", "/pois/bulk", body, token=token)
    assert answer.json["data"][0]["code"] == "POI_NOT_FOUND"
    job = send_file(any_desk, "externalId,name_en\nbob-1,Mine\n", "csv", token=token)
    assert job["outcomes"] == {"created": 0, "updated": 0, "unchanged": 0, "proposed": 0, "refused": 1}
    assert any_desk.call("GET", "/pois", token=token).json["data"] == []
    assert "bob-1" not in any_desk.call("GET", "/pois/export", token=token).get_data(as_text=True)
    assert read(any_desk, poi["id"]) == poi


def test_anothers_import_does_not_exist_for_an_owner(desk: Desk) -> None:
    job = send_file(desk, "externalId,name_en\nbob-1,Mine\n", "csv", token=owner_token(desk, BOB))
    for path in (f"/pois/imports/{job['id']}", f"/pois/imports/{job['id']}/rows"):
        assert refusal(desk.call("GET", path, token=owner_token(desk))) == (404, "IMPORT_NOT_FOUND")
    assert desk.call("GET", "/pois/imports", token=owner_token(desk)).json["data"] == []
    assert len(desk.call("GET", "/pois/imports", token=owner_token(desk, BOB)).json["data"]) == 1


def test_a_credential_may_name_places_besides_those_that_are_owned(any_desk: Desk) -> None:
    named, other = published(any_desk), published(any_desk)
    token = any_desk.token("poi_owner", subject=ANN, poi_ids=[named["id"]])
    found = any_desk.call("GET", "/pois", token=token).json["data"]
    assert [poi["id"] for poi in found] == [named["id"]]
    assert any_desk.call("GET", f"/pois/{named['id']}", token=token).status_code == 200
    assert any_desk.call("GET", f"/pois/{other['id']}", token=token).status_code == 404


def test_an_editor_gives_a_poi_to_an_owner(desk: Desk) -> None:
    poi = published(desk)
    headers = if_match(poi["version"])
    body = {"ownerId": ANN}
    refused = desk.call("PUT", f"/pois/{poi['id']}/owner", body, token=owner_token(desk), headers=headers)
    assert refusal(refused) == (403, "FORBIDDEN")
    answer = desk.call("PUT", f"/pois/{poi['id']}/owner", body, role="editor", headers=headers)
    assert answer.json["ownerId"] == ANN
    assert desk.call("GET", f"/pois/{poi['id']}", token=owner_token(desk)).status_code == 200
