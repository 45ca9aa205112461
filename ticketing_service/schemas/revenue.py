"""Revenue: what comes in and what goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from common.web.schemas import ApiSchema
from ticketing_service.schemas.documents import Document, money
from ticketing_service.schemas.values import Day, Money
from ticketing_service.storage.ports.ledger import RevenueQuery, RevenueRow

GROUPS = ("day", "ticket", "type", "unit", "channel", "reseller")
CSV_COLUMNS = ("key", "currency", "bookings", "units", "sales", "fees", "refunds", "commission")


class RevenueFilter(ApiSchema):
    """Days are UTC days, both included; at most 366."""

    class Meta:
        include = {  # noqa: RUF012 - `from` is no name in Python
            "from": Day(attribute="day_from", data_key="from", required=True),
            "to": Day(attribute="day_to", data_key="to", required=True),
        }

    group_by = fields.String(load_default="day", validate=validate.OneOf(GROUPS))
    ticket_id = fields.UUID(load_default=None)
    reseller_id = fields.UUID(load_default=None)


class RevenueOut(ApiSchema):
    """`sales` and `fees` are what was captured, `refunds` what was given back of it."""

    key = fields.String(required=True)
    bookings = fields.Integer(required=True)
    units = fields.Integer(required=True)
    sales = fields.Nested(Money, required=True)
    fees = fields.Nested(Money, required=True)
    refunds = fields.Nested(Money, required=True)
    commission = fields.Nested(Money, required=True)


class RevenueList(ApiSchema):
    data = fields.List(fields.Nested(RevenueOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


def revenue_query(values: Mapping[str, Any]) -> RevenueQuery:
    return RevenueQuery(**values)


def revenue_document(rows: tuple[RevenueRow, ...]) -> Document:
    """As `RevenueList` says."""
    return {"data": [_row(row) for row in rows], "nextCursor": None}


def revenue_line(row: RevenueRow) -> tuple[Any, ...]:
    """One line of the CSV, in the order of `CSV_COLUMNS`; amounts in minor units."""
    return tuple(getattr(row, name) for name in CSV_COLUMNS)


def _row(row: RevenueRow) -> Document:
    return {
        "key": row.key,
        "bookings": row.bookings,
        "units": row.units,
        "sales": money(row.sales, row.currency),
        "fees": money(row.fees, row.currency),
        "refunds": money(row.refunds, row.currency),
        "commission": money(row.commission, row.currency),
    }
