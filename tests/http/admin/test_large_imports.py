"""Large files of points of interest, sent over HTTP and worked off by the worker process, in flat memory."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.counts import counts
from tests.http.admin.running import Running, running
from tests.servers.process import eventually

SHORT, LONG = counts((100, 1_000), (10_000, 100_000))
SPARE_MEGABYTES = 40
"""Connections to SQLite keep pages of up to 8 MB each. The long file's documents would take 190 MB."""

PATIENCE = counts(120.0, 3_000.0)
ACROSS, ROWS, STRIDE = 320, 640, 7919
"""A grid of places half a kilometre apart, or they would be likely duplicates. They lie all over it from the
first on, as what is known of a region takes memory once.
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("admin")) as service:
        yield service


def csv_file(count: int) -> Iterator[bytes]:
    yield b"externalId,name_en,name_de,summary_en,category,tags,latitude,longitude,city,country\n"
    for number in range(count):
        latitude, longitude = where(number)
        yield (
            f"line-{number},Tower {number},Turm {number},A tower that can be seen from afar,landmark,"
            f"water;history,{latitude},{longitude},Fulda,DE\n"
        ).encode()


def geojson_file(count: int) -> Iterator[bytes]:
    yield b'{"type": "FeatureCollection", "features": ['
    for number in range(count):
        latitude, longitude = where(number + LONG)
        yield b"," if number else b""
        yield (
            f'{{"type": "Feature", "geometry": {{"type": "Point", "coordinates": [{longitude}, {latitude}]}},'
            f' "properties": {{"externalId": "feature-{number}", "category": "landmark",'
            f' "name": {{"en": "Castle {number}", "de": "Burg {number}"}}, "tags": ["water", "history"],'
            ' "summary": {"en": "A castle that can be seen from afar"},'
            ' "address": {"city": "Fulda", "country": "DE"}}}'
        ).encode()
    yield b"]}"


def where(number: int) -> tuple[float, float]:
    """Latitude and longitude in the middle of Germany."""
    row, column = divmod(number * STRIDE % (ACROSS * ROWS), ACROSS)
    return round(49.2 + row / 200, 6), round(8 + column / 100, 6)


FILES = {"csv": (csv_file, "text/csv"), "geojson": (geojson_file, "application/geo+json")}
KINDS = {"csv": "Tower", "geojson": "Castle"}


@pytest.mark.parametrize("file_format", FILES)
def test_a_long_file_takes_no_more_memory_than_a_short_one(service: Running, file_format: str) -> None:
    for dry_run in (True, False):
        imported(service, file_format, SHORT, {"created": SHORT}, dry_run=dry_run)
    short = service.peak_megabytes()  # with what is made once, such as the borders of time zones
    rest = {"created": LONG - SHORT, "unchanged": SHORT}
    imported(service, file_format, LONG, rest, dry_run=True)
    imported(service, file_format, LONG, rest)
    imported(service, file_format, LONG, {"unchanged": LONG})
    assert service.peak_megabytes() < short + SPARE_MEGABYTES
    found = service.call("GET", "/pois", params={"q": f"{KINDS[file_format]} {LONG - 1}"})
    assert [poi["name"]["en"] for poi in found["data"]] == [f"{KINDS[file_format]} {LONG - 1}"]


def imported(
    service: Running, file_format: str, count: int, outcomes: dict[str, int], *, dry_run: bool = False
) -> float:
    """Import a file of `count` rows, with these outcomes; how many seconds it took until the job was over."""
    make, media_type = FILES[file_format]
    begun = time.monotonic()
    job = service.call(
        "POST",
        "/pois/import",
        202,
        params={"format": file_format, "dryRun": str(dry_run).lower()},
        content=lambda: make(count),
        media_type=media_type,
    )
    path = f"/pois/imports/{job['id']}"
    eventually(
        lambda: service.call("GET", path)["status"] not in ("waiting", "running"),
        seconds=PATIENCE, every=0.2, what=f"the import of {count} rows",
    )  # fmt: skip
    seconds = time.monotonic() - begun
    job = service.call("GET", path)
    assert (job["status"], job["rowsDone"]) == ("done", count), job
    assert {name: number for name, number in job["outcomes"].items() if number} == outcomes
    return seconds
