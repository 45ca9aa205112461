"""Writing POIs: the rows themselves, their history, what finds them, what counts them, what they show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, and_, bindparam, delete, false, insert, select, update
from sqlalchemy.dialects.mysql import insert as mysql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError

from admin_service.domain.clusters import CellKey, Tally, counted, summed
from admin_service.domain.errors import Code, Refused
from admin_service.domain.poi import Poi, PoiStatus
from admin_service.domain.searching import counted_as, poi_words, sort_name, tag_word
from admin_service.storage.ports.pois import PoiWrite
from admin_service.storage.sql import audit
from admin_service.storage.sql import poi_tables as tables
from admin_service.storage.sql.media_uses import set_uses_of_many
from admin_service.storage.sql.outbox import add_task
from admin_service.storage.sql.poi_records import entry_row, media_of, poi_row

DUPLICATES_TASK = "poi-duplicates"

_pois, _words, _cells = tables.pois, tables.poi_words, tables.poi_cells
POI = "poi"
"""What uses media as a point of interest does."""


def write_one(connection: Connection, write: PoiWrite) -> Poi:
    """Raises Refused POI_NOT_FOUND, VERSION_CONFLICT, EXTERNAL_ID_TAKEN."""
    write_all(connection, (write,))
    return write.poi


def write_all(connection: Connection, writes: Sequence[PoiWrite]) -> None:
    """All of `writes`, in their order; each POI at most once. Raises as `write_one`, for any of them."""
    for is_new, some in groupby(writes, key=lambda write: write.before is None):
        if is_new:
            _add(connection, list(some))
        else:
            for write in some:
                _replace(connection, write)
    pois = [write.poi for write in writes]
    connection.execute(insert(tables.poi_history), [entry_row(write.entry) for write in writes])
    _index(connection, pois)
    _show(connection, pois)
    _count(connection, writes)
    looked_at = [str(write.poi.id) for write in writes if _is_to_be_compared(write)]
    if looked_at:
        add_task(connection, DUPLICATES_TASK, {"poiIds": looked_at}, writes[0].poi.updated_at)
    for write in writes:
        if write.event is not None:
            audit.append(connection, write.event)


def _add(connection: Connection, writes: Sequence[PoiWrite]) -> None:
    try:
        connection.execute(insert(_pois), [poi_row(write.poi) for write in writes])
    except IntegrityError as error:
        raise Refused(Code.EXTERNAL_ID_TAKEN, pointer="/externalId") from error


_REPLACE = update(_pois).where(
    _pois.c.id == bindparam("that_is"), _pois.c.version == bindparam("that_was_version")
)


def _replace(connection: Connection, write: PoiWrite) -> None:
    assert write.before is not None  # noqa: S101 the caller has looked
    guard = {"that_is": write.poi.id, "that_was_version": write.before.version}
    try:
        changed = connection.execute(_REPLACE, {**poi_row(write.poi), **guard})
    except IntegrityError as error:
        raise Refused(Code.EXTERNAL_ID_TAKEN, pointer="/externalId") from error
    if changed.rowcount == 0:
        version = connection.scalar(select(_pois.c.version).where(_pois.c.id == write.poi.id))
        if version is None:
            raise Refused(Code.POI_NOT_FOUND)
        raise Refused(Code.VERSION_CONFLICT, facts={"version": version})


def _index(connection: Connection, pois: Sequence[Poi]) -> None:
    """Bring the words by which the POIs are found to what they are now."""
    named = [(poi, sort_name(poi.content)) for poi in pois]
    wanted = {(word, poi.shown, name, poi.id) for poi, name in named for word in _words_of(poi)}
    _settle(connection, _words, pois, wanted)


def _words_of(poi: Poi) -> frozenset[str]:
    return poi_words(poi.content) | {tag_word(tag) for tag in poi.content.tags}


def _show(connection: Connection, pois: Sequence[Poi]) -> None:
    """Note which pictures the POIs show."""
    wanted = {str(poi.id): media_of(poi) for poi in pois}
    set_uses_of_many(connection, POI, wanted, [str(poi.id) for poi in pois if poi.version > 1])


def _settle(connection: Connection, table: Table, pois: Sequence[Poi], wanted: set[tuple[Any, ...]]) -> None:
    """Make the rows of `pois` in `table` those that are `wanted`."""
    names = [column.name for column in table.c]
    old = [poi.id for poi in pois if poi.version > 1]
    there: set[tuple[Any, ...]] = set()
    if old:
        there = {tuple(row) for row in connection.execute(select(table).where(table.c.poi_id.in_(old)))}
    gone = sorted(there - wanted)
    if gone:
        is_it = and_(*(table.c[name] == bindparam(f"that_{name}") for name in names))
        rows = [{f"that_{name}": value for name, value in zip(names, row, strict=True)} for row in gone]
        connection.execute(delete(table).where(is_it), rows)
    new = sorted(wanted - there)
    if new:
        connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in new])


def _count(connection: Connection, writes: Iterable[PoiWrite]) -> None:
    """Bring the counts of the maps along with what is shown."""
    changes = summed(change for write in writes for change in _changes(write))
    # in one order everywhere, so that two writers never wait for each other
    rows = [_cell_row(key, tally) for key, tally in sorted(changes.items(), key=lambda item: _order(item[0]))]
    if rows:
        add_counts(connection, rows)


def _changes(write: PoiWrite) -> Iterable[Mapping[CellKey, Tally]]:
    now = _counts(write.poi)
    before = {} if write.before is None else _counts(write.before)
    if now != before:
        yield now
        yield {key: -tally for key, tally in before.items()}


def _counts(poi: Poi) -> Mapping[CellKey, Tally]:
    return counted(poi.content.point, counted_as(poi)) if poi.shown else {}


def _order(key: CellKey) -> tuple[int, str, int]:
    return key.level, key.category, key.cell


def _cell_row(key: CellKey, tally: Tally) -> dict[str, Any]:
    return {
        "level": key.level,
        "category": key.category,
        "cell": key.cell,
        "count": tally.count,
        "latitudes": tally.latitudes,
        "longitudes": tally.longitudes,
    }


def add_counts(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add to the counts of cells; a cell that comes to nothing keeps its row."""
    sums = ("count", "latitudes", "longitudes")
    if connection.dialect.name == "mysql":
        mysql = mysql_insert(_cells)
        added = {name: _cells.c[name] + mysql.inserted[name] for name in sums}
        connection.execute(mysql.on_duplicate_key_update(**added), rows)
        return
    sqlite = sqlite_insert(_cells)
    connection.execute(
        sqlite.on_conflict_do_update(
            index_elements=["level", "category", "cell"],
            set_={name: _cells.c[name] + sqlite.excluded[name] for name in sums},
        ),
        rows,
    )


def _is_to_be_compared(write: PoiWrite) -> bool:
    """Whether the POI may resemble others than it did."""
    before, content = write.before, write.poi.content
    if write.poi.status is PoiStatus.ARCHIVED:
        return False
    if before is None or before.status is PoiStatus.ARCHIVED:
        return True
    old = before.content
    return (old.names, old.point, old.category) != (content.names, content.point, content.category)


def forget_resemblances(connection: Connection, poi_ids: Iterable[UUID]) -> None:
    """What the POIs were said to resemble, but for what somebody has dismissed."""
    table, ids = tables.poi_resemblances, sorted(poi_ids)
    for column in (table.c.one, table.c.other):
        connection.execute(delete(table).where(column.in_(ids), table.c.dismissed == false()))
