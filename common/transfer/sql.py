"""A store on SQLite, MySQL or MariaDB that is moved from or to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from common.database.failures import DATABASE_ERRORS, is_unavailable
from common.database.kinds import kind_of
from common.database.unavailable import StoreUnavailable
from common.transfer.documents import Document, Entity, Key
from common.transfer.port import Misfit, Side, TransferFault
from common.transfer.sql_marks import dangling, exceeds, limits, own_mark, said, server_mark
from common.transfer.sql_opening import opened
from common.transfer.sql_rows import Rows, neutral_table, within


class SqlSide(Side):
    """`Side` on an SQL database that was migrated.

    References are not held to while it is written, as things come in an order of their own: `misfits` does.

    Args:
        url: as of the setting DATABASE_URL.
        layout: how each entity lies in the tables.
        writable: False: the database itself refuses whatever would change it.
    """

    def __init__(self, url: str, layout: Mapping[str, Rows], *, writable: bool) -> None:
        self.kind: str = kind_of(url)
        self._layout = layout
        self._tables = {
            rows.table.name: neutral_table(rows.table) for each in layout.values() for rows in _all_rows(each)
        }
        self._originals = {rows.table for each in layout.values() for rows in _all_rows(each)}
        self._limits = {name: list(limits(table)) for name, table in self._tables.items()}
        self._engine = opened(url, writable=writable)
        self._connection: Connection | None = None

    def count(self, entity: Entity) -> int:
        rows = self._layout[entity.name]
        statement = select(func.count()).select_from(self._table(rows)).where(self._chosen(rows))
        with self.at_one_moment() as connection:
            return int(connection.scalar(statement) or 0)

    def boundary(self, entity: Entity, after: Key | None, size: int) -> Key | None:
        rows = self._layout[entity.name]
        table = self._table(rows)
        columns = [table.c[name] for name in rows.key]
        statement = (
            select(*columns)
            .where(self._chosen(rows), within(table, rows.key, after, None))
            .order_by(*columns)
            .limit(size)
        )
        with self.at_one_moment() as connection:
            found = connection.execute(statement).all()
        return tuple(found[-1]) if found else None

    def stamp(self, entity: Entity, after: Key | None, upto: Key | None) -> str:
        mark = server_mark if self.kind == "mysql" else own_mark
        with self.at_one_moment() as connection:
            return " ".join(
                mark(connection, self._table(rows), rows, self._range(rows, after, upto))
                for rows in _all_rows(self._layout[entity.name])
            )

    def read(self, entity: Entity, after: Key | None, upto: Key | None) -> list[Document]:
        rows = self._layout[entity.name]
        table = self._table(rows)
        names = rows.shown
        statement = (
            select(*(table.c[name] for name in names))
            .where(self._range(rows, after, upto))
            .order_by(*(table.c[name] for name in rows.key))
        )
        with self.at_one_moment() as connection:
            documents = [dict(zip(names, row, strict=True)) for row in connection.execute(statement)]
            if rows.parts:
                by_identity = {_named(document, rows.identity): document for document in documents}
            for part in rows.parts:
                self._attach(connection, part, by_identity, after, upto)
        return [rows.values(each) for each in documents] if rows.values is not None else documents

    def write(
        self, entity: Entity, new: Sequence[Document], changed: Sequence[Document], gone: Sequence[Key]
    ) -> list[Misfit]:
        replaced = [entity.key_of(each) for each in changed]
        if self.kind == "sqlite" and (new or changed):
            unfit = [misfit for each in (*new, *changed) if (misfit := self._unfit(entity, each)) is not None]
            keys = {each.key for each in unfit}
            if keys:
                return unfit + self.write(
                    entity,
                    [each for each in new if entity.key_of(each) not in keys],
                    [each for each in changed if entity.key_of(each) not in keys],
                    gone,
                )
        try:
            self._write(entity, [*new, *changed], [*replaced, *gone])
        except DBAPIError as error:
            if is_unavailable(error):
                raise StoreUnavailable(said(error)) from error
            if len(new) + len(changed) + len(gone) == 1:
                key = entity.key_of(new[0]) if new else (replaced or list(gone))[0]
                return [Misfit(entity.name, key, said(error))]
        else:
            return []
        # one by one, to know which; the deleted first, as they may be in the way of what took their place
        found = []
        for key in gone:
            found += self.write(entity, (), (), (key,))
        for document in changed:
            found += self.write(entity, (), (document,), ())
        for document in new:
            found += self.write(entity, (document,), (), ())
        return found

    def misfits(self) -> Iterator[Misfit]:
        """Rows that refer to what is not there."""
        with self.at_one_moment() as connection:
            for table in sorted(self._originals, key=lambda each: each.name):
                for constraint in table.foreign_key_constraints:
                    yield from dangling(connection, table, constraint)

    @contextmanager
    def at_one_moment(self) -> Iterator[Connection]:
        """All statements see the same moment, and take as long as they take. Raises StoreUnavailable."""
        try:
            with self._transaction() as connection:
                yield connection
        except DATABASE_ERRORS as error:
            if isinstance(error, SQLAlchemyError) and is_unavailable(error):
                raise StoreUnavailable(str(error.__cause__ or error)) from error
            raise

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()

    def _attach(
        self,
        connection: Connection,
        rows: Rows,
        parents: Mapping[Key, Document],
        after: Key | None,
        upto: Key | None,
    ) -> None:
        """Put each row of a part into the document that it belongs to."""
        for parent in parents.values():
            parent[rows.field] = []
        table, names = self._table(rows), rows.shown
        links = [table.c[name] for name in rows.key]
        statement = (
            select(*links, *(table.c[name] for name in names))
            .where(self._range(rows, after, upto))
            .order_by(*(table.c[name] for name in (*rows.root_columns, *rows.order)))
        )
        width = len(links)
        by_identity: dict[Key, Document] = {}
        for row in connection.execute(statement):
            key, values = tuple(row[:width]), row[width:]
            owner = parents.get(key)
            if owner is None:
                raise TransferFault(f"{rows.table.name}: a row belongs to {key[0]}, which is not there")
            if rows.only:
                owner[rows.field].append(values[0])
                continue
            part = dict(zip(names, values, strict=True))
            owner[rows.field].append(part)
            if rows.parts:
                by_identity[_named(part, rows.identity)] = part
        for deeper in rows.parts:
            self._attach(connection, deeper, by_identity, after, upto)

    def _write(self, entity: Entity, documents: Sequence[Document], keys: Sequence[Key]) -> None:
        rows = self._layout[entity.name]
        with self._transaction() as connection:
            if keys:
                for each in reversed(list(_all_rows(rows))):
                    self._delete(connection, each, keys)
            made: dict[str, list[dict[str, Any]]] = {}
            for document in documents:
                values = document if rows.back is None else rows.back(document)
                _collect(rows, values, values, values, 0, made)
            for each in _all_rows(rows):
                if found := made.get(each.table.name):
                    _insert(connection, self._table(each), found)
                    # two kinds of rows may be of the same table
                    found.clear()

    def _unfit(self, entity: Entity, document: Document) -> Misfit | None:
        """SQLite takes texts and numbers of any length; the other stores, and so we, do not."""
        rows = self._layout[entity.name]
        made: dict[str, list[dict[str, Any]]] = {}
        values = document if rows.back is None else rows.back(document)
        _collect(rows, values, values, values, 0, made)
        for name, found in made.items():
            for column, most in self._limits[name]:
                if any(exceeds(each[column], most) for each in found):
                    return Misfit(entity.name, entity.key_of(document), f"column {column}")
        return None

    def _delete(self, connection: Connection, rows: Rows, keys: Sequence[Key]) -> None:
        table = self._table(rows)
        names = rows.root_columns
        are_it = and_(self._chosen(rows), *(table.c[name] == bindparam(f"that_{name}") for name in names))
        connection.execute(
            delete(table).where(are_it),
            [{f"that_{name}": value for name, value in zip(names, key, strict=True)} for key in keys],
        )

    def _table(self, rows: Rows) -> Table:
        return self._tables[rows.table.name]

    def _chosen(self, rows: Rows) -> ColumnElement[bool]:
        return and_(True, *(() if rows.where is None else (rows.where(self._table(rows)),)))

    def _range(self, rows: Rows, after: Key | None, upto: Key | None) -> ColumnElement[bool]:
        return and_(self._chosen(rows), within(self._table(rows), rows.root_columns, after, upto))

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """On the one connection: to open another costs more than most statements."""
        if self._connection is None:
            self._connection = self._engine.connect()
        with self._connection.begin():
            yield self._connection


def _all_rows(rows: Rows) -> Iterator[Rows]:
    """Those of the document and of all its parts, parents first."""
    yield rows
    for part in rows.parts:
        yield from _all_rows(part)


def _collect(
    rows: Rows,
    root: Document,
    parent: Document,
    item: Any,
    position: int,
    made: dict[str, list[dict[str, Any]]],
) -> None:
    """Gather the rows of a document, by table."""
    values = {rows.only: item} if rows.only else {name: item[name] for name in rows.shown}
    listed = made.setdefault(rows.table.name, [])
    listed.append({**values, **rows.fill(root, parent, item, position)})
    for part in rows.parts:
        for number, each in enumerate(item[part.field]):
            _collect(part, root, item, each, number, made)


def _insert(connection: Connection, table: Table, values: Sequence[Mapping[str, Any]]) -> None:
    into = {column: bindparam(f"new_{column.name}", type_=column.type) for column in table.c}
    connection.execute(
        insert(table).values(into),
        [{f"new_{column.name}": each[column.name] for column in table.c} for each in values],
    )


def _named(document: Document, names: tuple[str, ...]) -> Key:
    return tuple(document[name] for name in names)
