"""Admissions: redemption once for each entry right, revocations, documents."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from marshmallow import ValidationError

from common.identifiers import uuid7
from tests.beneath import Beneath
from tests.contract.builders import NOW, make_scan
from tests.contract.world import World
from ticketing_service.domain.admissions import Admission, Redemption
from ticketing_service.domain.bookings import BookingStatus
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.storage.port import Store


def _entry(key: str = "entry") -> Callable[[Admission], str]:
    return lambda _: key


def _cancel(database: Beneath, admission: Admission, at: datetime) -> None:
    database.cancel_admissions([admission.unit_item_id], at)


def _refusal(verb: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as refused:
        verb()
    return refused.value


def test_admissions_come_back_as_they_were_issued(world: World) -> None:
    booking = world.sold(world.slot(), 3)
    admissions = world.store.admissions.of_booking(booking.id)
    assert {admission.unit_item_id for admission in admissions} == {unit.id for unit in booking.unit_items}
    assert all(world.store.admissions.get(each.id) == each for each in admissions)
    assert admissions[0].valid_from == booking.items[0].starts_at
    assert world.store.admissions.get(uuid7()) is None
    assert world.store.admissions.of_booking(uuid7()) == ()


def test_the_first_scan_lets_in_and_marks_the_unit_redeemed(world: World) -> None:
    admission = world.admission()
    scan = make_scan(admission, gate="north", offline=True)
    redemption = world.store.admissions.redeem(scan, _entry(), NOW)
    assert redemption == Redemption(
        scan_id=scan.scan_id,
        admission_id=admission.id,
        entry_key="entry",
        poi_id=scan.poi_id,
        gate="north",
        redeemed_at=scan.scanned_at,
        pax_count=1,
        title=admission.title,
        unit_title=admission.unit_title,
    )
    booking = world.store.bookings.get(admission.booking_id)
    assert booking is not None
    assert booking.status is BookingStatus.REDEEMED
    assert world.store.bookings.history(booking.id)[-1].actor == "gate north"


def test_a_second_scan_is_told_when_and_where_the_first_was(world: World) -> None:
    admission = world.admission()
    first = make_scan(admission)
    world.store.admissions.redeem(first, _entry(), NOW)
    second = make_scan(admission, gate="south", scanned_at=first.scanned_at + timedelta(minutes=1))
    refused = _refusal(lambda: world.store.admissions.redeem(second, _entry(), NOW))
    assert refused.code is Code.ALREADY_REDEEMED
    assert refused.facts == {"redeemedAt": first.scanned_at, "gate": "north", "poiId": first.poi_id}


def test_a_repeated_scan_gets_its_first_answer_without_another_check(world: World) -> None:
    scan = make_scan(world.admission())
    first = world.store.admissions.redeem(scan, _entry(), NOW)
    later = replace(scan, gate="other", scanned_at=scan.scanned_at + timedelta(days=9))

    def check(_: Admission) -> str:
        raise Refused(Code.ADMISSION_EXPIRED)

    assert world.store.admissions.redeem(later, check, NOW) == first


def test_a_scan_id_is_good_for_one_admission_and_place(world: World) -> None:
    scan = make_scan(world.admission())
    world.store.admissions.redeem(scan, _entry(), NOW)
    for other in (make_scan(world.admission(), scan_id=scan.scan_id), replace(scan, poi_id=uuid7())):
        refused = _refusal(partial(world.store.admissions.redeem, other, _entry(), NOW))
        assert (refused.code, refused.pointer) == (Code.IDEMPOTENCY_KEY_REUSED, "/scanId")


def test_each_entry_right_is_used_once_and_the_unit_is_redeemed_with_the_first(world: World) -> None:
    admission = world.admission()
    for day in ("2026-07-01", "2026-07-02"):
        world.store.admissions.redeem(make_scan(admission), _entry(day), NOW)
    refused = _refusal(lambda: world.store.admissions.redeem(make_scan(admission), _entry("2026-07-02"), NOW))
    assert refused.code is Code.ALREADY_REDEEMED
    rows = world.store.bookings.history(admission.booking_id)
    assert [row.to_status for row in rows].count("redeemed") == 1


def test_what_the_check_refuses_leaves_no_trace(world: World) -> None:
    scan = make_scan(world.admission())

    def check(admission: Admission) -> str:
        assert admission.id == scan.admission_id
        raise Refused(Code.ADMISSION_WRONG_DAY)

    assert _refusal(lambda: world.store.admissions.redeem(scan, check, NOW)).code is Code.ADMISSION_WRONG_DAY
    assert world.store.admissions.redeem(scan, _entry(), NOW).scan_id == scan.scan_id


def test_an_unknown_admission_is_refused(world: World) -> None:
    scan = make_scan(replace(world.admission(), id=uuid7()))
    refused = _refusal(lambda: world.store.admissions.redeem(scan, _entry(), NOW))
    assert refused.code is Code.ADMISSION_NOT_FOUND


@pytest.mark.parametrize("same_scan", [False, True])
def test_of_scans_at_the_same_time_one_lets_in(world: World, same_scan: bool) -> None:
    admission = world.admission()
    scan = make_scan(admission)
    scans = [scan if same_scan else make_scan(admission) for _ in range(8)]

    def outcome(number: int) -> str:
        try:
            return str(world.store.admissions.redeem(scans[number], _entry(), NOW).scan_id)
        except Refused as refused:
            return refused.code.name

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(outcome, range(8)))
    if same_scan:
        assert outcomes == [str(scan.scan_id)] * 8
    else:
        assert outcomes.count("ALREADY_REDEEMED") == 7


def test_revocations_come_in_the_order_of_their_cancellation(world: World, database: Beneath) -> None:
    slot = world.slot()
    admissions = world.store.admissions.of_booking(world.sold(slot, 5).id)
    moments = [NOW + timedelta(minutes=minutes) for minutes in (3, 1, 1, 2)]
    for admission, moment in zip(admissions, moments, strict=False):
        _cancel(database, admission, moment)
    expected = [admissions[1].id, admissions[2].id, admissions[3].id, admissions[0].id]
    listed = world.store.admissions.revocations
    everything = listed(None, 10, None)
    assert [admission.id for admission in everything.items] == expected
    assert everything.items[0].cancelled_at == moments[1]
    assert everything.next_cursor is None
    first = listed(None, 1, None)
    second = listed(None, 3, first.next_cursor)
    assert [admission.id for admission in (*first.items, *second.items)] == expected
    since = listed(moments[3], 10, None)
    assert [admission.id for admission in since.items] == expected[2:]
    with pytest.raises(ValidationError):
        listed(None, 1, "W10")


def test_an_admission_is_cancelled_once(world: World, database: Beneath) -> None:
    admission = world.admission()
    for moment in (NOW, NOW + timedelta(days=1)):
        _cancel(database, admission, moment)
    assert world.store.admissions.get(admission.id) == replace(admission, cancelled_at=NOW)


def test_a_document_is_that_of_the_version_asked_for_or_a_later_one(world: World) -> None:
    booking = world.sold(world.slot())
    store: Store = world.store
    assert store.admissions.document(booking.id, 1) is None
    store.admissions.put_document(booking.id, 2, b"%PDF two", NOW)
    assert store.admissions.document(booking.id, 1) == b"%PDF two"
    assert store.admissions.document(booking.id, 2) == b"%PDF two"
    assert store.admissions.document(booking.id, 3) is None
    store.admissions.put_document(booking.id, 3, b"%PDF " + bytes(range(256)) * 1000, NOW)
    store.admissions.put_document(booking.id, 2, b"%PDF late", NOW)
    assert store.admissions.document(booking.id, 3) == b"%PDF " + bytes(range(256)) * 1000
