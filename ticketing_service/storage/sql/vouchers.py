"""Vouchers; how often one was used is counted as seats are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from common.database.engine import Database
from common.database.keyset import id_cursor, page_from
from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.slot_records import fits
from ticketing_service.storage.sql.writing import Writer

_vouchers, _counters = schema.vouchers, schema.counters
_SELECT = select(
    _vouchers, _counters.c.capacity, (_counters.c.held + _counters.c.sold).label("used")
).join_from(_vouchers, _counters, _counters.c.id == _vouchers.c.id)


def voucher_in(connection: Connection, code: str) -> Voucher | None:
    """The voucher of that code, in whatever letter case it is written."""
    row = connection.execute(_SELECT.where(_vouchers.c.code == _normal(code))).one_or_none()
    return None if row is None else _voucher_of(row)


class SqlVouchers:
    """The `VoucherStore` on an SQL database. Codes are kept in capital letters."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database, self._write = database, writer

    def create(self, voucher: Voucher, *, idempotency: Idempotency | None = None) -> Voucher:
        voucher = replace(voucher, code=_normal(voucher.code), used=0, version=1)

        def verb(connection: Connection) -> Voucher:
            try:
                connection.execute(insert(_vouchers), {"id": voucher.id, **_row(voucher)})
            except IntegrityError as error:
                raise Refused(Code.VOUCHER_CODE_TAKEN, pointer="/code") from error
            connection.execute(insert(_counters), {"id": voucher.id, "capacity": voucher.max_uses})
            return voucher

        return self._write(verb, idempotency)

    def replace(
        self, voucher: Voucher, expected_version: int, *, idempotency: Idempotency | None = None
    ) -> Voucher:
        """Besides the port's refusals: VOUCHER_CODE_TAKEN."""
        return self._write(lambda connection: _replace(connection, voucher, expected_version), idempotency)

    def get(self, voucher_id: UUID) -> Voucher | None:
        with self._database.read() as connection:
            row = connection.execute(_SELECT.where(_vouchers.c.id == voucher_id)).one_or_none()
        return None if row is None else _voucher_of(row)

    def by_code(self, code: str) -> Voucher | None:
        with self._database.read() as connection:
            return voucher_in(connection, code)

    def page(self, limit: int, cursor: str | None) -> Page[Voucher]:
        """Newest first."""
        statement = _SELECT.order_by(_vouchers.c.id.desc()).limit(limit + 1)
        if cursor is not None:
            statement = statement.where(_vouchers.c.id < id_cursor(cursor))
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return page_from([_voucher_of(row) for row in rows], limit, lambda voucher: (str(voucher.id),))


def _replace(connection: Connection, voucher: Voucher, expected_version: int) -> Voucher:
    voucher = replace(voucher, code=_normal(voucher.code), version=expected_version + 1)
    row = {name: value for name, value in _row(voucher).items() if name != "created_at"}
    guard = (_vouchers.c.id == voucher.id, _vouchers.c.version == expected_version)
    try:
        changed = connection.execute(update(_vouchers).where(*guard).values(**row))
    except IntegrityError as error:
        raise Refused(Code.VOUCHER_CODE_TAKEN, pointer="/code") from error
    found = _SELECT.where(_vouchers.c.id == voucher.id)
    if changed.rowcount == 0:
        current = connection.execute(found).one_or_none()
        if current is None:
            raise Refused(Code.VOUCHER_NOT_FOUND)
        raise Refused(Code.VERSION_CONFLICT, facts={"version": current.version})
    limit = voucher.max_uses
    counter = update(_counters).where(_counters.c.id == voucher.id, fits(limit))
    if connection.execute(counter.values(capacity=limit)).rowcount == 0:
        used = connection.execute(found).one().used
        raise Refused(Code.VOUCHER_BELOW_USED, pointer="/maxUses", facts={"used": used})
    return _voucher_of(connection.execute(found).one())


def _normal(code: str) -> str:
    return code.strip().upper()


def _row(voucher: Voucher) -> dict[str, Any]:
    return {
        "code": voucher.code,
        "percent_basis_points": voucher.percent_basis_points,
        "amount": voucher.amount,
        "currency": voucher.currency,
        "valid_from": voucher.valid_from,
        "valid_until": voucher.valid_until,
        "max_uses_per_customer": voucher.max_uses_per_customer,
        "ticket_ids": [str(ticket_id) for ticket_id in voucher.ticket_ids],
        "active": voucher.active,
        "version": voucher.version,
        "created_at": voucher.created_at,
    }


def _voucher_of(row: Row[Any]) -> Voucher:
    return Voucher(
        id=row.id,
        code=row.code,
        percent_basis_points=row.percent_basis_points,
        amount=row.amount,
        currency=row.currency,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        max_uses=row.capacity,
        max_uses_per_customer=row.max_uses_per_customer,
        ticket_ids=tuple(map(UUID, row.ticket_ids)),
        active=row.active,
        used=row.used,
        version=row.version,
        created_at=row.created_at,
    )
