"""What rules and dashboards name exists: metrics, buckets, jobs, data sources."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from admin_service import metrics as admin
from tests.deploy.names import bounds, series_names
from tests.deploy.reading import DASHBOARDS, GRAFANA, metrics_in, panels, queries, read_yaml, recorded, rules
from tests.deploy.test_rules import promtool
from ticketing_service import metrics as ticketing

PANELS = {
    "ticketing": ("Bookings", "Revenue", "Availability", "Response", "Cache", "Breakers"),
    "admin": ("POIs", "Sign-ins and sessions", "Uploads", "Response", "Cache", "Breakers"),
}


def test_every_metric_in_the_rules_exists() -> None:
    known = series_names() | recorded()
    for rule in rules():
        assert metrics_in(rule["expr"]), rule
        assert metrics_in(rule["expr"]) <= known, rule


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_every_metric_in_a_dashboard_exists(dashboard: Path) -> None:
    known = series_names() | recorded()
    for query in queries(dashboard):
        assert metrics_in(query), query
        assert metrics_in(query) <= known, query


@pytest.mark.parametrize(
    "expr, named",
    [
        ('sum by (job, up) (rate(a_total{x="b_c"}[5m])) / on (job) d:e:rate5m', {"a_total", "d:e:rate5m"}),
        ('max({__name__=~"a_x|b_x", name="y"}) > 0 unless on (job) c == 2 * 1024 ^ 3', {"a_x", "b_x", "c"}),
        ("time() - histogram_quantile(0.99, a_bucket) or absent(b)", {"a_bucket", "b"}),
    ],
)
def test_metrics_are_found_in_expressions(expr: str, named: set[str]) -> None:
    assert metrics_in(expr) == named


def test_the_latency_objective_is_a_bucket() -> None:
    text = " ".join(rule["expr"] for rule in rules())
    assert set(re.findall(r'le="([^"]+)"', text)) == {"0.5"} <= bounds("http_request_duration_seconds")


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_every_query_of_a_dashboard_is_promql(dashboard: Path, tmp_path: Path) -> None:
    found = [
        {"record": f"panel:query:{number}", "expr": expr} for number, expr in enumerate(queries(dashboard))
    ]
    document = tmp_path / "rules.json"
    document.write_text(json.dumps({"groups": [{"name": "panels", "rules": found}]}))
    done = promtool("check", "rules", document)
    assert done.returncode == 0, done.stdout
    assert f"{len(found)} rules found" in done.stdout
    assert len(found) > 20


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_has_its_panels_in_their_places(dashboard: Path) -> None:
    document = json.loads(dashboard.read_text())
    rows = [panel["title"] for panel in document["panels"] if panel["type"] == "row"]
    assert tuple(rows[: len(PANELS[dashboard.stem])]) == PANELS[dashboard.stem]
    assert len({panel["id"] for panel in document["panels"]}) == len(document["panels"])
    source = read_yaml(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"][0]["uid"]
    taken: set[tuple[int, int]] = set()
    for panel in panels(dashboard):
        assert panel["datasource"] == {"type": "prometheus", "uid": source}
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_there_is_a_dashboard_for_each_service() -> None:
    assert [path.stem for path in DASHBOARDS] == sorted(PANELS)


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_asks_for_its_own_service(dashboard: Path) -> None:
    other = {"ticketing": "admin", "admin": "ticketing"}[dashboard.stem]
    for query in queries(dashboard):
        assert f"{other}_" not in query
        assert f'job="{other}"' not in query


def test_jobs_that_alerts_name_are_on_the_timetable() -> None:
    for service in (ticketing, admin):
        text = (Path(str(service.__file__)).parent / "tasks.py").read_text()
        jobs = set(re.findall(r'Job\("([a-z-]+)"', text))
        named = {
            name
            for rule in rules()
            for name in re.findall(rf'{service.PREFIX}job_\w+{{exported_job!?="([^"]+)"', rule["expr"])
        }
        assert named
        assert named <= jobs


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda path: path.stem)
def test_every_business_metric_is_on_its_dashboard(dashboard: Path) -> None:
    service = {"ticketing": ticketing, "admin": admin}[dashboard.stem]
    shown = set().union(*map(metrics_in, queries(dashboard)))
    assert {f"{service.PREFIX}{each.name}" for each in service.DEFINITIONS} <= shown
