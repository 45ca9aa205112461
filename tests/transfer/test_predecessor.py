"""What the predecessor's MongoDB has comes over as ours, the same whenever it is done again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from admin_service.domain.poi import Accessible, PoiStatus, PriceLevel
from admin_service.storage import opening as admin_opening
from common.auth.keyfiles import KeyRing
from common.transfer.documents import Document, Entity
from common.transfer.object_ids import id_of
from tests.contract.builders import make_scan
from tests.contract.world import World
from tests.counts import counts
from tests.servers.process import ROOT, eventually
from tests.transfer.conftest import Stores
from tests.transfer.moving import content, marked, ranges_done
from tests.transfer.predecessor_data import DAY, MADE, booking, everything, fill, oid, opened, used
from tests.transfer.taking_over import dump, take_over
from ticketing_service.domain import codes
from ticketing_service.domain.bookings import Booking, BookingStatus, PaymentStatus
from ticketing_service.domain.entry import entry_key
from ticketing_service.domain.references import normalise
from ticketing_service.storage.opening import open_store
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.ledger import RevenueQuery

SMALL_TARGETS = [marked("sqlite", "mongodb"), marked("mariadb", "mongodb")]
TARGETS = counts(SMALL_TARGETS, [*SMALL_TARGETS, marked("mongodb", "mongodb")])
MADRID_NOON = datetime(2026, 7, 1, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def predecessor(new_url: Callable[[str], str]) -> str:
    """It is read alone."""
    return fill(new_url("mongodb"), everything())


@pytest.fixture
def own_predecessor(new_url: Callable[[str], str]) -> str:
    """One that may be changed."""
    return fill(new_url("mongodb"), everything())


def found(store: Store, number: int) -> Booking:
    booked = store.bookings.get(id_of(oid(number)))
    assert booked is not None
    return booked


@pytest.mark.parametrize("target, _", TARGETS)
def test_ticketing_comes_over_and_sells_on(
    ticketing_stores: Stores, predecessor: str, target: str, _: str, tmp_path: Path
) -> None:
    mover, target_url = ticketing_stores.mover, ticketing_stores.empty(target)
    before = dump(predecessor)
    done, seen = take_over(mover, predecessor, target_url, tmp_path)
    assert "verified; the target has what the source has" in seen
    assert done["bookings"].added == 10
    assert dump(predecessor) == before
    with closing(open_store(target_url, threads=2)) as store:
        statuses_are_ours(store)
        money_is_the_same(store)
        codes_are_read(store, tmp_path)
        the_worker_goes_on(store)
        World(store).sold(World(store).slot())
    assert list(mover.violations(target_url)) == []


def statuses_are_ours(store: Store) -> None:
    wanted = {
        1001: (BookingStatus.CONFIRMED, PaymentStatus.CAPTURED),
        1002: (BookingStatus.REDEEMED, PaymentStatus.CAPTURED),
        1003: (BookingStatus.NO_SHOW, PaymentStatus.CAPTURED),
        1004: (BookingStatus.ON_HOLD, PaymentStatus.NONE),
        1005: (BookingStatus.EXPIRED, PaymentStatus.NONE),
        1006: (BookingStatus.CANCELLED, PaymentStatus.CAPTURED),
        1007: (BookingStatus.CANCELLED, PaymentStatus.REFUNDED),
        1008: (BookingStatus.CONFIRMED, PaymentStatus.PARTIALLY_REFUNDED),
        1009: (BookingStatus.CONFIRMED, PaymentStatus.NONE),
        # all its tickets were used
        1010: (BookingStatus.REDEEMED, PaymentStatus.CAPTURED),
    }
    bookings = {number: found(store, number) for number in wanted}
    assert {number: (each.status, each.payment_status) for number, each in bookings.items()} == wanted
    (item,) = bookings[1001].items
    assert [unit.unit_type.value for unit in item.units] == ["ADULT", "ADULT", "CHILD"]
    assert (item.local_start.isoformat(), item.time_zone) == ("2026-07-01T10:00:00", "Europe/Madrid")
    assert item.starts_at == datetime(2026, 7, 1, 8, tzinfo=UTC)
    (free,) = bookings[1009].items
    # 22:00 UTC of the day before is midnight there
    assert (free.local_start.date().isoformat(), free.terms.all_day) == ("2026-07-02", True)
    assert bookings[1001].reference == "BK-2026-001001"
    assert normalise("BK-2026-001001") is None
    customer = bookings[1001].customer
    assert (customer.name, customer.email, customer.language) == ("Zoë Jansen", "Zoe@example.org", "nl")
    (step,) = item.terms.refund_policy
    # the deadline was counted from midnight UTC, 32 hours before
    assert (step.hours_before, step.percent) == (32, 100)


def money_is_the_same(store: Store) -> None:
    booked = found(store, 1001)
    assert (booked.price.items, booked.price.fee, booked.price.total) == (4088, 250, 4338)
    assert [unit.price for unit in booked.unit_items] == [1363, 1363, 1362]
    assert sum(unit.commission for unit in booked.unit_items) == 300
    assert [tax.amount for tax in booked.price.included_taxes] == [338]
    discounted = found(store, 1010)
    assert (discounted.price.discount, discounted.price.total, discounted.voucher_code) == (
        125,
        1488,
        "TENOFF",
    )
    assert [each.amount for each in found(store, 1007).refunds] == [4338]
    assert [each.amount for each in found(store, 1008).refunds] == [2169]
    days = (MADE - timedelta(days=9), MADE + timedelta(days=99))
    query = RevenueQuery(day_from=days[0].date(), day_to=days[1].date(), group_by="channel")
    (revenue,) = store.ledger.revenue(query)
    assert revenue.sales + revenue.fees == 6 * 4338 + 1488
    assert revenue.refunds == 4338 + 2169


def codes_are_read(store: Store, data_dir: Path) -> None:
    """A gate lets in who was not let in yet."""
    keys = KeyRing(data_dir / "keys" / "admissions").public_keys()
    admissions = store.admissions.of_booking(id_of(oid(1001)))
    assert len(admissions) == 3
    for admission in admissions:
        assert codes.verify(admission.code, keys).admission_id == admission.id
    poi_id = id_of(oid(1))
    scan = make_scan(admissions[0], poi_id=poi_id, scanned_at=MADRID_NOON)
    let_in = store.admissions.redeem(scan, partial(entry_key, poi_id=poi_id, at=MADRID_NOON), MADRID_NOON)
    assert let_in.admission_id == admissions[0].id
    assert {unit.status for unit in found(store, 1001).unit_items} == {
        BookingStatus.CONFIRMED,
        BookingStatus.REDEEMED,
    }


def the_worker_goes_on(store: Store) -> None:
    """Holds end and give their places back; whom nobody saw becomes a no-show; open money is asked for."""
    slot = store.slots.offers([id_of(oid(101))])[id_of(oid(101))].slot
    assert [(each.held, each.sold) for each in slot.counters] == [(3, 13)]
    store.bookings.expire_due(DAY, 10)
    assert found(store, 1004).status is BookingStatus.EXPIRED
    asked = {each.booking_id for each in store.payments.unsettled(DAY, 10)}
    assert asked == {id_of(oid(1006))}


@pytest.mark.parametrize("target, _", TARGETS)
def test_admin_comes_over(
    admin_stores: Stores, predecessor: str, target: str, _: str, tmp_path: Path
) -> None:
    target_url = admin_stores.empty(target)
    take_over(admin_stores.mover, predecessor, target_url, tmp_path)
    with closing(admin_opening.open_store(target_url, threads=2)) as store:
        tower, flats, inn = (store.pois.poi(id_of(oid(number))) for number in (1, 2, 3))
        assert tower is not None
        assert flats is not None
        assert inn is not None
        assert [each.status for each in (tower, flats, inn)] == [
            PoiStatus.PUBLISHED, PoiStatus.CLOSED_TEMPORARILY, PoiStatus.IN_REVIEW,
        ]  # fmt: skip
        shown = tower.content
        assert shown.names == {"en": "Lighthouse", "es": "Faro"}
        assert shown.descriptions["en"] == "<p>High &amp; white.</p><p>Open &lt;all&gt; year.</p>"
        assert (shown.category, shown.address.country, shown.external_id) == ("landmark", "ES", str(oid(1)))
        assert shown.opening_hours == "Mo 09:00-13:00,15:00-18:00"
        assert shown.tags == ("attractions", "towers", "family friendly")
        assert shown.accessibility.wheelchair is Accessible.YES
        assert shown.price_range is not None
        assert (shown.price_range.level, shown.price_range.lowest) == (PriceLevel.MEDIUM, 750)
        assert tower.verification is not None
        assert tower.verification.note == "Turismo"
        assert inn.content.time_zone == "Europe/Amsterdam"


@pytest.mark.mongodb
def test_both_services_have_the_same_pois(
    ticketing_stores: Stores, admin_stores: Stores, predecessor: str, tmp_path: Path
) -> None:
    copies, ours = (pois_of(stores, predecessor, tmp_path) for stores in (ticketing_stores, admin_stores))
    assert copies.keys() == ours.keys()
    for identifier, copy in copies.items():
        poi = ours[identifier]
        known = poi["body"]["content"]
        assert (copy["names"], copy["city"], copy["category"], copy["time_zone"], copy["version"]) == (
            known["name"], known["address"]["city"], known["category"], known["timeZone"], poi["version"]
        )  # fmt: skip
        assert (copy["latitude"], copy["longitude"]) == (poi["latitude"], poi["longitude"])


def pois_of(stores: Stores, source_url: str, data_dir: Path) -> dict[UUID, Document]:
    with closing(stores.mover.foreign["predecessor"].open_side(source_url, data_dir)) as side:
        return {each["id"]: each for each in side.read(Entity("pois"), None, None)}


@pytest.mark.mongodb
def test_a_rerun_writes_what_changed_and_nothing_twice(
    ticketing_stores: Stores, own_predecessor: str, tmp_path: Path
) -> None:
    mover, target_url = ticketing_stores.mover, ticketing_stores.empty("sqlite")
    take_over(mover, own_predecessor, target_url, tmp_path)
    again, _ = take_over(mover, own_predecessor, target_url, tmp_path)
    assert sum(each.written for each in again.values()) == 0
    (tmp_path / f"{mover.name}.db").unlink()
    anew, _ = take_over(mover, own_predecessor, target_url, tmp_path)
    assert sum(each.written for each in anew.values()) == 0
    with opened(own_predecessor) as database:
        database["bookings"].insert_one(booking(1011, status="pending", payment={"status": "pending"}))
        later = used(2010, 1001)
        database["tickets"].replace_one({"_id": oid(2010)}, later)
    caught_up, _ = take_over(mover, own_predecessor, target_url, tmp_path)
    assert {name: (each.added, each.changed) for name, each in caught_up.items() if each.written} == {
        "counters": (0, 1), "bookings": (1, 1), "redemptions": (1, 0),
    }  # fmt: skip


@pytest.mark.mongodb
def test_killed_at_any_moment_a_rerun_completes(
    ticketing_stores: Stores, predecessor: str, tmp_path: Path
) -> None:
    target_url = ticketing_stores.empty("sqlite")
    before = dump(predecessor)
    data_dir = tmp_path / "data"
    for number in counts((1, 4), (0, 1, 2, 3, 4, 5)):
        process = command(predecessor, target_url, data_dir)
        eventually(partial(is_so_far, process, data_dir, number), seconds=60, what="some ranges done")
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    assert dump(predecessor) == before
    process = command(predecessor, target_url, data_dir)
    seen, faults = process.communicate(timeout=120)
    assert process.returncode == 0, faults
    assert "verified" in seen
    # the same as in one go, with the same keys
    whole_url = ticketing_stores.new("sqlite")
    take_over(ticketing_stores.mover, predecessor, whole_url, data_dir)
    assert content(ticketing_stores.mover, target_url) == content(ticketing_stores.mover, whole_url)


def is_so_far(process: subprocess.Popen[str], data_dir: Path, ranges: int) -> bool:
    """Or it is over already, on a machine that was busy with something else."""
    return ranges_done(data_dir) > ranges or process.poll() is not None


def command(source_url: str, target_url: str, data_dir: Path) -> subprocess.Popen[str]:
    environment = {
        **os.environ, "FROM": source_url, "TO": target_url, "DATA_DIR": str(data_dir),
        "FROM_LAYOUT": "predecessor",
    }  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "ticketing_service.commands.transfer", "offline"],
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
