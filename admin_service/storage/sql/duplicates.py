"""POIs that may be one place, and those that were made one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, false, insert, or_, select, update

from admin_service.domain.audit import AuditEvent
from admin_service.domain.duplicates import Resemblance, Sketch
from admin_service.domain.errors import Code, Refused
from admin_service.domain.geo import Point, box_around, runs_of
from admin_service.domain.merging import Merge
from admin_service.domain.poi import PoiStatus
from admin_service.storage.ports.pois import PoiWrite
from admin_service.storage.sql import audit
from admin_service.storage.sql import poi_tables as tables
from admin_service.storage.sql.poi_records import merge_of, merge_row
from admin_service.storage.sql.poi_writing import forget_resemblances, write_all
from common.database.engine import Database
from common.database.inserting import insert_new
from common.database.keyset import page_from
from common.database.writing import Write
from common.pages import Page
from common.web.field_errors import coded
from common.web.idempotency import Idempotency
from common.web.paging import decode_cursor

_pois, _pairs, _merges = tables.pois, tables.poi_resemblances, tables.poi_merges
_SKETCHED = (_pois.c.id, _pois.c.category, _pois.c.latitude, _pois.c.longitude, _pois.c.body)
_LIVE = tuple(status.value for status in PoiStatus if status is not PoiStatus.ARCHIVED)
_RUNS = 4
"""So small a circle touches few cells of its own size."""


class SqlDuplicates:
    """The `DuplicateStore` on an SQL database."""

    def __init__(self, database: Database, write: Write) -> None:
        self._database, self._write = database, write

    def near(self, sketch: Sketch, radius_km: float, limit: int) -> tuple[Sketch, ...]:
        """See DuplicateStore."""
        found: list[Sketch] = []
        with self._database.read() as connection:
            for first, last in runs_of(box_around(sketch.point, radius_km), limit=_RUNS):
                statement = (
                    select(*_SKETCHED)
                    .where(_pois.c.status.in_(_LIVE), _pois.c.cell.between(first, last))
                    .where(_pois.c.id != sketch.id)
                    .limit(limit - len(found))
                )
                found += map(_sketch_of, connection.execute(statement))
        return tuple(found)

    def sketches(self, poi_ids: Collection[UUID]) -> tuple[Sketch, ...]:
        """See DuplicateStore."""
        is_one = (_pois.c.id.in_(sorted(poi_ids)), _pois.c.status.in_(_LIVE))
        statement = select(*_SKETCHED).where(*is_one)
        with self._database.read() as connection:
            return tuple(map(_sketch_of, connection.execute(statement)))

    def put(self, found: Mapping[UUID, Sequence[Resemblance]], now: datetime) -> None:
        """See DuplicateStore."""

        def verb(connection: Connection) -> None:
            forget_resemblances(connection, found)
            pairs = {(pair.one, pair.other): pair for each in found.values() for pair in each}
            rows = [_pair_row(pair, now) for _, pair in sorted(pairs.items())]
            if rows:
                # one that was dismissed is still there
                connection.execute(insert_new(connection, _pairs), rows)

        self._write(verb)

    def found(self, limit: int, cursor: str | None) -> Page[Resemblance]:
        """See DuplicateStore."""
        one, other = _pois.alias("one_poi"), _pois.alias("other_poi")
        statement = (
            select(_pairs)
            .join(one, one.c.id == _pairs.c.one)
            .join(other, other.c.id == _pairs.c.other)
            .where(_pairs.c.dismissed == false())
            .where(one.c.status != PoiStatus.ARCHIVED.value, other.c.status != PoiStatus.ARCHIVED.value)
            .order_by(_pairs.c.score.desc(), _pairs.c.one.desc(), _pairs.c.other.desc())
            .limit(limit + 1)
        )
        if cursor is not None:
            statement = statement.where(_after(cursor))
        with self._database.read() as connection:
            pairs = [_pair_of(row) for row in connection.execute(statement)]
        return page_from(pairs, limit, _key)

    def dismiss(self, one: UUID, other: UUID, event: AuditEvent) -> None:
        """See DuplicateStore."""

        def verb(connection: Connection) -> None:
            is_it = and_(_pairs.c.one == min(one, other), _pairs.c.other == max(one, other))
            if connection.execute(select(_pairs.c.one).where(is_it)).first() is None:
                raise Refused(Code.NOT_A_DUPLICATE, "Nobody takes the two for one place.")
            connection.execute(update(_pairs).where(is_it).values(dismissed=True))
            audit.append(connection, event)

        self._write(verb)

    def merge(
        self, writes: Sequence[PoiWrite], merge: Merge, *, idempotency: Idempotency | None = None
    ) -> Merge:
        """See DuplicateStore."""

        def verb(connection: Connection) -> Merge:
            write_all(connection, writes)
            connection.execute(insert(_merges).values(**merge_row(merge)))
            return merge

        return self._write(verb, idempotency)

    def unmerge(
        self,
        writes: Sequence[PoiWrite],
        merge_id: UUID,
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> Merge:
        """See DuplicateStore."""

        def verb(connection: Connection) -> Merge:
            open_one = and_(_merges.c.id == merge_id, _merges.c.undone_at.is_(None))
            if connection.execute(update(_merges).where(open_one).values(undone_at=now)).rowcount == 0:
                raise Refused(Code.MERGE_UNDONE)
            write_all(connection, writes)
            return merge_of(connection.execute(select(_merges).where(_merges.c.id == merge_id)).one())

        return self._write(verb, idempotency)

    def merge_by_id(self, merge_id: UUID) -> Merge | None:
        """See DuplicateStore."""
        with self._database.read() as connection:
            row = connection.execute(select(_merges).where(_merges.c.id == merge_id)).one_or_none()
        return None if row is None else merge_of(row)

    def merges_of(self, poi_id: UUID, limit: int) -> tuple[Merge, ...]:
        """See DuplicateStore."""
        statement = select(_merges).where(_merges.c.survivor == poi_id)
        statement = statement.order_by(_merges.c.id.desc()).limit(limit)
        with self._database.read() as connection:
            return tuple(merge_of(row) for row in connection.execute(statement))


def _sketch_of(row: Row[Any]) -> Sketch:
    return Sketch(
        id=row.id,
        names=row.body["content"]["name"],
        category=row.category,
        point=Point(row.latitude, row.longitude),
    )


def _pair_row(pair: Resemblance, now: datetime) -> dict[str, Any]:
    return {
        "one": pair.one,
        "other": pair.other,
        "score": _thousandths(pair.score),
        "name": _thousandths(pair.name),
        "metres": pair.metres,
        "found_at": now,
        "dismissed": False,
    }


def _pair_of(row: Row[Any]) -> Resemblance:
    return Resemblance(
        one=row.one, other=row.other, score=row.score / 1000, name=row.name / 1000, metres=row.metres
    )


def _key(pair: Resemblance) -> tuple[int, str, str]:
    return _thousandths(pair.score), str(pair.one), str(pair.other)


def _thousandths(share: float) -> int:
    return round(share * 1000)


def _after(cursor: str) -> Any:
    try:
        score, one, other = decode_cursor(cursor)
        if type(score) is not int or not 0 <= score <= 1000:
            raise ValueError
        first, second = UUID(one), UUID(other)
    except (ValueError, TypeError, AttributeError) as error:
        raise coded("INVALID", "Not a cursor of this list.") from error
    return and_(
        _pairs.c.score <= score,
        or_(
            _pairs.c.score < score,
            _pairs.c.one < first,
            and_(_pairs.c.one == first, _pairs.c.other < second),
        ),
    )
