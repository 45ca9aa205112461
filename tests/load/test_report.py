"""The report is one well-formed page with every plot in it, which asks nobody for anything."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import orjson
import pytest

from load import report
from load.findings import Results
from load.names import CONFIRMED_BY_WEBHOOK
from load.targets import judge
from tests.load import measured

VOID = {"meta", "link", "img", "br", "hr", "input"}
SVG = "{http://www.w3.org/2000/svg}"
LOADING = ("src", "href", "xlink:href", "data", "action", "srcset")


class Page(HTMLParser):
    """Fails on an element that is not closed where it should be; notes what a browser would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.fetched: list[str] = []
        self.tags: Counter[str] = Counter()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        for name, value in attrs:
            if tag == "section" and name == "id":
                self.ids.append(value or "")
            if name in LOADING:
                self.fetched.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


@pytest.fixture
def full() -> Results:
    """Every profile has been run."""
    journey = {CONFIRMED_BY_WEBHOOK: measured.tally(300, 900, 4000, failed=1)}
    stress = [
        s for users in (80, 160, 320) for s in measured.seconds(6, users, stage=f"{users} users", users=users)
    ]
    spike = [
        second
        for stage, users, time in (("before", 30, 9), ("spike", 300, 700), ("after", 30, 12))
        for second in measured.seconds(6, time, stage=stage, users=users)
    ]
    return measured.results(
        runs={
            "smoke": measured.seconds(5, 8),
            "load": measured.seconds(200, 12, flows=journey, errors=Counter({"hold: <b>500</b>": 2})),
            "stress": stress,
            "spike": spike,
            "soak": measured.seconds(12, 15),
        },
        capacities=[measured.capacity(1500)],
        rush=measured.rush(),
        memory=measured.memory(*range(100, 130)),
        cache=measured.cache(8, 2),
        violations=[],
    )


def test_the_page_is_well_formed_and_has_every_part(full: Results) -> None:
    page = Page(report.page(full, judge(full)))
    assert page.open == []
    assert page.ids == ["capacity", "rush", "smoke", "load", "stress", "spike", "soak", "memory"]


def test_every_plot_is_there_and_shows_lines(full: Results) -> None:
    text = report.page(full, judge(full))
    drawn = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    # Two for each of the five profiles, the stress curve, the rush, and memory.
    assert len(drawn) == 5 * 2 + 1 + 1 + 1
    for svg in drawn:
        root = ET.fromstring(svg)
        lines = [e for e in root.iter(f"{SVG}path") if "line" in (e.get("class") or "").split()]
        points = [len(re.findall(r"[\d.]+ [\d.]+", line.get("d") or "")) for line in lines if line.get("d")]
        assert max(points) > 2, "a plot without a line"


def test_the_page_fetches_nothing_and_runs_nothing(full: Results) -> None:
    text = report.page(full, judge(full))
    page = Page(text)
    assert [each for each in page.fetched if not each.startswith("#")] == []
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not re.search(r"@import|url\((?!#)", text)
    # names of XML vocabularies, which nobody fetches
    names = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert set(re.findall(r"https?://[^\"' <]+", text)) <= names
    assert "default-src 'none'" in text


def test_what_servers_say_is_text(full: Results) -> None:
    full.ended = "ticketing ended:\n<script>alert(1)</script>"
    text = report.page(full, judge(full))
    assert "&lt;script&gt;alert(1)" in text
    assert "hold: &lt;b&gt;500" in text
    assert "Some &lt;processor&gt;" in text


def test_every_verdict_stands_on_the_page(full: Results) -> None:
    full.rush = measured.rush(oversold=4)
    full.cache = None
    text = report.page(full, judge(full))
    verdicts = judge(full)
    for word in ("met", "missed", "not measured"):
        wanted = sum(each.word == word for each in verdicts)
        assert wanted
        assert len(re.findall(rf'class="mark [a-z]+">{word}<', text)) == wanted


def test_a_run_that_ended_at_once_has_a_report(tmp_path: Path) -> None:
    empty = replace(measured.results(), ended="stopped by hand", runs={"smoke": []})
    path = report.write(empty, tmp_path / "results")
    assert Page(path.read_text()).open == []
    assert "stopped by hand" in path.read_text()
    assert (
        orjson.loads((tmp_path / "results" / "latest.json").read_bytes())["endedEarly"] == "stopped by hand"
    )


def test_the_figures_are_kept_for_programs_too(full: Results, tmp_path: Path) -> None:
    report.write(full, tmp_path)
    kept = orjson.loads((tmp_path / "latest.json").read_bytes())
    assert set(kept["runs"]) == {"smoke", "load", "stress", "spike", "soak"}
    assert kept["runs"]["load"]["requests"]["ticket"]["p95Ms"] == 12
    assert kept["runs"]["load"]["journeys"][CONFIRMED_BY_WEBHOOK]["failed"] == 200
    assert kept["rush"]["oversold"] == 0
    assert [each["users"] for each in kept["stress"]] == [80, 160, 320]
    assert [each["name"] for each in kept["verdicts"] if each["met"] is None] == ["soak"]
    assert {each["word"] for each in kept["verdicts"]} == {"met", "missed", "not measured"}
