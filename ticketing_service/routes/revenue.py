"""Revenue, for finance."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

from common.auth.policy import roles
from common.monitoring.operating import PartsSource
from common.web.api import Api
from common.web.files import CSV, csv_answer
from ticketing_service.actions import revenue
from ticketing_service.invalidation import BOOKS
from ticketing_service.routes.calling import PREFIX, PortsSource
from ticketing_service.schemas.documents import rendered
from ticketing_service.schemas.revenue import (
    CSV_COLUMNS,
    RevenueFilter,
    RevenueList,
    revenue_document,
    revenue_line,
    revenue_query,
)

FINANCE = roles("finance")


def revenue_api(ports: PortsSource, parts: PartsSource) -> Api:
    api = Api("revenue", PREFIX)

    def document_of(query: dict[str, Any]) -> bytes:
        return rendered(revenue_document(revenue.find_revenue(revenue_query(query), ports())))

    @api.route(
        "GET", "/revenue", who=FINANCE, query=RevenueFilter, answer=RevenueList,
        problems=("INVALID_PERIOD",), summary="Revenue by day, ticket, type, unit, channel or reseller",
    )  # fmt: skip
    def find(query: dict[str, Any]) -> bytes:
        key = orjson.dumps(query, default=str, option=orjson.OPT_SORT_KEYS).decode()
        found: bytes = parts().caches.read("statistics", key, (BOOKS,), lambda: document_of(query))
        return found

    @api.route(
        "GET", "/revenue/export.csv", who=FINANCE, query=RevenueFilter, produces=CSV,
        problems=("INVALID_PERIOD",), summary="The same as a file; amounts in minor units",
    )  # fmt: skip
    def export(query: dict[str, Any]) -> Response:
        rows = revenue.find_revenue(revenue_query(query), ports())
        return csv_answer(CSV_COLUMNS, map(revenue_line, rows), "revenue.csv")

    return api
