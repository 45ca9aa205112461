"""The POI directory as a file that somebody else writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ticketing_service.clients.poi_directory import GeoJsonPoiDirectory
from ticketing_service.clients.port import DirectoryUnavailable

ID = "0198c0de-0000-7000-8000-000000000001"


def feature(**properties: Any) -> dict[str, Any]:
    geometry = properties.pop("geometry", {"type": "Point", "coordinates": [4.35, 52.01]})
    known = {
        "id": ID,
        "names": {"en": "Old Church", "nl": "Oude Kerk"},
        "city": "Delft",
        "category": "monument",
        "timeZone": "Europe/Amsterdam",
        "version": 3,
    }
    return {"type": "Feature", "geometry": geometry, "properties": {**known, **properties}}


def written(folder: Path, *features: Any) -> GeoJsonPoiDirectory:
    path = folder / "pois.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return GeoJsonPoiDirectory(path)


def test_a_feature_becomes_a_poi(tmp_path: Path) -> None:
    found = written(tmp_path, feature()).read()
    (poi,) = found.pois
    assert found.faults == ()
    assert poi.id == UUID(ID)
    assert poi.names == {"en": "Old Church", "nl": "Oude Kerk"}
    assert (poi.point.latitude, poi.point.longitude) == (52.01, 4.35)
    assert (poi.city, poi.category, poi.version) == ("Delft", "monument", 3)
    assert poi.time_zone == "Europe/Amsterdam"


def test_a_time_of_change_stands_for_a_version(tmp_path: Path) -> None:
    (poi,) = written(tmp_path, feature(version=None, updatedAt="2026-06-01T00:00:00.005Z")).read().pois
    assert poi.version == 1_780_272_000_005


BAD: list[Any] = [
    None,
    {"type": "Feature"},
    feature(id="1"),
    feature(id=None),
    feature(names={}),
    feature(names={"en": "two\nlines"}),
    feature(names={"en": 7}),
    feature(city=""),
    feature(category=None),
    feature(timeZone="Mars/Base"),
    feature(timeZone="../../etc/passwd"),
    feature(version="3"),
    feature(version=-1),
    feature(version=None),
    feature(version=None, updatedAt="2026-06-01T00:00:00"),
    feature(geometry=None),
    feature(geometry={"type": "Polygon", "coordinates": []}),
    feature(geometry={"type": "Point", "coordinates": [4.35]}),
    feature(geometry={"type": "Point", "coordinates": ["4", "52"]}),
    feature(geometry={"type": "Point", "coordinates": [52.0, 104.3]}),
]


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_feature_is_named_by_its_place_and_harms_no_other(tmp_path: Path, bad: Any) -> None:
    found = written(tmp_path, bad, feature()).read()
    assert [poi.id for poi in found.pois] == [UUID(ID)]
    assert [fault.index for fault in found.faults] == [0]


def test_the_second_of_one_id_is_a_fault(tmp_path: Path) -> None:
    found = written(tmp_path, feature(), feature(city="Leiden")).read()
    assert [poi.city for poi in found.pois] == ["Delft"]
    assert [fault.index for fault in found.faults] == [1]


def test_the_file_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    directory = written(tmp_path, feature())
    first = directory.read()
    assert directory.read() is first
    written(tmp_path, feature(city="The Hague"))
    assert directory.read().pois[0].city == "The Hague"


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"features": 1}', b"\xff\xfe"])
def test_a_file_that_is_none_is_unavailable(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "pois.geojson"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DirectoryUnavailable):
        GeoJsonPoiDirectory(path).read()
