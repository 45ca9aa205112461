"""Reads what deploy/ holds for Prometheus and Grafana: alerts, expressions, and the metrics they name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from tests.servers.process import ROOT

RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
CONFIGURATION = ROOT / "deploy" / "prometheus" / "prometheus.yml"
GRAFANA = ROOT / "deploy" / "grafana"
DASHBOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))

_NAME_MATCHER = re.compile(r'__name__\s*=~?\s*"([^"]+)"')
# In the order of their removal: what may hold a word that is no metric.
_NOT_METRICS = (
    re.compile(r'"[^"]*"'),
    re.compile(r"\{[^}]*\}"),
    re.compile(r"\[[^\]]*\]"),
    re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"),
    re.compile(r"\b[a-z_0-9]+\s*(?=\()"),
    re.compile(r"\b(?:and|or|unless|bool|offset|by|on)\b"),
)
_METRIC = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alerting rule."""

    name: str
    expr: str
    severity: str
    annotations: Mapping[str, str]


def read_yaml(path: Path) -> Any:
    """The document in a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def rules() -> list[dict[str, Any]]:
    """All rules, recording and alerting, in their order."""
    return [rule for group in read_yaml(RULES)["groups"] for rule in group["rules"]]


def alerts() -> list[Alert]:
    """The alerting rules."""
    return [
        Alert(
            name=rule["alert"],
            expr=rule["expr"],
            severity=rule["labels"]["severity"],
            annotations=rule["annotations"],
        )
        for rule in rules()
        if "alert" in rule
    ]


def recorded() -> set[str]:
    """The names that the recording rules make."""
    return {rule["record"] for rule in rules() if "record" in rule}


def panels(dashboard: Path) -> Iterator[dict[str, Any]]:
    """The panels of a dashboard, rows left out."""
    for panel in json.loads(dashboard.read_text(encoding="utf-8"))["panels"]:
        if panel["type"] != "row":
            yield panel


def queries(dashboard: Path) -> list[str]:
    """The PromQL of all panels, with Grafana's own variable filled in."""
    return [
        target["expr"].replace("$__rate_interval", "5m")
        for panel in panels(dashboard)
        for target in panel["targets"]
    ]


def metrics_in(expr: str) -> set[str]:
    """The metrics that a PromQL expression names, those of a `__name__` matcher too."""
    named = {name for found in _NAME_MATCHER.findall(expr) for name in found.split("|")}
    for pattern in _NOT_METRICS:
        expr = pattern.sub(" ", expr)
    return named | set(_METRIC.findall(expr))
