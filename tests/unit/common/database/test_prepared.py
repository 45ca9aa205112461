"""Prepared statements mean what Core's own execution means."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    event,
    insert,
    select,
    update,
)

from common.database.engine import Database
from common.database.prepared import Prepared, Script
from common.database.types import Identifier, Instant, Json, LocalTime
from common.identifiers import uuid7

things = Table(
    "things",
    MetaData(),
    Column("id", Identifier, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("local", LocalTime, nullable=False),
    Column("body", Json, nullable=False),
    Column("count", Integer, nullable=False),
    Column("kept", Boolean, nullable=False),
    Column("note", String(20)),
)
INSERT = Prepared(insert(things))
ONE = Prepared(select(things).where(things.c.id == bindparam("wanted")))
COUNT_UP = Prepared(
    update(things)
    .where(things.c.id == bindparam("wanted"), things.c.count + bindparam("more") <= 10)
    .values(count=things.c.count + bindparam("more"))
)
VALUES = {
    "at": datetime(2026, 6, 1, 8, 0, 0, 123000, tzinfo=UTC),
    "local": datetime(2026, 6, 1, 10, 0),  # noqa: DTZ001 - local times are naive
    "body": {"en": "Tower"},
    "count": 1,
    "kept": True,
    "note": None,
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'things.sqlite'}")
    things.metadata.create_all(opened.engine)
    yield opened
    opened.close()


def test_what_it_writes_core_reads_and_the_other_way_round(database: Database) -> None:
    mine, cores = uuid7(), uuid7()
    database.write(lambda connection: INSERT.run(connection, id=mine, **VALUES))
    database.write(lambda connection: connection.execute(insert(things).values(id=cores, **VALUES)))
    with database.read() as connection:
        by_core = connection.execute(select(things).where(things.c.id == mine)).one()
        prepared = ONE.row(connection, wanted=cores)
    assert by_core._asdict() == {"id": mine, **VALUES}
    assert prepared is not None
    assert prepared._asdict() == {"id": cores, **VALUES}


def test_it_counts_the_rows_that_its_guard_let_through(database: Database) -> None:
    thing = uuid7()
    database.write(lambda connection: INSERT.run_all(connection, [{"id": thing, **VALUES}]))
    assert database.write(lambda connection: COUNT_UP.run(connection, wanted=thing, more=9)) == 1
    assert database.write(lambda connection: COUNT_UP.run(connection, wanted=thing, more=1)) == 0
    with database.read() as connection:
        assert ONE.rows(connection, wanted=thing)[0].count == 10


def test_a_missing_parameter_is_an_error_not_a_null(database: Database) -> None:
    without_note = {name: value for name, value in VALUES.items() if name != "note"}
    with pytest.raises(KeyError):
        database.write(lambda connection: INSERT.run(connection, id=uuid7(), **without_note))


def test_no_row_is_none(database: Database) -> None:
    with database.read() as connection:
        assert ONE.row(connection, wanted=uuid7()) is None


def test_no_rows_to_write_is_no_statement(database: Database) -> None:
    database.write(lambda connection: INSERT.run_all(connection, []))


def test_a_script_does_nothing_until_it_is_played_and_then_all_of_it_in_order(database: Database) -> None:
    one, two = uuid7(), uuid7()
    script = Script(database.dialect)
    INSERT.run_all(script, [{"id": each, **VALUES} for each in (one, two)])
    COUNT_UP.run_all(script, [{"wanted": one, "more": 9}])
    COUNT_UP.run_all(script, [{"wanted": one, "more": 1}, {"wanted": two, "more": 1}])
    INSERT.run_all(script, [])
    heard = []

    def play(connection: Connection) -> None:
        assert connection.execute(select(things)).all() == []
        event.listen(connection, "before_cursor_execute", lambda *told: heard.append(told[2]))
        script.play(connection)

    database.write(play)
    with database.read() as connection:
        assert [ONE.rows(connection, wanted=each)[0].count for each in (one, two)] == [10, 2]
    assert [text.split()[0] for text in heard] == ["INSERT", "UPDATE", "UPDATE"]
