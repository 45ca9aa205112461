"""What the store of the admin service stands on: its tables, its outbox, and the audit trail."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from admin_service.domain.audit import FIRST_HASH, AuditEntry, AuditEvent, Origin
from admin_service.storage.mongo.store import COLLECTIONS
from admin_service.storage.opening import migrate
from admin_service.storage.port import Store
from admin_service.storage.sql import schema
from common.database.engine import Database
from common.mongo.database import MongoDatabase
from common.mongo.migrations import differences
from common.outbox.port import StoredTask
from common.web.idempotency import KeyReused, Replayed
from tests.contract.admin.looking import is_mongodb
from tests.contract.builders import NOW, make_idempotency
from tests.contract.test_migrations import _differs

EVENT = AuditEvent(
    at=NOW,
    origin=Origin(actor="access:ann", address="192.0.2.1", request_id="r-1"),
    action="things.update",
    subject="t-1",
    before={"name": {"en": "Tower"}, "size": 1.5},
    after={"name": {"en": "Turm", "de": "Türm"}, "size": None},
    personal_after={"email": "ann@example.org"},
)


def test_migrations_make_what_the_schema_declares(store_url: str) -> None:
    assert _differences(store_url) == []
    assert migrate(store_url) is False


def _differences(store_url: str) -> list[Any]:
    if is_mongodb(store_url):
        deployment = MongoDatabase(store_url, threads=1)
        unlike = differences(deployment, COLLECTIONS)
        deployment.close()
        return unlike
    database = Database(store_url, threads=1)
    options = {
        "target_metadata": schema.metadata,
        "version_table": schema.VERSION_TABLE,
        "compare_type": _differs,
    }
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts=options)
        found = list(compare_metadata(context, schema.metadata))
        names = inspect(connection).get_table_names()
    database.close()
    return [*found, *(name for name in names if not name.startswith(schema.PREFIX))]


def test_a_task_is_claimed_and_done(store: Store) -> None:
    store.outbox.add("mail", {"to": "ann"}, NOW)
    (task,) = store.outbox.claim(NOW, NOW + timedelta(seconds=30), 10)
    assert task == StoredTask(id=task.id, kind="mail", payload={"to": "ann"}, attempts=1, created_at=NOW)
    assert store.outbox.claim(NOW, NOW + timedelta(seconds=30), 10) == ()
    assert store.outbox.depth(NOW) == (1, 0.0)
    store.outbox.done(task.id)
    assert store.outbox.depth(NOW) == (0, 0.0)


def test_one_worker_is_active(store: Store) -> None:
    assert store.outbox.beat("one", NOW, NOW + timedelta(seconds=10))
    assert not store.outbox.beat("other", NOW, NOW + timedelta(seconds=10))
    assert store.outbox.heartbeat() == NOW
    later = NOW + timedelta(seconds=10)
    assert store.outbox.beat("other", later, later + timedelta(seconds=10))


def test_a_key_is_used_once(store: Store) -> None:
    store.outbox.add("mail", {}, NOW, idempotency=make_idempotency())
    with pytest.raises(Replayed) as again:
        store.outbox.add("mail", {}, NOW, idempotency=make_idempotency())
    assert again.value.answer.status == 201
    with pytest.raises(KeyReused):
        store.outbox.add("mail", {}, NOW, idempotency=make_idempotency(request={"other": 1}))
    assert store.outbox.depth(NOW)[0] == 1
    assert store.outbox.purge(NOW + timedelta(hours=48), 10) == 0
    assert store.outbox.purge(NOW + timedelta(hours=49), 10) == 1
    store.outbox.add("mail", {}, NOW, idempotency=make_idempotency())


def test_entries_are_a_chain(store: Store) -> None:
    first = store.audit.append(EVENT)
    second = store.audit.append(replace(EVENT, action="things.delete"))
    assert (first.number, second.number) == (1, 2)
    assert first.previous_hash == FIRST_HASH
    assert store.audit.after(0, 10) == (first, second)
    assert store.audit.after(1, 10) == (second,)
    assert is_chain(store.audit.after(0, 10))


def test_entries_of_many_at_once_are_one_chain_without_a_gap(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.audit.append(replace(EVENT, subject=str(number))), range(40)))
    entries = store.audit.after(0, 100)
    assert [entry.number for entry in entries] == list(range(1, 41))
    assert {entry.event.subject for entry in entries} == {str(number) for number in range(40)}
    assert is_chain(entries)


@pytest.mark.parametrize(
    "changes",
    [
        {"actor": "access:bob"},
        {"address": "192.0.2.2"},
        {"address": None},
        {"subject": "t-2"},
        {"after": {}},
        {"action": "x.y"},
        {"personal_after": {}},
        {"personal_before": {"name": "Ann"}},
    ],
)
def test_an_entry_that_was_touched_breaks_the_chain(store: Store, changes: dict[str, object]) -> None:
    entries = [store.audit.append(EVENT) for _ in range(3)]
    event = entries[1].event
    if changes.keys() & {"actor", "address"}:
        event = replace(event, origin=replace(event.origin, **changes))  # type: ignore[arg-type]
    else:
        event = replace(event, **changes)  # type: ignore[arg-type]
    touched = replace(entries[1], event=event)
    assert not is_chain((entries[0], touched, entries[2]))
    assert not is_chain((entries[0], entries[2]))


def test_what_names_somebody_is_taken_out_and_the_chain_holds(store: Store) -> None:
    guest = replace(EVENT, origin=replace(EVENT.origin, actor="guest"), subject="email:1")
    for event in (EVENT, guest, replace(guest, subject="email:2"), replace(EVENT, subject="email:1")):
        store.audit.append(event)
    erasing = replace(EVENT, action="privacy.erase", after={"user": False})
    noted = store.audit.erase(("email:1", "email:3"), erasing)
    assert noted.event.after == {"user": False, "entries": 1}
    entries = store.audit.after(0, 10)
    assert is_chain(entries)
    assert [entry.erased for entry in entries] == [False, True, False, False, False]
    assert [entry.event.origin.address for entry in entries] == ["192.0.2.1", None, *["192.0.2.1"] * 3]
    again = store.audit.erase(("email:1",), replace(EVENT, action="privacy.erase"))
    assert again.event.after["entries"] == 0


def is_chain(entries: tuple[AuditEntry, ...]) -> bool:
    """Whether each entry's hash is that of what it says, and stands in the next."""
    previous = FIRST_HASH
    for number, entry in enumerate(entries, 1):
        if (entry.number, entry.previous_hash) != (number, previous) or not entry.holds:
            return False
        previous = entry.hash
    return True
