"""Each alert fires when it must and is silent when it must not; promtool evaluates the rules."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from demo.run import DEFAULT_PORTS, procfile
from tests.deploy.cases import CASES
from tests.deploy.reading import CONFIGURATION, RULES, Alert, alerts, read_yaml
from tests.deploy.series import Case, Heard

ALERTS = {alert.name: alert for alert in alerts()}


def promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run promtool; what it says is in `stdout`."""
    return subprocess.run(
        ["promtool", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_configuration_and_the_rules_are_valid() -> None:
    done = promtool("check", "config", CONFIGURATION)
    assert done.returncode == 0, done.stdout
    assert "SUCCESS: 1 rule files found" in done.stdout
    # It exits with 0 when rules only look wrong (the same one twice): that is a fault here.
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alert}: {case.when}")
def test_an_alert_is_heard_when_it_must_be(case: Case, tmp_path: Path) -> None:
    document = tmp_path / "test.json"
    document.write_text(json.dumps(as_promtool_test(case)))
    done = promtool("test", "rules", document)
    assert done.returncode == 0, done.stdout


def test_every_alert_is_tested_for_firing_and_for_silence() -> None:
    assert {case.alert for case in CASES if case.fires} == ALERTS.keys()
    assert {case.alert for case in CASES if not case.fires} == ALERTS.keys()


def test_counts_are_made_at_the_interval_that_they_assume() -> None:
    groups = {group["name"]: group for group in read_yaml(RULES)["groups"]}
    assert {groups[name]["interval"] for name in ("requests", "ratios")} == {"1m"}
    counts = [rule["expr"] for rule in groups["ratios"]["rules"] if ":count" in rule["record"]]
    assert len(counts) == 4
    assert all(expr.startswith("60 * ") for expr in counts)


def test_every_alert_says_what_is_needed() -> None:
    assert len(ALERTS) == len(alerts()) > 15
    for alert in ALERTS.values():
        assert alert.severity in ("critical", "warning")
        assert alert.annotations.keys() == {"summary", "description", "runbook_url"}
        assert all(alert.annotations.values())


def test_each_service_that_make_run_starts_is_scraped_where_it_listens() -> None:
    wanted = {
        (service, f"127.0.0.1:{DEFAULT_PORTS[f'{service.upper()}_PORT']}")
        for _, env in procfile().values()
        if (service := env.get("SERVICE"))
    }
    scrapes = read_yaml(CONFIGURATION)["scrape_configs"]
    assert {(each["job_name"], each["static_configs"][0]["targets"][0]) for each in scrapes} == wanted
    prefixes = {"ticketing": "/api/v1", "admin": "/api/admin"}
    for each in scrapes:
        assert each["metrics_path"] == f"{prefixes[each['job_name']]}/monitoring/metrics/prometheus"


def as_promtool_test(case: Case) -> Mapping[str, Any]:
    """The case in the form that promtool takes (JSON is YAML)."""
    alert = ALERTS[case.alert]
    return {
        "rule_files": [str(RULES)],
        # promtool evaluates every group at this one interval: that of the groups that count by it.
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
                "alert_rule_test": [
                    {
                        "eval_time": case.after,
                        "alertname": case.alert,
                        "exp_alerts": [expected(alert, heard) for heard in case.fires],
                    }
                ],
            }
        ],
    }


def expected(alert: Alert, heard: Heard) -> Mapping[str, Any]:
    """What promtool is to find of an alert that fires."""
    description = re.sub(
        r"\{\{ \$labels\.(\w+) \}\}", lambda found: heard.labels[found[1]], alert.annotations["description"]
    )
    return {
        "exp_labels": {"severity": alert.severity, **heard.labels},
        "exp_annotations": {**alert.annotations, "summary": heard.summary, "description": description},
    }
