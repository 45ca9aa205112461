"""The predecessor's database as one that ticketing is moved from."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from bson import ObjectId

from common.auth.keyfiles import KeyRing
from common.transfer.derived import Derived, DerivedSide, Make, Reading, one_by_one
from common.transfer.documents import Document
from common.transfer.members import Unfit
from common.transfer.object_ids import id_of
from common.transfer.port import Misfit, Side
from ticketing_service.domain.bookings import BookingStatus
from ticketing_service.domain.states import SOLD
from ticketing_service.storage.predecessor import booking_documents, catalogue_documents, money_documents
from ticketing_service.storage.predecessor.bookings import Taken, guests_of, taken
from ticketing_service.storage.predecessor.catalogue import (
    Availability,
    Kind,
    Place,
    Rate,
    availability_of,
    day_of,
    moments_of,
    place_of,
)
from ticketing_service.storage.predecessor.members import (
    AVAILABILITIES,
    BOOKING,
    BOOKINGS,
    POIS,
    SHAPES,
    TICKETS,
)
from ticketing_service.storage.predecessor.offers import ticket_of
from ticketing_service.storage.predecessor.reasons import Reason

_POI_FIELDS = [each.path for each in POIS.members]
_PAIRS_AT_ONCE = 50
_TAKING = [
    theirs for theirs, ours in BOOKING.items() if BookingStatus(ours) in (BookingStatus.ON_HOLD, *SOLD)
]
Start = tuple[ObjectId, date, str | None]
"""By which an availability is found: POI, local day, local start."""

_Day = tuple[ObjectId, date]


def open_side(url: str, data_dir: Path) -> Side:
    """The database; the keys of `data_dir` sign the codes of its admissions. Raises StoreUnavailable,
    TransferFault.
    """
    return DerivedSide.opened(url, layout(KeyRing(data_dir / "keys" / "admissions")), SHAPES)


def layout(keys: KeyRing) -> Mapping[str, Derived]:
    """How each entity of ours is made of the predecessor's documents."""
    tickets, bookings = TICKETS.collection, BOOKINGS.collection
    used = {"validation.isValidated": True}
    return {
        "pois": Derived(collection=POIS.collection, make=_pois),
        "tickets": Derived(collection=AVAILABILITIES.collection, make=_tickets, whole=True),
        "counters": Derived(collection=AVAILABILITIES.collection, make=_counters),
        "slots": Derived(collection=AVAILABILITIES.collection, make=_slots),
        "bookings": Derived(
            collection=bookings,
            make=_of_bookings("bookings", lambda each: [booking_documents.booking_document(each, keys)]),
        ),
        "redemptions": Derived(collection=tickets, make=_redemptions, counted=used, after_id=("",)),
        "ledger": Derived(
            collection=bookings, make=_of_bookings("", money_documents.ledger_documents), counted=None
        ),
    }


def _pois(reading: Reading, sources: list[Document]) -> Iterator[Document | Misfit]:
    found = reading.among(POIS.collection, "_id", (each["_id"] for each in sources), _POI_FIELDS)
    yield from one_by_one("pois", found, lambda each: [catalogue_documents.poi_document(place_of(each))])


def _tickets(reading: Reading, _: list[Document]) -> Iterator[Document | Misfit]:
    """One of each kind at each place, of all availabilities."""
    places = _places(reading, reading.of(AVAILABILITIES.collection).distinct("poiId"))
    rates: dict[tuple[Any, Kind], set[Rate]] = defaultdict(set)
    by_id = {place.id: place for place in places.values()}
    for document in reading.find(AVAILABILITIES.collection, {}):
        with suppress(Unfit):
            slot = availability_of(document, places)
            rates[slot.place.id, slot.kind].add(slot.rate)
    tickets = [ticket_of(by_id[place], kind, some) for (place, kind), some in rates.items()]
    for ticket in sorted(tickets, key=lambda each: each.id):
        yield catalogue_documents.ticket_document(ticket)


def _slots(reading: Reading, sources: list[Document]) -> Iterator[Document | Misfit]:
    places = _places(reading, (each.get("poiId") for each in sources))
    first = _first_of(reading, sources, places)

    def made(document: Document) -> list[Document]:
        slot = availability_of(document, places)
        if first[document["poiId"], slot.day, slot.start].id != slot.id:
            raise Unfit(Reason.TWICE)
        return [catalogue_documents.slot_document(slot)]

    yield from one_by_one("slots", sources, made)


def _counters(reading: Reading, sources: list[Document]) -> Iterator[Document | Misfit]:
    places = _places(reading, (each.get("poiId") for each in sources))
    first = _first_of(reading, sources, places)
    people = _people(reading, first, places)
    for document in sources:
        # what else is wrong with it is listed of its slot
        with suppress(Unfit):
            slot = availability_of(document, places)
            start = (document["poiId"], slot.day, slot.start)
            if first[start].id != slot.id:
                continue
            held, sold = people[start, True], people[start, False]
            if held + sold > slot.capacity:
                yield Misfit("counters", (str(document["_id"]),), str(Reason.OVERBOOKED))
                continue
            yield catalogue_documents.counter_document(slot, held, sold)


def _of_bookings(entity: str, make: Callable[[Taken], Iterable[Document]]) -> Make:
    """What is made of each booking; misfits are listed where there is an `entity` to list them under."""

    def made(reading: Reading, sources: list[Document]) -> Iterator[Document | Misfit]:
        for each in one_by_one(entity, sources, _reader(reading, sources, make)):
            if entity or not isinstance(each, Misfit):
                yield each

    return made


def _redemptions(reading: Reading, sources: list[Document]) -> Iterator[Document | Misfit]:
    """Of the tickets that were used; one that belongs to nothing is listed, used or not."""
    wanted = (each.get("bookingId") for each in sources)
    bookings = list(reading.among(BOOKINGS.collection, "_id", wanted))
    made: dict[Any, Document] = {}
    for each in one_by_one("", bookings, _reader(reading, bookings, booking_documents.redemption_documents)):
        if not isinstance(each, Misfit):
            made[each["admission_id"]] = each
    there = {each["_id"] for each in bookings}
    for source in sources:
        if source.get("bookingId") not in there:
            yield Misfit("tickets", (str(source["_id"]),), str(Reason.NO_BOOKING))
        elif (found := made.get(id_of(source["_id"]))) is not None:
            yield found


def _reader(
    reading: Reading, sources: list[Document], make: Callable[[Taken], Iterable[Document]]
) -> Callable[[Document], Iterable[Document]]:
    places = _places(reading, (each.get("poiId") for each in sources))
    starts = {each["_id"]: start for each in sources if (start := _start_of(each, places)) is not None}
    slots = _slots_on(reading, {start[:2] for start in starts.values()}, places)
    tickets: dict[Any, list[Document]] = defaultdict(list)
    for ticket in reading.among(TICKETS.collection, "bookingId", (each["_id"] for each in sources)):
        tickets[ticket["bookingId"]].append(ticket)

    def made(document: Document) -> Iterable[Document]:
        identifier = document["_id"]
        slot = slots.get(starts[identifier]) if identifier in starts else None
        return make(taken(document, slot, tickets[identifier]))

    return made


def _places(reading: Reading, ids: Iterable[Any]) -> dict[Any, Place]:
    found = {}
    for document in reading.among(POIS.collection, "_id", ids, _POI_FIELDS):
        with suppress(Unfit):
            found[document["_id"]] = place_of(document)
    return found


def _start_of(booking: Document, places: Mapping[Any, Place]) -> Start | None:
    """Which availability the booking is of; None where it does not say so."""
    with suppress(Unfit):
        values = BOOKINGS.read(booking)
        place = places.get(values["poiId"])
        if place is not None:
            day = day_of(values["details.date"], place.time_zone)
            return values["poiId"], day, values["details.time"]
    return None


def _first_of(
    reading: Reading, sources: Iterable[Document], places: dict[Any, Place]
) -> dict[Start, Availability]:
    days: set[_Day] = set()
    for document in sources:
        with suppress(Unfit):
            days.add((document["poiId"], availability_of(document, places).day))
    return _slots_on(reading, days, places)


def _slots_on(reading: Reading, days: Iterable[_Day], places: dict[Any, Place]) -> dict[Start, Availability]:
    """The availabilities of these days; of several with the same start the one that was made first."""
    found: dict[Start, Availability] = {}
    for document in _on(reading, AVAILABILITIES.collection, "date", days, places, {}):
        with suppress(Unfit):
            slot = availability_of(document, places)
            start = (document["poiId"], slot.day, slot.start)
            if start not in found or slot.id < found[start].id:
                found[start] = slot
    return found


def _people(
    reading: Reading, starts: Iterable[Start], places: dict[Any, Place]
) -> Counter[tuple[Start, bool]]:
    """How many are booked, by availability and whether they are on hold only."""
    people: Counter[tuple[Start, bool]] = Counter()
    days = {start[:2] for start in starts}
    taking = {"status": {"$in": _TAKING}}
    for document in _on(reading, BOOKINGS.collection, "details.date", days, places, taking):
        start = _start_of(document, places)
        if start is not None:
            with suppress(Unfit):
                values = BOOKINGS.read(document)
                held = values["status"] == BookingStatus.ON_HOLD.value
                people[start, held] += len(guests_of(values))
    return people


def _on(
    reading: Reading, collection: str, name: str, days: Iterable[_Day], places: Mapping[Any, Place],
    others: Mapping[str, Any],
) -> Iterator[Document]:  # fmt: skip
    """The documents whose date means one of these days at the POI."""
    pairs = sorted(days)
    for first in range(0, len(pairs), _PAIRS_AT_ONCE):
        either = [
            {"poiId": poi, name: {"$in": list(moments_of(day, places[poi].time_zone))}}
            for poi, day in pairs[first : first + _PAIRS_AT_ONCE]
        ]
        yield from reading.find(collection, {"$or": either, **others})
