"""What visitors, maps and copies read: published only, cached, in one language, as JSON or GeoJSON."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.http.admin.desk import Desk, refusal
from tests.http.admin.places import create, if_match, poi_in, published, step

POIS = "/api/platform/pois"
GEOJSON = {"Accept": "application/geo+json"}


def found(desk: Desk, **query: Any) -> list[str]:
    """The English names of what a search finds, in its order."""
    answer = desk.call("GET", POIS, query_string=query)
    assert answer.status_code == 200, answer.json
    return [poi["names"].get("en", "") for poi in answer.json["data"]]


def place(desk: Desk, name: str, longitude: float, latitude: float, **more: Any) -> Any:
    location = {"type": "Point", "coordinates": [longitude, latitude]}
    address = more.pop("address", {"city": "Somewhere"})
    return published(desk, name={"en": name}, location=location, address=address, **more)


def test_only_what_is_published_is_shown(any_desk: Desk) -> None:
    draft = create(any_desk, name={"en": "Draft"})
    waiting = step(any_desk, create(any_desk, name={"en": "Waiting"}), "submit").json
    archived = step(any_desk, published(any_desk, name={"en": "Archived"}), "archive").json
    closed = step(any_desk, published(any_desk, name={"en": "Closed"}), "close").json
    shown = published(any_desk, name={"en": "Shown"})
    assert found(any_desk) == ["Shown"]
    for poi in (draft, waiting, closed, archived):
        assert refusal(any_desk.call("GET", f"{POIS}/{poi['id']}")) == (404, "POI_NOT_FOUND")
    assert any_desk.call("GET", f"{POIS}/{shown['id']}").json["status"] == "published"
    assert refusal(any_desk.call("GET", f"{POIS}/{uuid.uuid4()}")) == (404, "POI_NOT_FOUND")


def test_nothing_internal_is_shown(desk: Desk) -> None:
    poi = step(desk, published(desk, externalId="secret-1"), "verify", "reviewer", note="internal").json
    answer = desk.call("GET", f"{POIS}/{poi['id']}")
    text = answer.get_data(as_text=True)
    assert "secret-1" not in text
    assert "internal" not in text
    assert "access:" not in text
    assert answer.json["verifiedAt"] == "2026-07-01T08:00:00.000Z"


def test_a_text_falls_back_to_another_language(desk: Desk) -> None:
    poi = published(desk, name={"nl": "Museum", "de": "Das Museum"}, summary={"en": "Water"})
    german = desk.call("GET", f"{POIS}/{poi['id']}", query_string={"lang": "de"})
    assert german.headers["Content-Language"] == "de"
    assert (german.json["name"], german.json["summary"]) == ("Das Museum", "Water")
    french = desk.call("GET", f"{POIS}/{poi['id']}", headers={"Accept-Language": "fr"})
    assert french.json["name"] == "Das Museum"  # neither French nor English: the first there is
    assert french.json["names"] == {"nl": "Museum", "de": "Das Museum"}


def test_open_now_follows_the_clock_of_the_place(desk: Desk) -> None:
    poi = published(desk, openingHours="Mo-Fr 09:00-17:00")
    # a Wednesday, 10:00 in Amsterdam
    state = desk.call("GET", f"{POIS}/{poi['id']}").json["open"]
    assert state == {"state": "open", "comment": "", "nextChangeAt": "2026-07-01T15:00:00.000Z"}
    desk.clock.move(hours=7)
    state = desk.call("GET", f"{POIS}/{poi['id']}").json["open"]
    assert state["state"] == "closed"
    assert state["nextChangeAt"] == "2026-07-02T07:00:00.000Z"


def test_an_answer_is_kept_and_confirmed_by_its_etag(desk: Desk) -> None:
    poi = published(desk)
    first = desk.call("GET", f"{POIS}/{poi['id']}")
    assert first.headers["Cache-Control"] == "public, max-age=0, must-revalidate"
    again = desk.call("GET", f"{POIS}/{poi['id']}", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    document = desk.call("GET", "/monitoring/cache/stats").json
    assert document["cache"]["regions"]["pois"]["hits"] >= 1


@pytest.mark.parametrize("path", ["", "/{id}", "/clusters?bbox=4,52,5,53&zoom=7"])
@pytest.mark.parametrize("accept", ["application/json", "application/geo+json"])
def test_a_change_ends_what_was_kept(desk: Desk, path: str, accept: str) -> None:
    poi = published(desk, tags=["old"])
    address, headers = POIS + path.format(id=poi["id"]), {"Accept": accept}
    before = desk.call("GET", address, headers=headers)
    assert desk.call("GET", address, headers=headers).data == before.data
    moved = {"type": "Point", "coordinates": [4.5, 52.5]}
    desk.call("PATCH", f"/pois/{poi['id']}", {"location": moved, "tags": ["new"]}, role="editor",
              headers=if_match(poi["version"]))  # fmt: skip
    after = desk.call("GET", address, headers=headers)
    assert b"4.5" in after.data
    assert after.headers["ETag"] != before.headers["ETag"]
    version = poi["version"] + 1
    desk.call("POST", f"/pois/{poi['id']}/archive", role="editor", headers=if_match(version))
    gone = desk.call("GET", address, headers=headers)
    assert gone.status_code == 404 or b"4.5" not in gone.data


def test_geojson_comes_when_it_is_asked_for(any_desk: Desk) -> None:
    poi = published(any_desk)
    for _ in range(2):  # made, and then kept
        plain = any_desk.call("GET", f"{POIS}/{poi['id']}")
        feature = any_desk.call("GET", f"{POIS}/{poi['id']}", headers=GEOJSON)
        assert plain.mimetype == "application/json"
        assert feature.mimetype == "application/geo+json"
        assert "Accept" in feature.headers["Vary"]
        assert feature.json["type"] == "Feature"
        assert feature.json["geometry"] == {"type": "Point", "coordinates": [4.8897, 52.3702]}
        assert feature.json["properties"]["name"] == "Canal Museum"
    collection = any_desk.call("GET", POIS, headers=GEOJSON).json
    assert collection["type"] == "FeatureCollection"
    assert [each["id"] for each in collection["features"]] == [poi["id"]]
    assert collection["nextCursor"] is None


@pytest.mark.parametrize(
    "accept, media_type",
    [
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("application/geo+json", "application/geo+json"),
        ("application/geo+json, application/json;q=0.5", "application/geo+json"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
    ],
)
def test_the_format_is_the_one_that_is_named(desk: Desk, accept: str, media_type: str) -> None:
    published(desk)
    for _ in range(3):
        assert desk.call("GET", POIS, headers={"Accept": accept}).mimetype == media_type
        assert desk.call("GET", POIS).mimetype == "application/json"


def test_search_finds_by_words_and_filters(any_desk: Desk) -> None:
    published(any_desk, name={"en": "Canal Museum"}, tags=["water"])
    lille = {"city": "Lille"}
    published(any_desk, name={"en": "Château Garden"}, category="garden", tags=["green"], address=lille)
    published(any_desk, name={"en": "Beer Museum"}, description={"nl": "Over <em>brouwen</em>"})
    assert found(any_desk, q="muse") == ["Beer Museum", "Canal Museum"]
    assert found(any_desk, q="museum brouw") == ["Beer Museum"]
    assert found(any_desk, q="chateau") == ["Château Garden"]
    assert found(any_desk, q="em") == []  # a tag is no word
    assert found(any_desk, category="garden") == ["Château Garden"]
    assert found(any_desk, category="culture") == ["Beer Museum", "Canal Museum"]
    assert found(any_desk, city="lille") == ["Château Garden"]
    assert found(any_desk, tag="Water") == ["Beer Museum", "Canal Museum"]
    assert found(any_desk, q="museum", tag="none") == []
    assert found(any_desk, sort="newest") == ["Beer Museum", "Château Garden", "Canal Museum"]


def test_a_box_may_lie_over_the_antimeridian(any_desk: Desk) -> None:
    place(any_desk, "West", 179.5, -17)
    place(any_desk, "East", -179.5, -17)
    place(any_desk, "Far", 0, -17)
    assert sorted(found(any_desk, bbox="179,-18,-179,-16")) == ["East", "West"]
    assert found(any_desk, bbox="-1,-18,1,-16") == ["Far"]
    assert found(any_desk, near="-17,180", radiusKm=100) in (["East", "West"], ["West", "East"])


def test_a_circle_has_the_nearest_first_and_ends_where_it_ends(any_desk: Desk) -> None:
    for name, longitude in (("C", 5.05), ("A", 5.001), ("B", 5.01), ("Out", 5.2)):
        place(any_desk, name, longitude, 52)
    assert found(any_desk, near="52,5", radiusKm=5) == ["A", "B", "C"]
    first = any_desk.call("GET", POIS, query_string={"near": "52,5", "radiusKm": 5, "limit": 1}).json
    query = {"near": "52,5", "radiusKm": 5, "limit": 2, "cursor": first["nextCursor"]}
    assert [poi["name"] for poi in any_desk.call("GET", POIS, query_string=query).json["data"]] == ["B", "C"]


def test_changes_come_in_their_order_and_tell_what_is_gone(any_desk: Desk) -> None:
    one = published(any_desk, name={"en": "One"})
    any_desk.clock.move(minutes=1)
    two = published(any_desk, name={"en": "Two"})
    any_desk.clock.move(minutes=1)
    since = any_desk.clock.now.isoformat().replace("+00:00", "Z")
    assert feed(any_desk, since) == ([], [])
    any_desk.call("PATCH", f"/pois/{two['id']}", {"tags": ["new"]}, role="editor", headers=if_match(2))
    any_desk.clock.move(minutes=1)
    step(any_desk, one, "archive")
    create(any_desk, name={"en": "Draft"})
    assert feed(any_desk, since) == (["Two"], [one["id"]])
    assert feed(any_desk, "2026-01-01T00:00:00Z") == (["Two"], [one["id"]])


def test_a_place_that_closes_for_a_time_is_gone_and_comes_back(any_desk: Desk) -> None:
    poi = published(any_desk, name={"en": "Bath"}, openingHours="24/7")
    any_desk.clock.move(minutes=1)
    since = any_desk.clock.now.isoformat().replace("+00:00", "Z")
    closed = step(any_desk, poi, "close").json
    assert (found(any_desk), found(any_desk, q="bath")) == ([], [])
    assert feed(any_desk, since) == ([], [poi["id"]])
    view = {"bbox": "-180,-90,180,90", "zoom": 2}
    assert any_desk.call("GET", f"{POIS}/clusters", query_string=view).json["data"] == []
    # what was approved stays approved: its owner's change waits for review, and is there when it opens again
    token = any_desk.token("poi_owner", poi_ids=[poi["id"]])
    match = if_match(closed["version"])
    proposed = any_desk.call("PATCH", f"/pois/{poi['id']}", {"tags": ["x"]}, token=token, headers=match).json
    assert proposed["review"]["changes"]
    step(any_desk, proposed, "publish")
    assert found(any_desk, q="bath") == ["Bath"]
    assert feed(any_desk, since) == (["Bath"], [])
    assert any_desk.call("GET", f"{POIS}/{poi['id']}").json["tags"] == poi["tags"]


def feed(desk: Desk, since: str) -> tuple[list[str], list[str]]:
    names, removed, cursor = [], [], None
    while True:
        query = {"updatedSince": since, "limit": 1, **({"cursor": cursor} if cursor else {})}
        page = desk.call("GET", POIS, query_string=query).json
        names += [poi["name"] for poi in page["data"]]
        removed += page["removed"]
        cursor = page["nextCursor"]
        if cursor is None:
            return names, removed


def test_a_proposal_is_no_change_for_visitors(desk: Desk) -> None:
    poi = published(desk)
    desk.clock.move(minutes=1)
    since = desk.clock.now.isoformat().replace("+00:00", "Z")
    token = desk.token("poi_owner", poi_ids=[poi["id"]])
    desk.call("PATCH", f"/pois/{poi['id']}", {"tags": ["x"]}, token=token, headers=if_match(2))
    assert feed(desk, since) == ([], [])


def test_clusters_count_what_is_shown(any_desk: Desk) -> None:
    near = [place(any_desk, f"P{index}", 4.9 + index / 1000, 52.37) for index in range(3)]
    place(any_desk, "Garden", 4.9, 52.371, category="garden")
    place(any_desk, "Far", 7.0, 53.0)
    create(any_desk, name={"en": "Draft"})
    assert counts(any_desk, 6) == [1, 4]
    assert counts(any_desk, 6, category="garden") == [1]
    assert counts(any_desk, 6, category="culture") == [1, 3]
    step(any_desk, near[0], "archive")
    assert counts(any_desk, 6) == [1, 3]
    closed = step(any_desk, near[1], "close").json
    assert counts(any_desk, 6) == [1, 2]
    step(any_desk, closed, "publish")
    assert counts(any_desk, 6) == [1, 3]
    everything = clusters(any_desk, bbox="3,50,8,54", zoom=6)
    assert [7.0, 53.0] in [each["location"]["coordinates"] for each in everything]


def counts(desk: Desk, zoom: int, **query: Any) -> list[int]:
    return sorted(each["count"] for each in clusters(desk, bbox="3,50,8,54", zoom=zoom, **query))


def clusters(desk: Desk, **query: Any) -> list[Any]:
    answer = desk.call("GET", f"{POIS}/clusters", query_string=query)
    assert answer.status_code == 200, answer.json
    data: list[Any] = answer.json["data"]
    return data


def test_every_zoom_counts_the_same_places(any_desk: Desk) -> None:
    for index in range(4):
        place(any_desk, f"P{index}", 4.9 + index / 5000, 52.37)
    for zoom in range(23):
        box = "4.89,52.36,4.91,52.38" if zoom > 12 else "4,52,5,53"
        if zoom > 15:
            box = "4.8999,52.3699,4.9007,52.3701"
        total = sum(each["count"] for each in clusters(any_desk, bbox=box, zoom=zoom))
        assert total == 4, zoom


def test_a_view_that_no_screen_shows_is_refused(desk: Desk) -> None:
    answer = desk.call("GET", f"{POIS}/clusters", query_string={"bbox": "-180,-85,180,85", "zoom": 12})
    assert refusal(answer) == (422, "VIEW_TOO_WIDE")
    world = desk.call("GET", f"{POIS}/clusters", query_string={"bbox": "-180,-90,180,90", "zoom": 0})
    assert world.json == {"data": []}


def test_the_category_tree_is_public(desk: Desk) -> None:
    categories = {each["key"]: each for each in desk.call("GET", "/api/platform/categories").json["data"]}
    assert categories["museum"]["parent"] == "culture"
    assert categories["museum"]["names"]["fr"] == "Musée"
    assert categories["culture"]["parent"] is None
    assert all(len(each["names"]) == 5 for each in categories.values())
    assert poi_in()["category"] in categories
