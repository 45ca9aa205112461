"""The JSON form: sums, percentiles, and what a reset does to them."""

from __future__ import annotations

import logging
import random
from datetime import timedelta

import orjson
import pytest

from common.coordination.embedded import EmbeddedCoordination
from common.monitoring.metrics.baseline import EPOCH
from common.monitoring.metrics.definitions import REQUEST_BUCKETS
from common.monitoring.metrics.view import percentile
from tests.metrics.measured_app import OPERATOR, make_app
from tests.metrics.scraping import counts_only, samples
from tests.metrics.test_names import use_all
from ticketing_service.metrics import TicketingMetrics

INFINITE = float("inf")


def answered(metrics, number, seconds=0.01):
    for _ in range(number):
        metrics.request_answered("GET", "/x", 200, seconds)


def test_the_form_has_the_promised_members(metrics, clock):
    use_all(metrics, clock)
    answered(metrics, 99)
    metrics.request_answered("POST", "/x", 503, 0.01)
    clock.now += timedelta(seconds=10)
    document = metrics.metrics_document()
    assert list(document) == [
        *("timestamp", "since", "http", "bookings", "revenue", "tickets", "availability"),
        *("cache", "database", "circuitBreakers", "external"),
    ]
    http = document["http"]
    assert (http["requests"], http["errors"], http["ratePerSecond"]) == (101, 1, 10.1)
    assert http["routes"]["POST /x"]["errors"] == 1
    assert document["cache"]["tickets"] == {"hit": 1, "hitRate": 1.0}
    assert document["database"]["operations"]["bookings.hold"]["count"] == 1
    assert document["circuitBreakers"]["database"] == {
        "state": "OPEN",
        "calls": {"failure": 1},
        "transitions": 1,
    }
    assert document["external"]["payment-api"]["count"] == 1
    assert document["tickets"]["viewedByCity"] == {"Gent": 1}
    orjson.dumps(document)


def test_percentiles_of_a_known_distribution_are_close(metrics):
    """Log-normal around 60 ms: the error of interpolating stays within the bucket that it falls into."""
    chance = random.Random(7)
    seconds = sorted(chance.lognormvariate(-2.8, 0.6) for _ in range(20_000))
    for each in seconds:
        metrics.request_answered("GET", "/x", 200, each)
    http = metrics.metrics_document()["http"]
    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        true = seconds[int(share * len(seconds))]
        assert http[name] == pytest.approx(true, rel=0.1)
        assert sum(bound < true for bound in REQUEST_BUCKETS) == sum(b < http[name] for b in REQUEST_BUCKETS)


@pytest.mark.parametrize(
    "buckets, share, expected",
    [
        ([(1, 0), (INFINITE, 0)], 0.5, None),
        ([(1, 10), (2, 0), (INFINITE, 0)], 0.5, 0.5),
        ([(1, 10), (2, 10), (INFINITE, 0)], 0.5, 1.0),
        ([(1, 10), (2, 10), (INFINITE, 0)], 0.75, 1.5),
        ([(1, 0), (2, 4), (INFINITE, 0)], 1.0, 2.0),
        ([(1, 1), (2, 0), (4, 1), (INFINITE, 0)], 0.99, 3.96),
        ([(1, 1), (2, 0), (INFINITE, 99)], 0.99, 2.0),
    ],
)
def test_percentiles_lie_where_prometheus_puts_them(buckets, share, expected):
    assert percentile(buckets, share) == (None if expected is None else pytest.approx(expected))


def test_a_reset_counts_anew_and_prometheus_goes_on(metrics, clock, folder):
    answered(metrics, 5, 0.3)
    clock.now += timedelta(seconds=60)
    before = counts_only(samples(metrics.prometheus_text()[0].decode()))
    assert metrics.reset() == clock.now
    clock.now += timedelta(seconds=4)
    answered(metrics, 2, 0.003)
    document = metrics.metrics_document()
    assert document["since"] == "2026-05-01T12:01:00.000Z"
    assert (document["http"]["requests"], document["http"]["ratePerSecond"]) == (2, 0.5)
    assert document["http"]["p99"] < 0.01
    after = counts_only(samples(metrics.prometheus_text()[0].decode()))
    assert not [name for name, number in before.items() if after[name] < number]
    assert after['ticketing_http_requests_total{method="GET",route="/x",status="200"}'] == 7


def test_a_reset_on_another_machine_is_followed_by_who_sees_it_first(metrics, clock, tmp_path):
    other = EmbeddedCoordination(tmp_path / "coordination")
    answered(metrics, 5)
    other.bump(EPOCH)
    clock.now += timedelta(seconds=3)
    metrics.look_after()
    answered(metrics, 1)
    assert metrics.metrics_document()["http"]["requests"] == 1
    second = TicketingMetrics(tmp_path, clock=clock)
    second.attach(other)
    assert second.metrics_document()["http"]["requests"] == 1
    assert second.metrics_document()["since"] == metrics.metrics_document()["since"]
    second.close()
    other.close()


def test_it_counts_since_the_first_start_and_over_restarts(metrics, clock, tmp_path):
    answered(metrics, 5)
    metrics.close()
    clock.now += timedelta(days=1)
    again = TicketingMetrics(tmp_path, clock=clock)
    coordination = EmbeddedCoordination(tmp_path / "coordination")
    again.attach(coordination)
    assert again.metrics_document()["since"] == "2026-05-01T12:00:00.000Z"
    assert again.metrics_document()["http"]["requests"] == 5
    again.close()
    coordination.close()


def test_epochs_that_began_anew_do_not_hold_up_a_reset(metrics, clock, tmp_path):
    for _ in range(3):
        metrics.reset()
    metrics.close()
    coordination = EmbeddedCoordination(tmp_path / "another")
    metrics.attach(coordination)
    answered(metrics, 5)
    coordination.bump(EPOCH)
    assert metrics.metrics_document()["http"]["requests"] == 0
    coordination.close()


@pytest.mark.parametrize("content", [b"", b"{}", b'{"epoch":1,"since":"never","numbers":{}}', b"[]"])
def test_a_damaged_baseline_fails_nothing(metrics, folder, caplog, content):
    answered(metrics, 5)
    (folder / "baseline.json").write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert metrics.metrics_document()["http"]["requests"] == 5
    metrics.reset()
    assert metrics.metrics_document()["http"]["requests"] == 0


def test_a_reset_without_a_disk_holds_in_this_process(tmp_path, clock, caplog):
    (tmp_path / "metrics").write_text("in the way")
    metrics = TicketingMetrics(tmp_path, clock=clock)
    coordination = EmbeddedCoordination(tmp_path / "coordination")
    metrics.attach(coordination)
    clock.now += timedelta(seconds=5)
    assert metrics.reset() == clock.now
    assert metrics.metrics_document()["since"] == "2026-05-01T12:00:05.000Z"
    assert metrics.prometheus_text()[0].startswith(b"# HELP")
    metrics.close()
    coordination.close()


def test_an_operators_reset_leaves_a_line(tmp_path, caplog):
    app = make_app(tmp_path)
    with caplog.at_level(logging.INFO, logger="audit"):
        assert app.test_client().post("/metrics/reset").status_code == 401
        assert caplog.records == []
        assert app.test_client().post("/metrics/reset", headers=OPERATOR).status_code == 200
    (record,) = caplog.records
    assert (record.audit, record.actor) == ("metrics/reset", "operator:key")
