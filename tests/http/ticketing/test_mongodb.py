"""What the service tells of itself on MongoDB."""

from __future__ import annotations

import pytest

from tests.http.ticketing.shop import Shop

pytestmark = [
    pytest.mark.mongodb,
    pytest.mark.parametrize("any_shop", ["mongodb"], indirect=True),
]


def test_commands_are_in_the_metrics_beside_the_verbs_that_sent_them(any_shop: Shop) -> None:
    any_shop.ticket()
    text = any_shop.call("GET", "/monitoring/metrics/prometheus").get_data(as_text=True)
    for operation in ("catalogue.create", "command.insert", "command.commitTransaction"):
        name = "ticketing_database_query_duration_seconds_count"
        assert f'{name}{{operation="{operation}"}}' in text
    assert "ticketing_database_pool_in_use" in text


def test_health_calls_the_database_by_its_name(any_shop: Shop) -> None:
    checks = any_shop.call("GET", "/monitoring/health").json["checks"]
    assert checks["database"]["type"] == "mongodb"
