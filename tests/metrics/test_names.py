"""Names and labels are the promised ones, and stay few."""

from __future__ import annotations

import random
import string
import subprocess
from types import SimpleNamespace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as text_families

from admin_service import metrics as admin
from common.monitoring.metrics.bounded import MOST_VALUES, OTHER, BoundedLabel
from tests.counts import counts
from tests.metrics.measured_app import make_app
from tests.metrics.scraping import samples
from ticketing_service.domain.webhooks import Backlog
from ticketing_service.metrics import TicketingMetrics

PROMISED = {
    "http_requests_total": {"method", "route", "status"},
    "http_request_duration_seconds": {"method", "route"},
    "http_requests_in_flight": set(),
    "threads_busy": set(),
    "cache_requests_total": {"region", "result"},
    "database_query_duration_seconds": {"operation"},
    "database_pool_in_use": set(),
    "circuit_breaker_state": {"name"},
    "circuit_breaker_transitions_total": {"name", "from", "to"},
    "circuit_breaker_calls_total": {"name", "outcome"},
    "external_request_duration_seconds": {"service"},
    "outbox_pending": set(),
    "outbox_oldest_age_seconds": set(),
    "worker_heartbeat_timestamp_seconds": set(),
    "job_last_success_timestamp_seconds": {"job"},
    "bookings_total": {"outcome"},
    "revenue_minor_units_total": {"currency", "ticket_type"},
    "refunds_minor_units_total": {"currency"},
    "tickets_viewed_total": {"category", "city"},
    "tickets_searched_total": set(),
    "availability_checks_total": set(),
    "availability_updates_total": set(),
    "sold_out_total": set(),
    "poi_copy_age_seconds": set(),
    # beyond the contract: the alerts need them
    "capacity_drift": set(),
    "webhooks_pending": set(),
    "webhooks_oldest_age_seconds": set(),
    "webhooks_dead": set(),
    "threads_limit": set(),
    "data_free_bytes": set(),
}

ADMIN_PROMISED = {
    "pois": {"status"},
    "pois_changes_total": {"change"},
    "logins_total": {"outcome"},
    "active_sessions": set(),
    "uploads_total": {"outcome", "type"},
    "uploads_bytes_total": set(),
    "config_updates_total": {"key"},
    "backup_last_success_timestamp_seconds": set(),
    "backup_last_result": set(),
    "restore_drill_last_success_timestamp_seconds": set(),
    "restore_drill_last_result": set(),
}
"""What the admin service measures besides."""


def use_all(metrics: TicketingMetrics, clock) -> None:
    """Record something in every metric."""
    metrics.request_begins()
    metrics.request_answered("GET", "/x", 200, 0.01)
    metrics.request_ends()
    metrics.cache("tickets", "hit")
    metrics.database_query("bookings.hold", 0.01)
    metrics.pool_in_use(2)
    metrics.threads(8)
    metrics.counters_checked(0)
    metrics.webhooks(Backlog(pending=3, oldest_seconds=2.0, dead=1))
    metrics.breaker_state("database", 2)
    metrics.breaker_transition("database", "CLOSED", "OPEN")
    metrics.breaker_call("database", "failure")
    metrics.external("payment-api", 0.2)
    metrics.outbox(1, 5.0)
    metrics.heartbeat(clock())
    metrics.job_succeeded("expire", clock())
    metrics.counter("revenue_minor_units_total").labels("EUR", "single").inc(1)
    metrics.counter("refunds_minor_units_total").labels("EUR").inc(1)
    metrics.ticket_viewed("museum", "Gent")
    metrics.poi_copy_current(clock())


def test_names_and_labels_are_those_of_the_contract(metrics, clock):
    use_all(metrics, clock)
    assert {each.name: set(each.labels) for each in metrics.definitions} == PROMISED
    found = {
        family.name.removeprefix("ticketing_") + ("_total" if family.type == "counter" else ""): {
            label for sample in family.samples for label in sample.labels
        }
        - {"le"}
        for family in text_families(metrics.prometheus_text()[0].decode())
    }
    assert found == PROMISED


def test_those_of_the_admin_service_are_the_promised_ones():
    assert {each.name: set(each.labels) for each in admin.DEFINITIONS} == ADMIN_PROMISED


def test_promtool_finds_nothing_to_say(metrics, clock):
    use_all(metrics, clock)
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=metrics.prometheus_text()[0], capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_openmetrics_is_spoken_to_whom_asks_for_it(metrics, clock):
    use_all(metrics, clock)
    text, content_type = metrics.prometheus_text("application/openmetrics-text;version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert len(list(text_string_to_metric_families(text.decode()))) == len(PROMISED)
    assert metrics.prometheus_text("text/plain")[1].startswith("text/plain")


@pytest.fixture
def attached_app(tmp_path):
    """As in a worker."""
    app = make_app(tmp_path)
    app.extensions["post_fork"]()
    yield app
    app.extensions["metrics"].close()


def test_random_paths_and_methods_make_no_new_series(attached_app):
    app = attached_app
    client, metrics, chance = app.test_client(), app.extensions["metrics"], random.Random(1)
    client.open("/nowhere", method="BREW")
    client.get("/nowhere")
    client.get("/things/1")
    client.post("/things/1")
    before = {name for name in samples(metrics.prometheus_text()[0].decode()) if "http_" in name}
    for _ in range(counts(1000, 10_000)):
        text = "".join(chance.choices(string.ascii_letters + string.digits + "./%", k=12))
        # a letter first: to the client `//x` is the name of a host
        client.open(f"/{chance.choice(('x', 'things/'))}{text}", method=text[:6].strip("./%") or "X")
        client.get(f"/things/{text.replace('/', '').replace('.', '') or 1}")
    after = {name for name in samples(metrics.prometheus_text()[0].decode()) if "http_" in name}
    statuses = {name.partition("status=")[0] for name in after}
    assert statuses == {name.partition("status=")[0] for name in before}
    assert len(after) - len(before) < 10, "no more than other statuses of the same routes"


def test_a_failing_view_is_counted_as_its_answer(tmp_path):
    app = make_app(tmp_path)
    metrics = app.extensions["metrics"]
    assert app.test_client().get("/broken").status_code == 500
    found = samples(metrics.prometheus_text()[0].decode())
    assert found['ticketing_http_requests_total{method="GET",route="/broken",status="500"}'] == 1
    assert found["ticketing_http_requests_in_flight{}"] == 0
    assert metrics.metrics_document()["http"]["errors"] == 1


def test_a_view_that_is_not_to_be_tracked_is_not(tmp_path):
    app = make_app(tmp_path)
    metrics = app.extensions["metrics"]
    app.add_url_rule("/quiet", view_func=metrics._exporter.do_not_track()(lambda: "ok"), endpoint="quiet")
    assert app.test_client().get("/quiet").status_code == 200
    assert "/quiet" not in metrics.prometheus_text()[0].decode()


def test_labels_from_data_are_so_many_over_all_processes_and_for_good(tmp_path):
    first, second = BoundedLabel(tmp_path, "city"), BoundedLabel(tmp_path, "city")
    for number in range(MOST_VALUES):
        assert (first, second)[number % 2](f"city {number}") == f"city {number}"
    assert (first("one more"), second("another")) == (OTHER, OTHER)
    assert (first("city 1"), second("city 0"), first("x" * 500)) == ("city 1", "city 0", OTHER)
    assert BoundedLabel(tmp_path, "city")("one more") == OTHER


@pytest.mark.parametrize("content", [b"", b"[1, ", b"7"])
def test_labels_from_data_are_bounded_without_a_readable_file_too(tmp_path, content):
    (tmp_path / "values_city.json").write_bytes(content)
    label = BoundedLabel(tmp_path, "city", most=2)
    assert [label(each) for each in "abca"] == ["a", "b", OTHER, "a"]
    nowhere = BoundedLabel(tmp_path / "values_city.json" / "below", "city", most=2)
    assert [nowhere(each) for each in "abca"] == ["a", "b", OTHER, "a"]


def test_a_change_is_counted_once(metrics):
    sale = SimpleNamespace(currency="EUR", ticket_type=None, amount=250)
    change = SimpleNamespace(outcomes={}, sales=(sale,), refunds=(), slots_changed=3, sold_out=True)
    metrics.on_change(change)
    document = metrics.metrics_document()
    assert document["revenue"]["EUR"] == {"sales": 250, "refunds": 0, "byTicketType": {"fee": 250}}
    assert document["availability"]["updates"] == 3
    assert document["availability"]["soldOut"] == 1
