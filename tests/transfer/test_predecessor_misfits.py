"""What of the predecessor cannot be ours is listed by its id, and stops the switch; nothing is made of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId

from admin_service.commands import transfer as admin
from admin_service.storage.predecessor.reasons import REMEDIES as ADMIN_REMEDIES
from admin_service.storage.predecessor.reasons import Reason as AdminReason
from common.transfer.members import Unfit
from common.transfer.port import Misfit, TransferFault
from common.transfer.running import run
from tests.contract.world import World
from tests.servers.process import ROOT
from tests.transfer.conftest import Stores
from tests.transfer.moving import marked
from tests.transfer.predecessor_data import (
    DAY,
    FREE,
    MADE,
    Document,
    availability,
    booking,
    everything,
    fill,
    number_of,
    oid,
    opened,
    poi,
    ticket,
    used,
)
from tests.transfer.taking_over import listed, take_over, taking_over
from ticketing_service.commands import transfer as ticketing
from ticketing_service.storage.opening import open_store
from ticketing_service.storage.predecessor.catalogue import day_of
from ticketing_service.storage.predecessor.reasons import REMEDIES, Reason

pytestmark = pytest.mark.mongodb

Documents = dict[str, list[Document]]
GUESTS = {"adults": 2, "children": 1, "infants": 0}


def held(**changes: Any) -> Documents:
    """A booking without tickets, on hold."""
    return {"bookings": [booking(3001, **{"status": "pending", "payment": {"status": "pending"}, **changes})]}


def sold(**changes: Any) -> Documents:
    """A booking with its tickets."""
    return {
        "bookings": [booking(3001, **changes)],
        "tickets": [ticket(4000 + each, 3001) for each in range(3)],
    }


def slot(**changes: Any) -> Documents:
    return {"availabilities": [availability(301, **{"timeslot": "16:00-17:00", **changes})]}


def far(number: int, case: int) -> int:
    """The number that a document of a case has where all cases are."""
    return number + 10_000 * (case + 1)


def shifted(document: Document, case: int) -> Document:
    """With ids that only this case has."""
    made = dict(document)
    for name in ("_id", "bookingId"):
        if name in made:
            made[name] = oid(far(number_of(made[name]), case))
    return made


def with_ticket(number: int = 4002, **changes: Any) -> Documents:
    """The last of a booking's tickets is another one."""
    found = sold()
    found["tickets"][-1] = ticket(number, 3001, **changes)
    return found


# by reason: what is added to everything else, and under which entity and id it is listed
CASES: Mapping[Reason, tuple[Documents, str, int]] = {
    Reason.TIME_ZONE: ({"pois": [poi(31, hours__timezone="Europe/Texel")]}, "pois", 31),
    Reason.COORDINATES: (
        {"pois": [poi(31, location__coordinates__coordinates=[200.0, 1.0])]}, "pois", 31,
    ),
    Reason.CURRENCY: (slot(pricing__currency="JPY"), "slots", 301),
    Reason.DAY: (slot(date=DAY + timedelta(hours=7)), "slots", 301),
    Reason.TIME: (slot(timeslot="9-10"), "slots", 301),
    Reason.NO_POI: (slot(poiId=ObjectId()), "slots", 301),
    Reason.TWICE: (slot(timeslot="10:00-12:00"), "slots", 301),
    Reason.RANGE: (slot(pricing__dynamicPriceMultiplier=4), "slots", 301),
    Reason.CUTOFF: (slot(restrictions__cutoffHours=0.01), "slots", 301),
    Reason.OVERBOOKED: (held(details__guests={**GUESTS, "adults": 20}, pricing={**FREE}), "counters", 101),
    Reason.NO_SLOT: (held(details__time="11:00"), "bookings", 3001),
    Reason.GUESTS: (held(details__guests={**GUESTS, "adults": -1}), "bookings", 3001),
    Reason.SUM: (held(pricing__totalPrice=50), "bookings", 3001),
    Reason.DISCOUNT: (held(pricing__commission=99), "bookings", 3001),
    Reason.LANGUAGE: (held(experience__language="it"), "bookings", 3001),
    Reason.AUTHORIZED: (held(payment={"status": "authorized"}), "bookings", 3001),
    Reason.UNPAID: (sold(payment__status="failed"), "bookings", 3001),
    Reason.NO_TRANSACTION: (sold(payment={"status": "paid"}), "bookings", 3001),
    Reason.PAID_IN_VAIN: (held(payment={"status": "paid", "transactionId": "t"}), "bookings", 3001),
    Reason.PARTLY: (sold(payment__status="partially_refunded"), "bookings", 3001),
    Reason.TICKET_COUNT: ({"bookings": [booking(3001)], "tickets": [ticket(4000, 3001)]}, "bookings", 3001),
    Reason.TICKET_STATUS: (with_ticket(status="cancelled"), "bookings", 3001),
    Reason.TICKET_DATES: (with_ticket(validity__validUntil=DAY - timedelta(days=1)), "bookings", 3001),
    Reason.NO_BOOKING: ({"tickets": [used(4000, 9999)]}, "tickets", 4000),
}  # fmt: skip

ADMIN_CASES: Mapping[AdminReason, Documents] = {
    AdminReason.COUNTRY: {"pois": [poi(31, location__country="Atlantis")]},
    AdminReason.CATEGORY: {"pois": [poi(31, category="castles")]},
    AdminReason.HOURS: {"pois": [poi(31, hours__regular=[{"day": "monday", "open": "early"}])]},
    AdminReason.FEATURES: {"pois": [poi(31, features=[1])]},
    AdminReason.RULES: {"pois": [poi(31, name="<b>Tower</b>")]},
}

KINDS: Mapping[str, Documents] = {
    "wallet: a member that is not known": {"bookings": [booking(3001, wallet={"applePass": "x"})]},
    "details.guests.adults: not a whole number": held(details__guests={**GUESTS, "adults": 1.5}),
    "status: a word that is not known": held(status="waiting"),
    "guestInfo.name: missing": held(guestInfo__name=None),
    "details: not a document": held(details="2026-07-01"),
    "an amount that is no whole number of hundredths": held(pricing__fees=2.505),
}


@pytest.fixture(scope="module")
def new_predecessor(new_url: Callable[[str], str]) -> Callable[[Documents], str]:
    """Makes one that has something besides everything else."""

    def make(more: Documents) -> str:
        some = everything()
        return fill(new_url("mongodb"), {name: some[name] + more.get(name, []) for name in some})

    return make


@pytest.fixture(scope="module")
def found(
    new_predecessor: Callable[[Documents], str], tmp_path_factory: pytest.TempPathFactory
) -> list[Misfit]:
    """What is listed where all cases are at once."""
    more: Documents = {}
    cases = [*(case for case, *_ in CASES.values()), *KINDS.values(), *ADMIN_CASES.values()]
    for number, case in enumerate(cases):
        for collection, documents in case.items():
            more.setdefault(collection, []).extend(shifted(each, number) for each in documents)
    source_url, folder = new_predecessor(more), tmp_path_factory.mktemp("keys")
    return [each for mover in (ticketing.MOVER, admin.MOVER) for each in listed(mover, source_url, folder)]


@pytest.mark.parametrize("reason", Reason, ids=lambda each: each.name)
def test_what_does_not_fit_is_listed_by_its_id(found: list[Misfit], reason: Reason) -> None:
    _, entity, last = CASES[reason]
    key = str(oid(last if reason is Reason.OVERBOOKED else far(last, list(CASES).index(reason))))
    assert Misfit(entity, (key,), str(reason)) in found


@pytest.mark.parametrize("reason", KINDS)
def test_nothing_is_guessed(found: list[Misfit], reason: str) -> None:
    key = str(oid(far(3001, len(CASES) + list(KINDS).index(reason))))
    assert [each.reason for each in found if each.key == (key,)] == [reason]


@pytest.mark.parametrize("reason", AdminReason, ids=lambda each: each.name)
def test_a_poi_that_does_not_fit_is_listed_by_its_id(found: list[Misfit], reason: AdminReason) -> None:
    key = str(oid(far(31, len(CASES) + len(KINDS) + list(ADMIN_CASES).index(reason))))
    assert any(each.key == (key,) and each.reason.startswith(reason) for each in found)


def test_every_reason_has_a_remedy() -> None:
    assert REMEDIES.keys() == set(Reason) == CASES.keys()
    assert ADMIN_REMEDIES.keys() == set(AdminReason) == ADMIN_CASES.keys()


@pytest.mark.parametrize("target, _", [marked("sqlite", "mongodb"), marked("mariadb", "mongodb")])
def test_it_stops_the_switch_and_all_else_is_moved(
    ticketing_stores: Stores, new_predecessor: Callable[[Documents], str], target: str, _: str, tmp_path: Path
) -> None:
    mover, target_url = ticketing_stores.mover, ticketing_stores.empty(target)
    # a word of nothing, and one reference and one payment for two bookings
    source_url = new_predecessor({"bookings": [
        booking(3001, status="waiting"),
        booking(3002, status="cancelled", bookingReference="BK-2026-001001"),
        booking(3003, status="cancelled", payment__transactionId="tx-1001"),
    ]})  # fmt: skip
    with taking_over(mover, source_url, target_url, tmp_path) as (steps, seen):
        tallies = {each.entity.name: each for each in steps.copy()}
        assert tallies["bookings"].target.count == 10
        with pytest.raises(TransferFault, match="nothing was switched"):
            steps.finish(source_url, target_url, is_offline=True)
    shown = seen.getvalue()
    assert f"does not fit: bookings {oid(3001)}: status: a word that is not known" in shown
    assert shown.count("does not fit: bookings") == 2 * 3
    # put right, it goes through
    with opened(source_url) as database:
        database["bookings"].delete_many({"_id": {"$in": [oid(3001), oid(3002), oid(3003)]}})
    take_over(mover, source_url, target_url, tmp_path)


def test_an_empty_place_is_not_taken_for_the_predecessor(
    new_url: Callable[[str], str], ticketing_stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for layout, source_url, fault in (
        ("predecessor", new_url("mongodb"), "FROM has nothing in pois, availabilities, bookings, tickets"),
        ("other", new_url("mongodb"), "FROM_LAYOUT is predecessor, not 'other'"),
    ):
        monkeypatch.setenv("FROM", source_url)
        monkeypatch.setenv("TO", ticketing_stores.empty("sqlite"))
        monkeypatch.setenv("FROM_LAYOUT", layout)
        assert run(ticketing_stores.mover, "offline", tmp_path) == 1
        assert fault in capsys.readouterr().err


def test_a_store_that_is_used_is_not_written_over(
    ticketing_stores: Stores, new_predecessor: Callable[[Documents], str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    target_url = ticketing_stores.new("sqlite")
    with closing(open_store(target_url, threads=1)) as store:
        store.platform.keep({"revision": 1, "values": {}, "mode": "normal"}, MADE)
        booked = World(store).sold(World(store).slot())
    monkeypatch.setenv("FROM", new_predecessor({}))
    monkeypatch.setenv("TO", target_url)
    monkeypatch.setenv("FROM_LAYOUT", "predecessor")
    assert run(ticketing_stores.mover, "copy", tmp_path) == 1
    assert "TO is in use, and would lose what is new in it" in capsys.readouterr().err
    with closing(open_store(target_url, threads=1)) as store:
        assert store.bookings.get(booked.id) is not None


def test_ids_of_another_kind_are_refused(new_predecessor: Callable[[Documents], str], tmp_path: Path) -> None:
    source_url = new_predecessor({"tickets": [{**ticket(4000), "_id": "HB-1"}]})
    with pytest.raises(TransferFault, match="no ObjectId, in tickets"):
        listed(ticketing.MOVER, source_url, tmp_path)


def test_it_is_switched_offline_alone(tmp_path: Path) -> None:
    environment = {**os.environ, "FROM": "mongodb://h/d", "TO": f"sqlite:///{tmp_path}/a.db",
                   "FROM_LAYOUT": "predecessor", "SWITCH": "read_only"}  # fmt: skip
    done = subprocess.run(
        ["deploy/migrate-store.sh"], cwd=ROOT, env=environment, text=True, capture_output=True, check=False
    )
    assert done.returncode == 1
    assert "knows no read_only mode: stop it, and use SWITCH=offline" in done.stderr


@pytest.mark.parametrize("moment, zone, day", [
    (datetime(2026, 7, 1, tzinfo=UTC), "Europe/Madrid", date(2026, 7, 1)),
    (datetime(2026, 6, 30, 22, tzinfo=UTC), "Europe/Madrid", date(2026, 7, 1)),
    (datetime(2026, 1, 1, 23, tzinfo=UTC), "Europe/Amsterdam", date(2026, 1, 2)),
    (datetime(2026, 7, 1, 5, tzinfo=UTC), "America/Chicago", date(2026, 7, 1)),
    # UTC goes before: such a date was written without a clock
    (datetime(2026, 7, 1, tzinfo=UTC), "America/Chicago", date(2026, 7, 1)),
])  # fmt: skip
def test_a_date_is_the_day_that_was_meant(moment: datetime, zone: str, day: date) -> None:
    assert day_of(moment, zone) == day


@pytest.mark.parametrize("moment", [MADE, datetime(1999, 7, 1, tzinfo=UTC)])
def test_a_date_that_is_no_day_is_none(moment: datetime) -> None:
    with pytest.raises(Unfit):
        day_of(moment, "Europe/Madrid")
