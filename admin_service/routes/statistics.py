"""Figures for a dashboard."""

from __future__ import annotations

from typing import Any

from admin_service.actions import statistics
from admin_service.routes.calling import PREFIX, PortsSource, allowed
from admin_service.schemas.statistics import StatisticsFilter, StatisticsOut, statistics_document
from common.caching.entries import Loaded
from common.monitoring.operating import PartsSource
from common.web.api import Api
from common.web.documents import rendered


def statistics_api(ports: PortsSource, parts: PartsSource) -> Api:
    api = Api("statistics", PREFIX)

    def loaded(days: int) -> Loaded:
        found = statistics.show_statistics(days, ports())
        # One without sales is for who asks now, and not for the next ten minutes.
        return Loaded(value=rendered(statistics_document(found)), keep=found.sales is not None)

    @api.route(
        "GET", "/stats", who=allowed("stats:read"), query=StatisticsFilter, answer=StatisticsOut,
        summary="Points of interest, sign-ins, media, sales; counted anew every ten minutes",
    )  # fmt: skip
    def show(query: dict[str, Any]) -> bytes:
        days = query["days"]
        found: bytes = parts().caches.read("statistics", f"dashboard:{days}", (), lambda: loaded(days))
        return found

    return api
