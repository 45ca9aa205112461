"""What the admin service tells of itself on MongoDB."""

from __future__ import annotations

import pytest

from tests.http.admin.desk import Desk
from tests.servers.process import eventually

pytestmark = pytest.mark.parametrize(
    "any_desk", [pytest.param("mongodb", marks=pytest.mark.mongodb)], indirect=True
)


def test_health_names_the_kind_of_database(any_desk: Desk) -> None:
    def database() -> tuple[str, str]:
        found = any_desk.call("GET", "/monitoring/health").json["checks"]["database"]
        return found["status"], found["type"]

    eventually(lambda: database() == ("healthy", "mongodb"), seconds=60)


def test_commands_of_the_driver_are_in_the_metrics(any_desk: Desk) -> None:
    any_desk.call("GET", "/users", role="platform_admin")
    operations = any_desk.call("GET", "/monitoring/metrics").json["database"]["operations"]
    assert operations["command.find"]["count"] > 0
    assert operations["users.page"]["count"] == 1
