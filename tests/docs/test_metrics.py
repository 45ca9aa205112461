"""The page about metrics names every metric, with its labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from admin_service import metrics as admin
from common.monitoring.metrics.definitions import COMMON, Definition
from tests.metrics.test_names import ADMIN_PROMISED, PROMISED
from tests.servers.process import ROOT
from ticketing_service.metrics import DEFINITIONS, PREFIX

PAGE: Path = ROOT / "docs" / "metrics.md"
NAMED = [
    *[("", each) for each in COMMON],
    *[(PREFIX, each) for each in DEFINITIONS],
    *[(admin.PREFIX, each) for each in admin.DEFINITIONS],
]


@pytest.mark.parametrize("prefix, definition", NAMED, ids=lambda each: getattr(each, "name", ""))
def test_every_metric_is_described(prefix: str, definition: Definition) -> None:
    rows = [
        line for line in PAGE.read_text().splitlines() if line.startswith(f"| `{prefix}{definition.name}`")
    ]
    assert len(rows) == 1
    _, _, kind, labels, meaning, _ = (cell.strip() for cell in rows[0].split("|"))
    assert kind == definition.kind
    assert {label.strip("` ") for label in labels.split(",") if label} == {**PROMISED, **ADMIN_PROMISED}[
        definition.name
    ]
    assert len(meaning) > 10
