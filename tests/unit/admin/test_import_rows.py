"""Files of points of interest, row by row, whatever pieces they come in."""

from __future__ import annotations

import csv
import io
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from admin_service.domain.import_rows import (
    COLUMNS,
    CSV_FORMAT,
    GEOJSON_FORMAT,
    OURS,
    Row,
    Unreadable,
    rows_of,
)
from common.web.csv_text import csv_text


def read(content: bytes | str, file_format: str = CSV_FORMAT, size: int = 7) -> list[Row]:
    """All rows of a file that comes in pieces of `size` bytes."""
    raw = content.encode() if isinstance(content, str) else content
    return list(rows_of(file_format, (raw[at : at + size] for at in range(0, len(raw), size))))


def test_a_row_is_the_document_of_a_request() -> None:
    text = csv_text(
        (
            "externalId", "name_en", "name_de", "summary_en", "category", "tags", "latitude", "longitude",
            "street", "city", "phone", "openingHours", "wheelchair", "accessFeatures", "priceLevel",
            "priceLowest", "currency",
        ),
        [
            (
                "x-1", "Tower", "Turm", "", "landmark", "old; high", 52.5, -4.25, "Main St", "Gent", "+32 1",
                "24/7", "yes", "lift;ramp", "low", 500, "EUR",
            )
        ],
    )  # fmt: skip
    (row,) = read(text)
    assert row.number == 1
    assert row.document == {
        "externalId": "x-1",
        "name": {"en": "Tower", "de": "Turm"},
        "summary": {},
        "category": "landmark",
        "tags": ["old", "high"],
        "location": {"type": "Point", "coordinates": [-4.25, 52.5]},
        "address": {"street": "Main St", "city": "Gent"},
        "contact": {"phone": "+32 1"},
        "openingHours": "24/7",
        "accessibility": {"wheelchair": "yes", "features": ["lift", "ramp"], "notes": {}},
        "priceRange": {"level": "low", "lowest": 500, "highest": None, "currency": "EUR"},
    }


def test_a_column_that_is_not_there_says_nothing() -> None:
    (row,) = read("externalId,name_en\nx,Tower\n")
    assert row.document == {"externalId": "x", "name": {"en": "Tower"}}


def test_what_only_we_may_say_is_left_out() -> None:
    (row,) = read(f"externalId,{','.join(OURS)}\nx,{','.join('y' for _ in OURS)}\n")
    assert row.document == {"externalId": "x"}


cells = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=20)


@example([("", "\t")], 1)
@example([(" '=x", " +1 ")], 7)
@given(st.lists(st.tuples(cells, cells), max_size=5), st.integers(1, 50))
def test_what_we_write_we_read(rows: list[tuple[str, str]], size: int) -> None:
    text = csv_text(("externalId", "street"), rows)
    found = read(text, size=size)
    kept = [(one.strip(), other.strip()) for one, other in rows if one or other]
    assert [
        (row.document["externalId"] or "", row.document["address"]["street"] or "") for row in found
    ] == kept


@given(st.binary(max_size=300), st.sampled_from([CSV_FORMAT, GEOJSON_FORMAT]))
def test_no_bytes_are_a_failure(content: bytes, file_format: str) -> None:
    try:
        rows = read(content, file_format)
    except Unreadable:
        return
    assert all(isinstance(row.document, dict) for row in rows)


json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
feature = st.fixed_dictionaries({}, optional={"properties": json, "geometry": json, "type": json})


@given(st.lists(feature | json, max_size=4))
def test_no_json_is_a_failure(features: list[Any]) -> None:
    try:
        rows = read(orjson.dumps({"features": features}), GEOJSON_FORMAT, size=1000)
    except Unreadable:
        assert not features
        return
    assert len(rows) == len(features)


def test_numbers_may_have_a_comma_and_half_a_number_is_none() -> None:
    one, other = read("externalId;latitude;longitude\nx;52,5;4,9\ny;here;\n")
    assert one.document["location"]["coordinates"] == [4.9, 52.5]
    assert other.document["location"]["coordinates"] == [None, "here"]


def test_the_directorys_own_names_are_understood() -> None:
    properties = {"id": "i", "names": {"nl": "Toren"}, "city": "Gent", "version": 3, "category": "landmark"}
    content = {
        "features": [{"properties": properties, "geometry": {"type": "Point", "coordinates": [3, 51]}}]
    }
    (row,) = read(orjson.dumps(content), GEOJSON_FORMAT)
    assert row.document == {
        "name": {"nl": "Toren"},
        "category": "landmark",
        "address": {"city": "Gent"},
        "location": {"type": "Point", "coordinates": [3, 51]},
    }


@pytest.mark.parametrize(
    "content",
    [
        'externalId\n"never closed',
        'externalId\n"never closed' + "\n" * 200_000,
        "externalId\n" + "x" * 300_000,
        "externalId\n" + '"x\n",' * 300_000,
        "externalId," * 200_000,
    ],
)
def test_a_line_without_end_is_not_held_whole(content: str) -> None:
    with pytest.raises(Unreadable):
        read(content, size=65_536)


@pytest.mark.parametrize("file_format", [CSV_FORMAT, GEOJSON_FORMAT])
def test_a_long_file_takes_no_more_memory_than_a_short_one(file_format: str) -> None:
    _peak(file_format, 10)  # what is made once
    short, long = _peak(file_format, 500), _peak(file_format, 20_000)
    # All rows at once take far more; what other threads of the process allocate meanwhile counts, too.
    assert long < short + 2_000_000
    assert _peak(file_format, 20_000, keep=list) > short + 4_000_000


def _peak(file_format: str, count: int, keep: Callable[[Iterator[Row]], Iterable[Row]] = iter) -> int:
    tracemalloc.start()
    try:
        assert sum(1 for _ in keep(rows_of(file_format, _file(file_format, count)))) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _file(file_format: str, count: int) -> Iterator[bytes]:
    if file_format == CSV_FORMAT:
        yield b"externalId,name_en,latitude,longitude\n"
        for number in range(count):
            yield b"x-%d,Tower,52.5,4.9\n" % number
        return
    yield b'{"type":"FeatureCollection","features":['
    for number in range(count):
        comma = b"," if number else b""
        yield comma + b'{"properties":{"externalId":"x-%d"},"geometry":null}' % number
    yield b"]}"


def test_every_column_is_read() -> None:
    out = io.StringIO()
    csv.writer(out).writerows([COLUMNS, ["1"] * len(COLUMNS)])
    (row,) = read(out.getvalue(), size=500)
    leaves = orjson.dumps(row.document).count(b'"1"') + orjson.dumps(row.document).count(b"1.0")
    assert leaves + 2 == len(COLUMNS)  # two prices are numbers
