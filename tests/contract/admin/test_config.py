"""What the store of the configuration promises, on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from admin_service.domain.audit import AuditEvent, Origin
from admin_service.domain.configuration import FIRST, Revision
from admin_service.domain.errors import Code, Refused
from admin_service.domain.media import Use
from admin_service.domain.modes import Mode, SystemMode
from admin_service.storage.port import Store
from admin_service.storage.sql.config import LOGO
from common.identifiers import uuid7
from tests.contract.admin.test_media import add, refusal
from tests.contract.builders import NOW

EVENT = AuditEvent(at=NOW, origin=Origin(actor="access:ann"), action="config.update", subject="config")


def revision(number: int, **values: Any) -> Revision:
    named = {name.replace("__", "."): value for name, value in values.items()}
    return Revision(
        number=number,
        values=named,
        changed=tuple(named),
        changed_at=NOW,
        changed_by="access:ann",
        reason="Because.",
    )


def test_before_the_first_change_all_is_by_default(store: Store) -> None:
    assert store.config.current() == FIRST
    assert store.config.revision(1) is None
    assert store.config.page(10, None).items == ()


def test_each_change_is_kept(store: Store) -> None:
    first = store.config.change(revision(1, sales__bookingFee=300), EVENT)
    second = store.config.change(revision(2, sales__bookingFee=300, brand__name="Delft"), EVENT)
    assert store.config.current() == second
    assert store.config.revision(1) == first
    page = store.config.page(1, None)
    assert page.items == (second,)
    rest = store.config.page(1, page.next_cursor)
    assert (rest.items, rest.next_cursor) == ((first,), None)
    assert [entry.event.action for entry in store.audit.after(0, 9)] == ["config.update"] * 2


@pytest.mark.parametrize("number", [1, 2, 4, 9])
def test_a_change_of_another_revision_than_the_newest_is_refused(store: Store, number: int) -> None:
    store.config.change(revision(1), EVENT)
    store.config.change(revision(2), EVENT)
    refused = refusal(lambda: store.config.change(revision(number, sales__bookingFee=1), EVENT))
    assert (refused.code, refused.facts) == (Code.VERSION_CONFLICT, {"version": 2})
    assert store.config.current().number == 2
    assert len(store.audit.after(0, 10)) == 2


def test_of_many_changes_at_once_one_is_made(store: Store) -> None:
    def change(fee: int) -> bool:
        try:
            store.config.change(revision(1, sales__bookingFee=fee), EVENT)
        except Refused as refused:
            if refused.code is not Code.VERSION_CONFLICT:
                raise
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(change, range(16))) == 1
    assert len(store.config.page(20, None).items) == 1


def test_the_logo_is_a_use_of_its_picture(store: Store) -> None:
    media = add(store)
    unknown = refusal(lambda: store.config.change(revision(1, brand__logo=str(uuid7())), EVENT))
    assert (unknown.code, unknown.pointer) == (Code.UNKNOWN_MEDIA, f"/values/{LOGO}")
    assert store.config.current() == FIRST
    store.config.change(revision(1, brand__logo=str(media.id)), EVENT)
    assert store.media.uses(media.id) == (Use(kind="config", object_id=LOGO),)
    assert refusal(lambda: store.media.remove(media.id, EVENT, NOW)).code is Code.MEDIA_IN_USE
    store.config.change(revision(2), EVENT)
    store.media.remove(media.id, EVENT, NOW)


def test_what_this_version_cannot_use_is_left_out(store: Store) -> None:
    store.config.change(revision(1, gone__key=1, sales__bookingFee=300, sales__holdMinutes=9999), EVENT)
    assert store.config.current().values == {"sales.bookingFee": 300}


def test_the_mode_is_changed_by_who_knows_the_present_one(store: Store) -> None:
    assert store.config.mode() == SystemMode()

    def mode(name: Mode, version: int) -> SystemMode:
        return SystemMode(mode=name, reason="r", changed_at=NOW, changed_by="access:ann", version=version)

    read_only = store.config.set_mode(mode(Mode.READ_ONLY, 1), EVENT)
    assert store.config.mode() == read_only
    for version in (1, 3, 9):
        refused = refusal(lambda version=version: store.config.set_mode(mode(Mode.NORMAL, version), EVENT))
        assert refused.code is Code.VERSION_CONFLICT
    store.config.set_mode(mode(Mode.NORMAL, 2), EVENT)
    assert store.config.mode().mode is Mode.NORMAL
    assert len(store.audit.after(0, 10)) == 2
