"""The page for the night: each alert, breaker and health state is there, and every command exists."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise

import pytest

from admin_service import wiring as admin_wiring
from common.parts import CACHE
from common.resilience.states import MODES
from docs.tables import documented_app
from tests.deploy.reading import Alert, alerts
from tests.servers.process import ROOT
from ticketing_service import wiring

PAGE = "docs/operations.md"
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")

PARTS = ("Customer", "First", "Means", "Fix", "Undo")
BREAKERS = tuple(dict.fromkeys((CACHE, *(spec.name for spec in (*wiring.BREAKERS, *admin_wiring.BREAKERS)))))
REGIONS = tuple(region.name for region in wiring.REGIONS)
# Contract, sections 1 and 6: each check, and each state that is not a matter of course.
STATES = (
    *(f"status: {status}" for status in ("healthy", "degraded", "unhealthy")),
    *("database: unhealthy", "cache: degraded", "circuitBreakers: degraded"),
    *("memory: degraded", "worker: degraded", "backup: degraded"),
    *("ready: waiting", "ready: draining", "live: no answer"),
    *("health/all: degraded", "health/all: unhealthy"),
)
PREFIX = "/api/v1/monitoring/"
GATEWAY = {"GET health/all", "GET services"}


def monitoring() -> set[str]:
    """What the app really answers below its monitoring prefix, such as `PUT circuit-breakers/mail`."""
    rules = [rule for rule in documented_app().url_map.iter_rules() if rule.rule.startswith(PREFIX)]
    return {
        f"{method} {rule.rule.removeprefix(PREFIX).replace('<name>', name)}"
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        for name in BREAKERS
    }


def section(title: str) -> str:
    """What stands under a heading, up to the next one of its level or above."""
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#{{1,3}} |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{PAGE} has no section {title}"
    return found[2]


def rows(title: str) -> dict[str, list[str]]:
    """The table under a heading: its rows' cells by what stands in code marks in the first cell."""
    lines = [line for line in section(title).splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0].split("`")[1]: row for row in cells}


def anchors() -> set[str]:
    """The anchors that GitHub gives the headings."""
    titles = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def commands() -> list[str]:
    """Each curl command on the page, in a block or in a line."""
    code = re.findall(r"```\n(.*?)```", TEXT, re.DOTALL) + re.findall(r"`([^`\n]+)`", TEXT)
    lines = (line for block in code for line in block.splitlines())
    parts = (part.strip() for line in lines for part in re.split(r";|\|| until |#", line))
    return [part.removeprefix("until ") for part in parts if re.match(r"(until )?curl ", part)]


def asked(command: str) -> tuple[str, str]:
    """Base variable, and method with path, of a curl command."""
    words = shlex.split(command)
    base, _, path = next(word for word in words if word.startswith(("$M/", "$G/"))).partition("/")
    method = words[words.index("-X") + 1] if "-X" in words else "POST" if "--json" in words else "GET"
    return base, f"{method} {path}"


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_each_alert_has_its_section_with_all_parts(alert: Alert) -> None:
    text = section(alert.name)
    starts = [text.index(f"- **{part}:**") for part in PARTS]
    assert starts == sorted(starts)
    for start, end in pairwise([*starts, len(text)]):
        assert len(text[start:end].partition(":**")[2].strip(" .\n")) > 5
    assert re.search(r"- \*\*First:\*\* `(curl|df) ", text)


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_each_alert_leads_to_its_own_section(alert: Alert) -> None:
    page, _, anchor = alert.annotations["runbook_url"].partition("#")
    assert page == PAGE
    assert anchor == alert.name.lower()
    assert anchor in anchors()


def test_no_section_is_left_of_an_alert_that_is_gone() -> None:
    assert set(re.findall(r"^### (\w+)$", TEXT, re.MULTILINE)) == {alert.name for alert in alerts()}


@pytest.mark.parametrize("title, names", [("Breakers", {*BREAKERS}), ("Health", {*STATES})])
def test_each_breaker_and_each_health_state_has_its_row(title: str, names: set[str]) -> None:
    found = rows(title)
    assert found.keys() == names
    for row in found.values():
        assert len(row) == 6
        assert all(row), row
        assert row[2].startswith("`curl ")


def test_links_within_the_page_lead_somewhere() -> None:
    named = set(re.findall(r"\]\(#([^)]+)\)", TEXT.replace("\n", " ")))
    assert len(named) > 15
    assert named <= anchors()


def test_every_command_asks_for_what_there_is() -> None:
    known = {"$M": monitoring(), "$G": GATEWAY}
    found = [asked(command) for command in commands()]
    assert len(found) > 50
    for base, request in found:
        assert request in known[base], request


def test_every_route_of_monitoring_is_used_on_the_page() -> None:
    asked_for = {request for _, request in map(asked, commands())}
    routes = {re.sub(rf"/({'|'.join(BREAKERS)})(?=/|$)", "/*", request) for request in monitoring()}
    assert len(routes) == 13
    assert routes <= {re.sub(rf"/({'|'.join(BREAKERS)})(?=/|$)", "/*", request) for request in asked_for}


def test_whatever_changes_something_is_sent_with_the_key() -> None:
    for command in commands():
        if not asked(command)[1].startswith("GET "):
            assert "-H @$K" in command, command


def test_regions_and_modes_are_those_that_there_are() -> None:
    assert set(re.findall(r'"region": "(\w+)"', TEXT)) <= set(REGIONS)
    assert set(re.findall(r'"mode": "([\w]+)"', TEXT)) == set(MODES)
    assert f"By region (ticketing: {', '.join(REGIONS)})" in section("Flush the cache")
