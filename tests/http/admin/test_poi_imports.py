"""Files of points of interest: imported row by row as a job, and exported so that they can be imported."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from admin_service.actions import poi_imports
from admin_service.domain.imports import ImportJob, ImportStatus
from admin_service.schemas.poi_imports import read_row
from common.identifiers import uuid7
from common.outbox.port import Later
from tests.http.admin.desk import Desk, refusal
from tests.http.admin.places import create, if_match, owned, published, read, rows_of, send_file

HEAD = "externalId,name_en,name_nl,category,latitude,longitude,city,country,tags\n"


def line(number: int, **changes: Any) -> str:
    cells = {
        "externalId": f"vvv-{number}", "name_en": f"Place {number}", "name_nl": "", "category": "museum",
        "latitude": 52.37 + number / 10_000, "longitude": 4.89, "city": "Amsterdam", "country": "NL",
        "tags": "water;history", **changes,
    }  # fmt: skip
    out = io.StringIO()
    csv.writer(out).writerow(cells.values())
    return out.getvalue()


def outcomes(job: Any) -> dict[str, int]:
    """Those that there are."""
    return {name: count for name, count in job["outcomes"].items() if count}


def listed(desk: Desk, **query: Any) -> list[Any]:
    data: list[Any] = desk.call("GET", "/pois", role="editor", query_string=query).json["data"]
    return data


def test_a_csv_file_becomes_drafts(any_desk: Desk) -> None:
    job = send_file(any_desk, HEAD + line(1) + line(2, name_nl='Plaats, "twee"\nregel'), "csv")
    # a line break is no part of a name: that row alone is refused
    assert (job["status"], outcomes(job)) == ("done", {"created": 1, "refused": 1})
    (poi,) = listed(any_desk)
    assert poi["externalId"] == "vvv-1"
    assert poi["status"] == "draft"
    assert poi["tags"] == ["water", "history"]
    assert poi["timeZone"] == "Europe/Amsterdam"
    first, second = rows_of(any_desk, job)
    assert (first["row"], first["outcome"], first["poiId"]) == (1, "created", poi["id"])
    assert [(each["pointer"], each["code"]) for each in second["errors"]] == [
        ("/name/nl", "CONTROL_CHARACTER")
    ]


def test_the_same_file_again_changes_nothing(any_desk: Desk) -> None:
    content = HEAD + "".join(map(line, range(5)))
    send_file(any_desk, content, "csv")
    before = listed(any_desk)
    job = send_file(any_desk, content, "csv")
    assert outcomes(job) == {"unchanged": 5}
    assert listed(any_desk) == before


def test_a_changed_row_changes_its_poi_and_leaves_what_the_file_does_not_say(any_desk: Desk) -> None:
    poi = create(any_desk, externalId="vvv-1")
    job = send_file(any_desk, HEAD + line(1, tags=""), "csv")
    assert outcomes(job) == {"updated": 1}
    after = read(any_desk, poi["id"])
    assert after["name"] == {"en": "Place 1"}
    assert after["tags"] == []
    assert after["openingHours"] == poi["openingHours"]
    assert after["contact"] == poi["contact"]
    history = any_desk.call("GET", f"/pois/{poi['id']}/history", role="editor").json["data"]
    assert (history[0]["action"], history[0]["reason"]) == ("changed", "import")


def test_the_same_id_twice_in_one_file_is_one_poi(any_desk: Desk) -> None:
    job = send_file(any_desk, HEAD + line(1) + line(1, name_en="Later"), "csv")
    assert outcomes(job) == {"created": 1, "updated": 1}
    (poi,) = listed(any_desk)
    assert poi["name"] == {"en": "Later"}


def test_a_dry_run_reports_and_changes_nothing(any_desk: Desk) -> None:
    create(any_desk, externalId="vvv-1")
    before = listed(any_desk)
    job = send_file(any_desk, HEAD + line(1) + line(2) + line(3, category="x"), "csv", dryRun="true")
    assert outcomes(job) == {"created": 1, "updated": 1, "refused": 1}
    assert job["dryRun"] is True
    assert listed(any_desk) == before
    assert [row["outcome"] for row in rows_of(any_desk, job)] == ["updated", "created", "refused"]


@pytest.mark.parametrize(
    "changes, pointer, code",
    [
        ({"externalId": ""}, "/externalId", "REQUIRED"),
        ({"category": "spaceport"}, "/category", "UNKNOWN_CATEGORY"),
        ({"country": "ZZ"}, "/address/country", "UNKNOWN_COUNTRY"),
        ({"latitude": 4.89, "longitude": 52.37}, "/location/coordinates", "COORDINATES_SWAPPED"),
        ({"latitude": 100, "longitude": 52.37}, "/location", "COORDINATES_SWAPPED"),
        ({"latitude": -17, "longitude": 181.5, "country": "FJ"}, "/location", "BEYOND_ANTIMERIDIAN"),
        ({"latitude": "here"}, "/location", "WRONG_TYPE"),
        ({"latitude": ""}, "/location", "WRONG_TYPE"),
        ({"name_en": ""}, "/name", "TOO_SHORT"),
        ({"name_en": "<b>x</b>"}, "/name/en", "MARKUP"),
        ({"city": ""}, "/address/city", "REQUIRED"),
    ],
)
def test_what_is_wrong_with_a_row_is_named(
    desk: Desk, changes: dict[str, Any], pointer: str, code: str
) -> None:
    job = send_file(desk, HEAD + line(1) + line(2, **changes), "csv")
    assert outcomes(job) == {"created": 1, "refused": 1}
    (row,) = rows_of(desk, job, outcome="refused")
    assert row["row"] == 2
    assert (pointer, code) in [(error["pointer"], error["code"]) for error in row["errors"]]


def test_a_place_on_the_other_side_of_the_antimeridian_is_fine(desk: Desk) -> None:
    job = send_file(desk, HEAD + line(1, latitude=-16.8, longitude=-179.9, country="FJ"), "csv")
    assert outcomes(job) == {"created": 1}


def test_an_unknown_picture_is_named(desk: Desk) -> None:
    picture = {"mediaId": "no id", "alt": {"en": "x"}, "source": "x", "licence": "x"}
    job = send_file(desk, features(properties(images=[picture])), "geojson")
    (row,) = rows_of(desk, job)
    assert row["errors"][0]["pointer"] == "/images/0/mediaId"


@pytest.mark.parametrize(
    "content, problem",
    [
        ("", "The file is empty."),
        ("externalId,colour\nx,red\n", "Unknown column: colour."),
        ("externalId,externalId\nx,y\n", "Two columns have the same name."),
        ("externalId,name_en\nx,y,z\n", "Row 1 has more fields than the header."),
        (b"externalId,name_en\nx,\xff\xfe\n", "not UTF-8"),
        ('externalId,name_en\nx,"y' + "z" * 250_000, "After row 0"),
    ],
)
def test_a_file_that_cannot_be_read_says_so(desk: Desk, content: bytes | str, problem: str) -> None:
    job = send_file(desk, content, "csv")
    assert job["status"] == "failed"
    assert problem in job["problem"]


@pytest.mark.parametrize("content", ["", "{", "[]", "nonsense", '{"features": [{}'])
def test_a_file_that_is_no_geojson_says_so(desk: Desk, content: str) -> None:
    job = send_file(desk, content, "geojson")
    assert job["status"] == "failed"
    assert job["problem"]


def test_semicolons_and_a_byte_order_mark_are_understood(desk: Desk) -> None:
    content = "\ufeff" + (HEAD + line(1, tags="")).replace(",", ";")
    assert outcomes(send_file(desk, content, "csv")) == {"created": 1}


def properties(**changes: Any) -> dict[str, Any]:
    return {"externalId": "g-1", "names": {"en": "Tower"}, "category": "landmark", "city": "Gent", **changes}


HERE = {"type": "Point", "coordinates": [3.72, 51.05]}


def features(*all_properties: dict[str, Any]) -> bytes:
    return orjson.dumps(
        {
            "type": "FeatureCollection",
            "features": [
                {"type": "Feature", "geometry": HERE, "properties": each}
                for each in all_properties
            ],
        }
    )  # fmt: skip


def test_a_geojson_file_is_imported(any_desk: Desk) -> None:
    job = send_file(any_desk, features(properties(), properties(externalId=7, colour="red")), "geojson")
    assert outcomes(job) == {"created": 1, "refused": 1}
    (row,) = rows_of(any_desk, job, outcome="refused")
    assert row["externalId"] == "7"
    assert row["errors"][0]["pointer"] == "/colour"
    (poi,) = listed(any_desk)
    assert poi["name"] == {"en": "Tower"}
    assert poi["timeZone"] == "Europe/Brussels"


def test_a_file_can_come_in_pieces_of_any_size(desk: Desk) -> None:
    # far from each other, or they would be likely duplicates
    content = HEAD + "".join(line(i, longitude=3.4 + i / 500) for i in range(1500))
    assert len(content) > 64 * 1024
    job = send_file(desk, content, "csv")
    assert (job["rowsDone"], outcomes(job)) == (1500, {"created": 1500})
    page = desk.call("GET", f"/pois/imports/{job['id']}/rows", role="editor", query_string={"limit": 100})
    query = {"limit": 100, "cursor": page.json["nextCursor"]}
    second = desk.call("GET", f"/pois/imports/{job['id']}/rows", role="editor", query_string=query)
    assert [row["row"] for row in second.json["data"]] == list(range(101, 201))


def test_a_job_that_was_broken_off_goes_on_where_it_was(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(poi_imports, "BATCH", 10)
    monkeypatch.setattr(poi_imports, "BATCHES_A_TURN", 2)
    raw = (HEAD + "".join(map(line, range(35)))).encode()
    answer = desk.call(
        "POST", "/pois/import", role="editor", query_string={"format": "csv"}, data=raw,
        headers={"Content-Type": "text/csv"},
    )  # fmt: skip
    (task, *_) = desk.ports.store.outbox.claim(desk.clock.now, desk.clock.now + timedelta(seconds=30), 1)
    import_id = UUID(task.payload["importId"])
    with pytest.raises(Later):
        poi_imports.work_off(import_id, read_row, desk.ports)
    path = f"/pois/imports/{answer.json['id']}"
    halfway = desk.call("GET", path, role="editor").json
    assert (halfway["status"], halfway["rowsDone"]) == ("running", 20)
    poi_imports.work_off(import_id, read_row, desk.ports)
    done = desk.call("GET", path, role="editor").json
    assert (done["status"], done["rowsDone"], outcomes(done)) == ("done", 35, {"created": 35})
    poi_imports.work_off(import_id, read_row, desk.ports)  # once more is once too often
    assert desk.call("GET", path, role="editor").json == done


def test_a_turn_ends_before_its_lease_however_slow_the_machine(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = waiting_import(desk, monkeypatch)
    decided = poi_imports._decided

    def slow(*arguments: Any) -> Any:
        desk.clock.move(seconds=6)
        return decided(*arguments)

    monkeypatch.setattr(poi_imports, "_decided", slow)
    with pytest.raises(Later):
        poi_imports.work_off(import_id, read_row, desk.ports)
    assert desk.call("GET", f"/pois/imports/{import_id}", role="editor").json["rowsDone"] == 20


def test_who_comes_second_to_a_job_leaves_its_task(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    import_id = waiting_import(desk, monkeypatch)
    decided = poi_imports._decided

    def overtaken(*arguments: Any) -> Any:
        monkeypatch.setattr(poi_imports, "_decided", decided)
        with pytest.raises(Later):
            poi_imports.work_off(import_id, read_row, desk.ports)
        return decided(*arguments)

    monkeypatch.setattr(poi_imports, "BATCHES_A_TURN", 2)
    monkeypatch.setattr(poi_imports, "_decided", overtaken)
    with pytest.raises(Later, match="somebody else"):
        poi_imports.work_off(import_id, read_row, desk.ports)
    desk.work()
    job = desk.call("GET", f"/pois/imports/{import_id}", role="editor").json
    assert (job["status"], job["rowsDone"], outcomes(job)) == ("done", 35, {"created": 35})


def waiting_import(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """A file of 35 rows, to be worked off ten at a time."""
    monkeypatch.setattr(poi_imports, "BATCH", 10)
    answer = desk.call(
        "POST", "/pois/import", role="editor", query_string={"format": "csv"},
        data=(HEAD + "".join(map(line, range(35)))).encode(), headers={"Content-Type": "text/csv"},
    )  # fmt: skip
    return UUID(answer.json["id"])


def test_an_upload_that_is_cut_off_leaves_nothing(desk: Desk) -> None:
    raw = (HEAD + line(1)).encode()
    answer = desk.call(
        "POST", "/pois/import", role="editor", query_string={"format": "csv"},
        input_stream=io.BytesIO(raw),
        headers={"Content-Type": "text/csv"},
        environ_overrides={"CONTENT_LENGTH": str(len(raw) + 1000)},
    )  # fmt: skip
    assert answer.status_code == 400
    assert desk.call("GET", "/pois/imports", role="editor").json["data"] == []
    desk.work()
    assert listed(desk) == []


def test_what_never_came_whole_is_forgotten(desk: Desk) -> None:
    job = send_file(desk, HEAD + line(1), "csv")
    store = desk.ports.store.imports
    done = store.job(UUID(job["id"]))
    assert done is not None
    broken = ImportJob(
        id=uuid7(), status=ImportStatus.RECEIVING, format="csv", dry_run=False,
        actor=done.actor, name="", bytes_total=0, rows_done=0, created_at=desk.clock.now,
        updated_at=desk.clock.now,
    )  # fmt: skip
    store.begin(broken)
    store.add_chunk(broken.id, 0, b"x")
    poi_imports.forget_broken_off(desk.ports)
    assert store.job(broken.id) is not None
    desk.clock.move(hours=2)
    poi_imports.forget_broken_off(desk.ports)
    assert store.job(broken.id) is None
    assert store.job(done.id) is not None


def test_the_file_itself_is_forgotten_when_the_job_is_over(desk: Desk) -> None:
    job = send_file(desk, HEAD + line(1), "csv")
    assert list(desk.ports.store.imports.chunks(UUID(job["id"]))) == []


def test_a_file_of_another_type_is_refused(desk: Desk) -> None:
    answer = desk.call(
        "POST", "/pois/import", role="editor", query_string={"format": "csv"}, data=b"x",
        headers={"Content-Type": "application/zip"},
    )  # fmt: skip
    assert refusal(answer) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("file_format", ["csv", "geojson"])
def test_what_is_exported_can_be_imported_and_is_the_same(any_desk: Desk, file_format: str) -> None:
    poi = published(
        any_desk, externalId="round-1", name={"en": '=1+1, "quoted"', "nl": "@naam", "fr": "'-x"},
        description={"en": "<p>Two<br>lines</p>"}, tags=["+plus", "a b"],
        accessibility={"wheelchair": "limited", "features": ["lift", "ramp"], "notes": {"en": "-slope"}},
        priceRange={"level": "low", "lowest": 0, "highest": 1250, "currency": "EUR"},
    )  # fmt: skip
    answer = any_desk.call("GET", "/pois/export", role="editor", query_string={"format": file_format})
    assert answer.status_code == 200
    job = send_file(any_desk, answer.data, file_format)
    assert outcomes(job) == {"unchanged": 1}, rows_of(any_desk, job)
    assert read(any_desk, poi["id"])["version"] == poi["version"]


def test_an_exported_csv_has_no_formula(desk: Desk) -> None:
    evil = ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", " =1")
    for index, text in enumerate(evil):
        create(desk, name={"en": text}, externalId=f"={index}", tags=[text],
               address={"city": text, "street": text, "country": "NL"})  # fmt: skip
    answer = desk.call("GET", "/pois/export", role="editor")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="pois.csv"'
    assert answer.mimetype == "text/csv"
    cells = [cell for row in csv.reader(io.StringIO(answer.get_data(as_text=True))) for cell in row]
    assert not [cell for cell in cells if cell.lstrip(" ").startswith(("=", "+", "@"))]
    assert not [cell for cell in cells if cell.lstrip(" ").startswith("-") and not is_number(cell)]


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_an_export_has_every_page_and_follows_the_filters(desk: Desk) -> None:
    send_file(desk, HEAD + "".join(map(line, range(450))), "csv")
    create(desk, category="garden")
    every = desk.call("GET", "/pois/export", role="editor").get_data(as_text=True)
    assert len(list(csv.reader(io.StringIO(every)))) == 452
    garden = desk.call("GET", "/pois/export", role="editor", query_string={"category": "garden"})
    assert len(list(csv.reader(io.StringIO(garden.get_data(as_text=True))))) == 2
    collection = desk.call("GET", "/pois/export", role="editor", query_string={"format": "geojson"})
    assert len(orjson.loads(collection.data)["features"]) == 451


def test_an_import_of_what_waits_already_is_unchanged(desk: Desk) -> None:
    owned(desk, externalId="vvv-1")
    token = desk.token("poi_owner", subject="00000000-0000-0000-0000-00000000000a")
    content = HEAD + line(1)
    assert outcomes(send_file(desk, content, "csv", token=token)) == {"proposed": 1}
    assert outcomes(send_file(desk, content, "csv", token=token)) == {"unchanged": 1}


def test_what_is_archived_is_not_changed_by_a_file(desk: Desk) -> None:
    poi = create(desk, externalId="vvv-1")
    desk.call("DELETE", f"/pois/{poi['id']}", role="editor", headers=if_match(1))
    job = send_file(desk, HEAD + line(1), "csv")
    (row,) = rows_of(desk, job)
    assert row["errors"][0]["code"] == "POI_ARCHIVED"
