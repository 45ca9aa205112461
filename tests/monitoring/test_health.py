"""What makes the service degraded, and that it goes on meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from common.clock import system_clock
from tests.monitoring.watched import GUEST, Watched
from tests.servers.process import eventually
from tests.servers.redis import RedisServer


def is_degraded(service: Watched, name: str) -> None:
    """Everybody says so, with 200; the service is ready and answers."""
    service.wait_for_check(name, "degraded")
    for answer in service.everywhere("/health", GUEST).values():
        assert (answer.status, answer.json["status"]) == (200, "degraded")
        assert answer.json["checks"]["database"]["status"] == "healthy"
    for answer in service.everywhere("/ready", GUEST).values():
        assert answer.status == 200
    for answer in service.everywhere("/api/v1/tickets", GUEST).values():
        assert answer.status == 200


@pytest.fixture
def stopped_worker(service: Watched) -> Iterator[Watched]:
    """The service while its worker hangs."""
    service.stack.worker.pause()
    yield service
    service.stack.worker.resume()
    service.wait_for_check("worker", "healthy")
    assert service.stack.worker.running  # to have been frozen is no order to end
    assert service.stack.worker.pid in service.rows("mail")


def test_a_worker_that_is_not_heard_of_for_15_seconds_is_late(stopped_worker: Watched) -> None:
    service = stopped_worker
    # The clock cannot be turned; that it beat last a while ago can be written down.
    service.running.database.worker_beat(system_clock() - timedelta(seconds=16))
    is_degraded(service, "worker")
    assert service.check("worker")["heartbeatAgeSeconds"] > 15


@pytest.mark.parametrize("breaker", ["automatic", "forced_open"])
@pytest.mark.parametrize(
    "service", [pytest.param("redis", marks=pytest.mark.xdist_group("monitoring-redis"))], indirect=True
)
def test_redis_away_is_degraded_whatever_its_breaker_says(
    service: Watched, redis: RedisServer, breaker: str
) -> None:
    body = {"mode": breaker, "reason": "a test"}
    assert service.ask("PUT", "/circuit-breakers/cache", body).status == 200
    service.wait_for_check("cache", "healthy")
    redis.pause()
    try:
        is_degraded(service, "cache")
        answer = service.ask("GET", "/health", headers=GUEST)
        assert answer.json["checks"]["cache"] == {"status": "degraded", "type": "redis"}
        assert "error" in service.check("cache")
        for answer in service.everywhere("/cache/stats").values():
            assert answer.json["cache"]["connected"] is False or breaker == "forced_open"
        # An operator's acts need no Redis on the machine on which they are done.
        assert service.ask("POST", "/circuit-breakers/cache/reset").status == 200
        assert service.ask("POST", "/cache/flush", {}).status == 200
        assert service.ask("POST", "/metrics/reset").status == 200
    finally:
        redis.resume()
    service.wait_for_check("cache", "healthy")
    assert (
        service.ask("PUT", "/circuit-breakers/cache", {"mode": "automatic", "reason": "done"}).status == 200
    )
    service.wait_for_check("circuitBreakers", "healthy")
    eventually(lambda: service.ask("GET", "/cache/stats").json["cache"]["connected"], what="Redis being used")
