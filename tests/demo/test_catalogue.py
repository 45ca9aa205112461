"""The demo's destination: complete, in five languages, and as the API takes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

from admin_service.domain.categories import CATEGORIES
from admin_service.domain.import_rows import GEOJSON_FORMAT, rows_of
from admin_service.schemas.poi_imports import read_row
from common.texts import LANGUAGES
from demo.catalogue import FOLDER, Catalogue
from demo.seed import prolonged
from ticketing_service.clients.poi_directory import GeoJsonPoiDirectory
from ticketing_service.domain.catalogue import AvailabilityType, TicketType
from ticketing_service.schemas.slots import ScheduleIn
from ticketing_service.schemas.tickets import TicketIn
from ticketing_service.schemas.vouchers import VoucherIn

TODAY = date(2027, 3, 1)


def text_maps(value: Any) -> Iterator[dict[str, str]]:
    """Every text by language in a request's body."""
    if isinstance(value, dict):
        yield from (each for name, each in value.items() if name in ("title", "description"))
        for each in value.values():
            yield from text_maps(each)
    elif isinstance(value, list):
        for each in value:
            yield from text_maps(each)


def test_the_places_are_read_without_a_fault_and_named_in_every_language() -> None:
    found = GeoJsonPoiDirectory(FOLDER / "pois.geojson").read()
    assert found.faults == ()
    assert len(found.pois) >= 12
    assert all(set(poi.names) == set(LANGUAGES) for poi in found.pois)
    assert len({poi.city for poi in found.pois}) > 1


def test_the_catalogue_is_of_the_places_that_the_admin_service_has() -> None:
    """An import gives new ids; the external ids are what both know."""
    file = Catalogue()
    ids = {each["properties"]["externalId"]: str(uuid4()) for each in file.places}
    assert len(ids) == len(file.places)
    imported = Catalogue(ids)
    assert set(imported.poi_ids.values()) == set(ids.values())
    assert not {ticket.body["poiId"] for ticket in imported.tickets} & set(file.poi_ids.values())


def test_every_place_is_a_row_that_an_import_takes() -> None:
    content = json.dumps({"type": "FeatureCollection", "features": Catalogue().places}).encode()
    rows = [read_row(row.document, False) for row in rows_of(GEOJSON_FORMAT, [content])]
    assert len(rows) >= 12
    assert {row["category"] for row in rows} <= CATEGORIES.keys()


def test_there_are_tickets_of_every_type_and_availability() -> None:
    tickets = Catalogue().tickets
    assert len(tickets) >= 15
    assert {ticket.body["type"] for ticket in tickets} == {each.value for each in TicketType}
    kinds = {ticket.body["availabilityType"] for ticket in tickets}
    assert kinds == {each.value for each in AvailabilityType}
    assert len({ticket.title for ticket in tickets}) == len(tickets), "a ticket is found again by its title"


def test_every_text_is_in_every_language() -> None:
    maps = [each for ticket in Catalogue().tickets for each in text_maps(dict(ticket.body))]
    assert len(maps) > 60
    assert all(set(each) == set(LANGUAGES) for each in maps)


def test_the_api_takes_every_ticket_schedule_and_voucher() -> None:
    catalogue = Catalogue()
    for ticket in catalogue.tickets:
        TicketIn().load(dict(ticket.body))
        ScheduleIn().load(ticket.schedule([str(uuid4()) for _ in ticket.option_keys], TODAY))
    ids = {ticket.slug: str(uuid4()) for ticket in catalogue.tickets}
    for voucher in catalogue.vouchers:
        VoucherIn().load(voucher.body(ids, datetime.now(UTC)))


def test_a_schedule_far_from_its_end_stays_and_one_near_it_is_prolonged() -> None:
    def schedule(*ends: str | None) -> dict[str, Any]:
        return {"rules": [{"rrule": "FREQ=DAILY", "dateTo": end} for end in ends], "closures": []}

    assert prolonged(schedule("2027-04-15"), TODAY) is None
    assert prolonged(schedule(None), TODAY) is None
    near = prolonged(schedule("2027-03-10", None, "2028-01-01"), TODAY)
    assert near == schedule("2027-04-30", None, "2028-01-01")
