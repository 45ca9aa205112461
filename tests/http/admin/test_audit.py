"""The audit trail over HTTP: found, exported, and held against itself."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import delete, update

from admin_service.actions import audit as audit_actions
from admin_service.domain.audit import AuditEvent, Origin
from admin_service.storage.mongo import schema as mongo_schema
from admin_service.storage.sql import schema
from common.database.engine import Database
from common.database.kinds import kind_of
from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.mongo.values import ms
from tests.http.admin.desk import START, Desk, later, refusal


def note(desk: Desk, **changes: Any) -> None:
    who = Origin(actor=changes.pop("actor", "access:ann"), address="192.0.2.7", request_id="request-1")
    facts: dict[str, Any] = {"action": "pois.update", "subject": "p-1", **changes}
    desk.ports.store.audit.append(AuditEvent(at=desk.clock.now, origin=who, **facts))


@dataclass(frozen=True)
class Forgery:
    """What somebody does who has got at the database. `entry`: to which one, None: to all, 0: to what is
    noted of the last one apart from it. Without `values` it is deleted.
    """

    entry: int | None
    values: dict[str, Any] | None = None


def changed(entry: int, **values: Any) -> Forgery:
    return Forgery(entry, values)


def tamper(desk: Desk, forgery: Forgery) -> None:
    """Do it."""
    url = desk.settings.database_url
    tampered = _tampered_documents if kind_of(url) == "mongodb" else _tampered_rows
    assert tampered(url, forgery)


def _tampered_rows(url: str, forgery: Forgery) -> int:
    table = schema.audit_head if forgery.entry == 0 else schema.audit
    changes: Any = delete(table) if forgery.values is None else update(table).values(**forgery.values)
    if forgery.entry:
        changes = changes.where(table.c.number == forgery.entry)
    database = Database(url, threads=1)
    try:
        return database.write(lambda connection: connection.execute(changes).rowcount)
    finally:
        database.close()


def _tampered_documents(url: str, forgery: Forgery) -> int:
    collection = mongo_schema.audit_head if forgery.entry == 0 else mongo_schema.audit
    those = {"_id": forgery.entry} if forgery.entry else {}
    values = dict(forgery.values or {})
    if "at" in values:
        values["at"] = ms(values["at"])
    for name in ("after", "personal"):
        if values.get(name) is not None:
            values[name] = json.dumps(values[name])
    database = MongoDatabase(url, threads=1)

    def verb(tx: Transaction) -> int:
        if forgery.values is None:
            return tx.delete(collection, those)
        return tx.update(collection, those, {"$set": values})

    try:
        return database.write(verb)
    finally:
        database.close()


def found(desk: Desk, query: str = "") -> list[dict[str, Any]]:
    return list(desk.call("GET", f"/audit{query}", role="platform_admin").json["data"])


def verified(desk: Desk) -> dict[str, Any]:
    return dict(desk.call("GET", "/audit/verify", role="platform_admin").json)


def test_an_entry_tells_who_what_when_from_where_and_how_it_was(desk: Desk) -> None:
    note(
        desk,
        before={"size": 1},
        after={"size": 2},
        personal_before={"name": "Old"},
        personal_after={"name": "New"},
    )
    (entry,) = found(desk)
    assert entry.pop("hash") == verified(desk)["end"]
    assert entry == {
        "number": 1,
        "at": "2026-07-01T08:00:00.000Z",
        "actor": "access:ann",
        "address": "192.0.2.7",
        "requestId": "request-1",
        "action": "pois.update",
        "subject": "p-1",
        "before": {"size": 1, "name": "Old"},
        "after": {"size": 2, "name": "New"},
        "erased": False,
    }


def test_entries_are_filtered_and_read_page_by_page(any_desk: Desk) -> None:
    desk = any_desk
    for n in range(5):
        note(desk, subject=f"p-{n}", actor=f"access:{'ann' if n % 2 else 'bob'}")
        desk.clock.move(minutes=1)
    note(desk, action="poisons.update")
    for query, subjects in (
        ("?actor=access:ann&action=pois", ["p-3", "p-1"]),
        ("?action=pois.update&subject=p-2", ["p-2"]),
        ("?action=pois_update", []),
        ("?action=%25", []),
        (f"?from={later(START, minutes=3)}&action=pois", ["p-4", "p-3"]),
        (f"?to={later(START, minutes=1)}", ["p-0"]),
    ):
        assert [entry["subject"] for entry in found(desk, query)] == subjects, query
    page = desk.call("GET", "/audit?limit=4", role="platform_admin").json
    rest = desk.call("GET", f"/audit?limit=4&cursor={page['nextCursor']}", role="platform_admin").json
    assert [entry["number"] for entry in page["data"] + rest["data"]] == [6, 5, 4, 3, 2, 1]
    assert rest["nextCursor"] is None


@pytest.mark.parametrize(
    "query", ["?limit=0", "?from=yesterday", "?cursor=W10", "?actor=", "?x=1", "?limit=5&limit=6"]
)
def test_a_question_that_cannot_be_asked_is_refused(desk: Desk, query: str) -> None:
    assert refusal(desk.call("GET", f"/audit{query}", role="platform_admin")) == (422, "VALIDATION_FAILED")


def test_a_file_of_entries_holds_no_formulas(desk: Desk) -> None:
    note(desk, subject="=HYPERLINK(0)", actor="@SUM(1)", after={"note": "=1+1"})
    note(desk, subject='plain, with "quotes"\n', action="pois.create")
    answer = desk.call("GET", "/audit/export.csv", role="platform_admin")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert [row["subject"] for row in rows] == ['plain, with "quotes"\n', "'=HYPERLINK(0)"]
    assert (rows[1]["actor"], rows[1]["after"]) == ("'@SUM(1)", '{"note":"=1+1"}')
    assert not any(cell[:1] in ("=", "+", "-", "@") for row in rows for cell in row.values())
    only = desk.call("GET", "/audit/export.csv?action=pois.create", role="platform_admin")
    assert len(only.get_data(as_text=True).splitlines()) == 3  # the head, and one entry of two lines


def test_a_file_is_written_piece_by_piece(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_actions, "PIECE", 2)
    monkeypatch.setattr(audit_actions, "MOST_EXPORTED", 5)
    for n in range(7):
        note(desk, subject=f"p-{n}")
    rows = desk.call("GET", "/audit/export.csv", role="platform_admin").get_data(as_text=True)
    assert [row["subject"] for row in csv.DictReader(io.StringIO(rows))] == [
        "p-6",
        "p-5",
        "p-4",
        "p-3",
        "p-2",
    ]


def test_an_untouched_trail_holds(any_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = any_desk
    monkeypatch.setattr(audit_actions, "PIECE", 2)
    assert verified(desk) == {"intact": True, "entries": 0, "erased": 0, "end": "00" * 32, "broken": None}
    for n in range(5):
        note(desk, subject=f"p-{n}", after={"price": 1.5, "name": {"en": "Größe"}})
    answer = verified(desk)
    assert (answer["intact"], answer["entries"], answer["broken"]) == (True, 5, None)


@pytest.mark.parametrize(
    "forgery, broken",
    [
        (changed(3, actor="access:eve"), (3, "changed")),
        (changed(3, address=None), (3, "changed")),
        (changed(3, address="192.0.2.8"), (3, "changed")),
        (changed(3, address_digest=None), (3, "changed")),
        (changed(3, address_salt=None), (3, "changed")),
        (changed(3, personal={"after": {"name": "Eve"}}), (3, "changed")),
        (changed(3, request_id="x"), (3, "changed")),
        (changed(1, at=START.replace(year=2020)), (1, "changed")),
        (changed(5, after={"forged": 1}), (5, "changed")),
        (changed(4, action="x.y"), (4, "changed")),
        (changed(2, hash=b"\0" * 32), (2, "changed")),
        (changed(2, previous_hash=b"\1" * 32), (2, "does-not-follow")),
        (Forgery(1), (1, "missing")),
        (Forgery(3), (3, "missing")),
        (Forgery(5), (5, "missing")),
        (Forgery(None), (1, "missing")),
        (changed(0, number=4), (5, "end-differs")),
        (changed(0, hash=b"\2" * 32), (5, "end-differs")),
        (Forgery(0), (1, "end-differs")),
    ],
)
def test_the_first_entry_that_was_touched_is_named(
    any_desk: Desk, forgery: Forgery, broken: tuple[int, str]
) -> None:
    desk = any_desk
    for n in range(5):
        note(desk, subject=f"p-{n}")
    assert verified(desk)["intact"]
    tamper(desk, forgery)
    answer = verified(desk)
    assert (answer["broken"]["number"], answer["broken"]["what"]) == broken
    assert answer["intact"] is False


def test_what_was_taken_out_is_counted_and_everything_else_holds(any_desk: Desk) -> None:
    desk = any_desk
    for n in range(3):
        note(desk, subject=f"p-{n}", personal_after={"name": "Ann"})
    end = verified(desk)["end"]
    nothing = {"address": None, "address_salt": None, "personal": None, "personal_salt": None}
    tamper(desk, changed(2, **nothing))
    assert verified(desk) == {"intact": True, "entries": 3, "erased": 1, "end": end, "broken": None}
    assert [(each["address"], each["after"], each["erased"]) for each in found(desk)] == [
        ("192.0.2.7", {"name": "Ann"}, False),
        (None, {}, True),
        ("192.0.2.7", {"name": "Ann"}, False),
    ]
    rows = desk.call("GET", "/audit/export.csv", role="platform_admin").get_data(as_text=True)
    assert [row["address"] for row in csv.DictReader(io.StringIO(rows))] == ["192.0.2.7", "", "192.0.2.7"]


def test_the_trail_is_for_the_administrator_alone(desk: Desk) -> None:
    for role in ("editor", "operator", "finance", "reviewer"):
        for path in ("/audit", "/audit/export.csv", "/audit/verify"):
            assert refusal(desk.call("GET", path, role=role)) == (403, "FORBIDDEN")
