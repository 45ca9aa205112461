"""Health, ready, live and info, as seen by a stranger and by an operator."""

from __future__ import annotations

import os
import struct
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask

from common.auth.authenticator import Authenticator, token_invalid
from common.coordination.embedded import EmbeddedCoordination
from common.monitoring.blueprint import Monitoring, monitoring
from common.monitoring.checks import Check, Result, Runner, timed
from common.monitoring.memory import (
    announce_worker,
    limit_bytes,
    memory_check,
    used_bytes,
    workers_here,
)
from common.web import problems, security

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
OPERATOR = {"Authorization": "Bearer " + "o" * 32}


class NoTokens:
    """No access token is good here."""

    def caller(self, token):
        raise token_invalid()


class Site:
    """A service whose parts can be broken by hand."""

    def __init__(self):
        self.time, self.draining, self.broken = 100.0, False, False
        database = Check(
            name="database", run=timed(self.ask, type="sqlite"), vital=True, first={"type": "sqlite"}
        )
        worker = Check(name="worker", run=lambda: Result("degraded" if self.time > 150 else "healthy"))
        self.runner = Runner(
            [database, worker, memory_check(os.getpid(), tuple)], monotonic=lambda: self.time
        )
        watched = Monitoring(
            service_name="ticketing-module",
            version="1.0",
            environment="test",
            runner=self.runner,
            started_at=NOW - timedelta(seconds=90),
            draining=lambda: self.draining,
            clock=lambda: NOW,
        )
        self.app = Flask(__name__, static_folder=None)
        security.install(self.app)
        problems.install(self.app, {})
        self.app.extensions["authenticator"] = Authenticator(NoTokens(), operator_keys=("o" * 32,))
        monitoring("/m", watched).register(self.app)

    def ask(self):
        if self.broken:
            raise ConnectionError("no route to db.internal:3306")

    def check(self):
        for check in self.runner.checks:
            self.runner.run_once(check)

    def get(self, name, **options):
        return self.app.test_client().get(f"/m/{name}", **options)


@pytest.fixture
def site():
    return Site()


def test_health_has_the_promised_shape(site):
    site.check()
    answer = site.get("health")
    assert answer.status_code == 200
    body = answer.json
    assert list(body) == ["status", "service", "version", "uptime", "timestamp", "environment", "checks"]
    assert (body["status"], body["service"], body["uptime"]) == ("healthy", "ticketing-module", 90.0)
    assert body["timestamp"] == "2026-05-01T12:00:00.000Z"
    assert body["checks"]["database"].keys() == {"status", "type", "responseTimeMs"}
    assert body["checks"]["memory"]["heapUsed"].endswith(" MB")
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_late_worker_is_degraded_and_a_dead_database_unhealthy(site):
    site.time = 151
    site.check()
    assert (site.get("health").status_code, site.get("health").json["status"]) == (200, "degraded")
    site.broken = True
    site.check()
    answer = site.get("health")
    assert (answer.status_code, answer.json["status"]) == (503, "unhealthy")
    assert answer.json["checks"]["database"] == {"status": "unhealthy", "type": "sqlite"}


def test_error_texts_are_for_operators_only(site):
    site.broken = True
    site.check()
    assert "db.internal" not in site.get("health").text
    assert "db.internal" in site.get("health", headers=OPERATOR).text
    assert site.get("health", headers={"Authorization": "Bearer " + "p" * 32}).status_code == 401


def test_ready_needs_a_first_contact_and_forgives_ten_seconds(site):
    assert site.get("ready").status_code == 503
    site.check()
    assert site.get("ready").status_code == 200
    site.broken = True
    site.time += 10
    site.check()
    assert site.get("ready").status_code == 200
    site.time += 0.1
    assert site.get("ready").status_code == 503
    assert site.get("live").status_code == 200


def test_a_draining_service_is_not_ready_but_lives(site):
    site.check()
    site.draining = True
    assert site.get("ready").status_code == 503
    assert site.get("live").json == {"status": "alive"}


def test_a_hung_check_is_not_taken_for_health(site):
    site.check()
    site.time += 12.1
    assert site.get("health").json["checks"]["database"]["status"] == "unhealthy"


def test_info_names_what_runs(site):
    body = site.get("info").json
    assert (body["service"], body["version"], body["startedAt"]) == (
        "ticketing-module",
        "1.0",
        "2026-05-01T11:58:30.000Z",
    )


def test_one_check_that_hangs_does_not_hold_up_another():
    release, seen = threading.Event(), threading.Event()

    def hang():
        release.wait(30)
        return Result("healthy")

    def pass_by():
        seen.set()
        return Result("healthy")

    runner = Runner([Check(name="slow", run=hang), Check(name="quick", run=pass_by, interval_seconds=0.01)])
    runner.start()
    try:
        assert seen.wait(30)
    finally:
        release.set()
        runner.stop()


def test_memory_is_measured():
    assert 1_000_000 < used_bytes(os.getpid()) < limit_bytes()


def test_the_memory_of_an_announced_worker_counts_in(tmp_path):
    with closing(EmbeddedCoordination(tmp_path)) as coordination:
        assert workers_here(coordination) == ()
        announce_worker(coordination)
        assert workers_here(coordination) == (os.getpid(),)
        elsewhere = struct.pack("<QQ", os.getpid(), 1)
        coordination.publish("workers", elsewhere)
        assert workers_here(coordination) == ()
    alone, together = (
        int(str(memory_check(os.getpid(), workers).run().facts["heapUsed"]).split()[0])
        for workers in (tuple, lambda: (os.getpid(),))
    )
    assert together > alone
