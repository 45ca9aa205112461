"""What is sent in bad faith is refused with a problem document, and changes nothing."""

from __future__ import annotations

import time
import uuid
from typing import Any

import orjson
import pytest

from common.web.paging import encode_cursor
from tests.contract.admin.test_media import add, make_media
from tests.http.admin.desk import Desk, refusal
from tests.http.admin.places import ANN, create, if_match, owner_token, poi_in, read, send_file

SOME_ID = "018f0000-0000-7000-8000-000000000001"
SCRIPTS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</title><b>x",
    "<!-- x",
)


def placed(pointer: str, text: str) -> dict[str, Any]:
    """A request with `text` at `pointer`."""
    body = poi_in(
        images=[
            {"mediaId": SOME_ID, "alt": {"en": "x"}, "source": "x", "licence": "x"},
        ],
        accessibility={"wheelchair": "yes", "features": [], "notes": {"en": "x"}},
        externalId="x",
    )  # fmt: skip
    *steps, last = (int(step) if step.isdecimal() else step for step in pointer.split("/")[1:])
    node: Any = body
    for step in steps:
        node = node[step]
    node[last] = text
    return body


PLAIN = (
    "/name/en",
    "/summary/en",
    "/tags/0",
    "/address/city",
    "/address/street",
    "/address/postalCode",
    "/address/region",
    "/contact/phone",
    "/contact/email",
    "/contact/website",
    "/openingHours",
    "/images/0/alt/en",
    "/images/0/source",
    "/images/0/licence",
    "/accessibility/notes/en",
    "/externalId",
    "/category",
    "/timeZone",
    "/address/country",
)


@pytest.mark.parametrize("pointer", PLAIN)
def test_script_in_a_plain_text_is_refused(desk: Desk, pointer: str) -> None:
    add(desk.ports.store, make_media(id=uuid.UUID(SOME_ID)))
    assert desk.call("POST", "/pois", placed("/name/en", "Fine"), role="editor").status_code == 201
    for script in SCRIPTS:
        answer = desk.call("POST", "/pois", placed(pointer, script), role="editor")
        assert answer.status_code == 422, (pointer, script)
        assert answer.mimetype == "application/problem+json"
        assert any(error["pointer"].startswith(pointer) for error in answer.json["errors"])
    assert len(desk.call("GET", "/pois", role="editor").json["data"]) == 1


@pytest.mark.parametrize(
    "dirty, clean",
    [
        ("<p>Hi<script>alert(1)</script></p>", "<p>Hi</p>"),
        ('<p onclick="x()">Hi</p>', "<p>Hi</p>"),
        ('<a href="javascript:alert(1)">Hi</a>', '<a rel="noopener noreferrer nofollow">Hi</a>'),
        ("<img src=x onerror=alert(1)>Hi", "Hi"),
        ("<svg><script>alert(1)</script></svg>Hi", "Hi"),
        ('<iframe src="https://evil.example"></iframe>Hi', "Hi"),
        ("<style>p{}</style><p>Hi</p>", "<p>Hi</p>"),
        ("<math><mtext></mtext><script>x</script></math>Hi", "Hi"),
    ],
)
def test_script_in_a_rich_text_is_taken_out(desk: Desk, dirty: str, clean: str) -> None:
    poi = create(desk, description={"en": dirty})
    assert poi["description"]["en"] == clean


def test_a_rich_text_of_nothing_but_script_is_refused(desk: Desk) -> None:
    answer = desk.call("POST", "/pois", poi_in(description={"en": SCRIPTS[0]}), role="editor")
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "member, value",
    [
        ("status", "published"),
        ("ownerId", ANN),
        ("owner", ANN),
        ("verification", {"by": "me"}),
        ("verified", True),
        ("version", 99),
        ("id", "018f0000-0000-7000-8000-000000000001"),
        ("review", None),
        ("mergedInto", None),
        ("__proto__", {"admin": True}),
    ],
)
def test_what_only_the_workflow_may_say_is_no_field(desk: Desk, member: str, value: Any) -> None:
    token = owner_token(desk)
    poi = create(desk, token=token)
    tries = [
        desk.call("POST", "/pois", {**poi_in(), member: value}, token=token),
        desk.call("PUT", f"/pois/{poi['id']}", {**poi_in(), member: value}, token=token, headers=if_match(1)),
        desk.call("PATCH", f"/pois/{poi['id']}", {member: value}, token=token, headers=if_match(1)),
        desk.call(
            "POST", "/pois/bulk",
            {"action": "change", "items": [{"id": poi["id"]}], "changes": {member: value}}, token=token,
        ),
    ]  # fmt: skip
    for answer in tries:
        assert refusal(answer) == (422, "VALIDATION_FAILED")
        assert answer.json["errors"][0]["code"] == "UNKNOWN_FIELD"
    assert read(desk, poi["id"]) == poi


def test_an_import_cannot_say_it_either(desk: Desk) -> None:
    content = (
        "externalId,status,owner,version,name_en,category,latitude,longitude,city\n"
        f"x-1,published,{ANN},9,Museum,museum,52.37,4.89,Amsterdam\n"
    )
    job = send_file(desk, content, "csv")
    assert job["outcomes"]["created"] == 1
    (poi,) = desk.call("GET", "/pois", role="editor").json["data"]
    assert (poi["status"], poi["ownerId"], poi["version"]) == ("draft", None, 1)
    properties = {"externalId": "x-2", "name": "M", "category": "museum", "city": "A", "verification": {}}
    feature = {
        "type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": [4.9, 52.3]}
    }  # fmt: skip
    job = send_file(desk, orjson.dumps({"type": "FeatureCollection", "features": [feature]}), "geojson")
    assert job["outcomes"]["refused"] == 1


@pytest.mark.parametrize("value", [{"$gt": ""}, {"$where": "sleep(1000)"}, ["$ne"], {"$ne": None}])
@pytest.mark.parametrize("field", ["category", "externalId", "openingHours", "timeZone", "name"])
def test_operators_in_the_place_of_texts_are_refused(desk: Desk, field: str, value: Any) -> None:
    answer = desk.call("POST", "/pois", poi_in(**{field: value}), role="editor")
    assert refusal(answer) == (422, "VALIDATION_FAILED")


@pytest.mark.parametrize("query", ["q[$ne]=", "status[$ne]=draft", "category[]=x", "$where=1"])
def test_operators_in_a_query_are_refused(desk: Desk, query: str) -> None:
    for path, role in (("/pois", "editor"), ("/api/platform/pois", None)):
        answer = desk.call("GET", path, role=role, query_string=query)
        assert refusal(answer) == (422, "VALIDATION_FAILED")


@pytest.mark.parametrize(
    "text", ["' OR 1=1 --", "%", "_", "\\", '"; DROP TABLE admin_pois; --', "#water", "*"]
)
def test_a_search_takes_everything_for_words(any_desk: Desk, text: str) -> None:
    create(any_desk)
    answer = any_desk.call("GET", "/pois", role="editor", query_string={"q": text, "limit": 5})
    assert answer.status_code == 200
    if text == "' OR 1=1 --":
        assert answer.json["data"] == []
    for name in ("category", "city", "tag"):
        answer = any_desk.call("GET", "/pois", role="editor", query_string={name: text})
        assert answer.json["data"] == [], name


def test_deep_nesting_is_refused(desk: Desk) -> None:
    deep = "[" * 100 + "]" * 100
    body = orjson.dumps(poi_in()).decode().replace('"museum"', deep)
    answer = desk.call(
        "POST", "/pois", role="editor", data=body, headers={"Content-Type": "application/json"}
    )
    assert refusal(answer) == (400, "MALFORMED_JSON")


def test_deep_nesting_in_a_file_is_refused_row_by_row(desk: Desk) -> None:
    deep = "[" * 5000 + "]" * 5000
    content = (
        '{"type":"FeatureCollection","features":['
        f'{{"type":"Feature","geometry":null,"properties":{{"externalId":"x","name":{deep}}}}}]}}'
    )
    job = send_file(desk, content, "geojson")
    assert job["outcomes"]["refused"] == 1 or job["status"] == "failed"
    assert desk.call("GET", "/pois", role="editor").json["data"] == []


def test_five_megabytes_are_too_many(desk: Desk) -> None:
    answer = desk.call("POST", "/pois", poi_in(description={"en": "x" * 5_000_000}), role="editor")
    assert refusal(answer) == (413, "CONTENT_TOO_LARGE")


BLOW_UPS = {
    "/contact/email": "a." * 120 + "@",
    "/contact/website": "https://" + "a" * 400 + "!" * 50,
    "/contact/phone": "1" + " " * 27 + "x",
    "/openingHours": "Mo" + ",Mo" * 160 + " 10:00",
    "/name/en": "<" * 200,
    "/timeZone": "A/" * 30,
}


@pytest.mark.parametrize("pointer", BLOW_UPS)
def test_no_text_takes_longer_than_its_length(desk: Desk, pointer: str) -> None:
    begun = time.perf_counter()
    answer = desk.call("POST", "/pois", placed(pointer, BLOW_UPS[pointer]), role="editor")
    assert answer.status_code in (201, 422)
    assert time.perf_counter() - begun < 1


def test_hours_that_never_open_again_are_answered_at_once(desk: Desk) -> None:
    poi = create(desk, openingHours="2020 Mo 10:00-12:00")
    desk.call("POST", f"/pois/{poi['id']}/publish", role="editor", headers=if_match(1))
    begun = time.perf_counter()
    answer = desk.call("GET", f"/api/platform/pois/{poi['id']}")
    assert answer.json["open"] == {"state": "closed", "comment": "", "nextChangeAt": None}
    assert time.perf_counter() - begun < 0.25


@pytest.mark.parametrize("text", ["\x00", "a\x1b[31m", "x\u2028y", "half \ud83d character"])
def test_control_characters_are_refused(desk: Desk, text: str) -> None:
    raw = orjson.dumps(poi_in(name={"en": "TEXT"})).replace(
        b'"TEXT"', ('"' + "".join(f"\\u{ord(char):04x}" for char in text) + '"').encode()
    )
    answer = desk.call("POST", "/pois", role="editor", data=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert desk.call("GET", "/pois", role="editor").json["data"] == []


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        encode_cursor([]),
        encode_cursor([1, 2]),
        encode_cursor(["a", "b"]),
        encode_cursor([None, SOME_ID]),
        encode_cursor([2**63 - 1, SOME_ID]),
        encode_cursor([-(2**63), SOME_ID]),
        encode_cursor([1e308, SOME_ID]),
        encode_cursor(["\x00", SOME_ID]),
    ],
)
@pytest.mark.parametrize(
    "query", [{}, {"sort": "newest"}, {"sort": "updated"}, {"bbox": "3,50,7,54"}, {"near": "52,5"}]
)
def test_a_cursor_of_ones_own_making_is_no_failure(desk: Desk, cursor: str, query: dict[str, str]) -> None:
    answer = desk.call("GET", "/pois", role="editor", query_string={**query, "cursor": cursor})
    assert answer.status_code in (200, 422)


@pytest.mark.parametrize(
    "query",
    ["bbox=1,2,3", "bbox=a,b,c,d", "bbox=nan,0,1,1", "bbox=0,10,1,0", "bbox=-181,0,1,1", "near=91,0",
     "near=nan,1", "radiusKm=5", "near=52,5&radiusKm=1e9", "near=52,5&bbox=1,1,2,2", "sort=name&near=52,5",
     "limit=0", "limit=101", "limit=x", "updatedSince=yesterday", "updatedSince=2026-07-01T08:00:00Z&q=x",
     "lang=xx"],
)  # fmt: skip
def test_a_query_that_cannot_be_is_refused(desk: Desk, query: str) -> None:
    answer = desk.call("GET", "/api/platform/pois", query_string=query)
    assert refusal(answer) == (422, "VALIDATION_FAILED")
