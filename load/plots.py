"""The report's plots: SVG that stands by itself, without script and without a request to anywhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence

import pygal  # type: ignore[import-untyped]
from pygal.style import Style  # type: ignore[import-untyped]

from load.buyers import COME_BACK, SOLD, SOLD_OUT
from load.findings import Step, own_requests
from load.samples import Second, grouped
from load.watch import Memory

# pygal looks for maps in every import that is made after its own, in a way that Python warns of.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]

POINTS = 90
LABELS = 10
BLUE, GREEN, ORANGE, RED, GREY = "#2563eb", "#059669", "#d97706", "#dc2626", "#64748b"
_SPEAKS = re.compile(r"<!--.*?-->|<script.*?</script>", re.DOTALL)


def throughput(seconds: Sequence[Second]) -> str:
    """Answers a second, how many of them right and in time, and the users beside them."""
    groups = _groups(seconds)
    chart = _line("answers a second, and users (right axis)", (BLUE, GREEN, GREY), _times(groups))
    tallies = [own_requests(group) for group in groups]
    _add(chart, "answers/s", [_round(each.count / len(g)) for each, g in zip(tallies, groups, strict=True)])
    _add(
        chart,
        "right, within 1 s",
        [_round(each.good / len(g)) for each, g in zip(tallies, groups, strict=True)],
    )
    _add(chart, "users", [group[-1].users for group in groups], secondary=True)
    return _svg(chart)


def latency(seconds: Sequence[Second]) -> str:
    """P50, P95 and P99 of all requests to the product."""
    groups = _groups(seconds)
    chart = _line("response time, ms", (GREEN, ORANGE, RED), _times(groups))
    tallies = [own_requests(group) for group in groups]
    for name, share in (("P50", 0.50), ("P95", 0.95), ("P99", 0.99)):
        _add(chart, name, [_round(each.percentile(share)) if each.count else None for each in tallies])
    return _svg(chart)


def stress_curve(steps: Sequence[Step]) -> str:
    """Right and timely answers a second against users, and what they had to wait."""
    labels = [f"{step.users:,}" for step in steps]
    chart = _line("right answers a second by users, and P95 in ms (right axis)", (BLUE, ORANGE), labels)
    chart.show_dots, chart.dots_size, chart.x_labels_major_count = True, 4, len(labels)
    _add(chart, "answers/s, right and within 1 s", [_round(step.goodput) for step in steps])
    _add(chart, "P95 ms", [_round(step.p95) for step in steps], secondary=True)
    return _svg(chart)


def rush(answers: Sequence[Mapping[str, int]]) -> str:
    """What was answered in each second of a rush."""
    size = max(1, -(-len(answers) // POINTS))
    groups = [answers[start : start + size] for start in range(0, len(answers), size)]
    labels = [clock(number * size) for number in range(len(groups))]
    chart = _line("answers a second", (GREEN, ORANGE, GREY), labels)
    for name in (SOLD, COME_BACK, SOLD_OUT):
        _add(chart, name, [_round(sum(each.get(name, 0) for each in group) / len(group)) for group in groups])
    return _svg(chart)


def memory(samples: Sequence[Memory]) -> str:
    """Megabytes over the whole run."""
    size = max(1, -(-len(samples) // POINTS))
    shown = samples[::size]
    begun = samples[0].at if samples else 0.0
    chart = _line("memory, MB (PSS)", (BLUE, ORANGE), [clock(each.at - begun) for each in shown])
    _add(chart, "web processes together", [_round(each.web) for each in shown])
    _add(chart, "worker process", [_round(each.worker) for each in shown])
    return _svg(chart)


def clock(seconds: float) -> str:
    """`1:05`, or with hours `2:01:05`."""
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def _groups(seconds: Sequence[Second]) -> list[list[Second]]:
    """What a plot has points for; without the last moment, when all are sent home."""
    return grouped([second for second in seconds if second.users] or seconds, POINTS)


def _times(groups: Sequence[Sequence[Second]]) -> list[str]:
    return [clock(group[0].at - groups[0][0].at) for group in groups]


def _line(title: str, colors: tuple[str, ...], labels: Sequence[str]) -> pygal.Line:
    style = Style(
        background="transparent",
        plot_background="transparent",
        foreground="#475569",
        foreground_strong="#0f172a",
        foreground_subtle="#cbd5e1",
        font_family="system-ui, sans-serif",
        colors=colors,
        opacity=".95",
        title_font_size=15,
        label_font_size=12,
        major_label_font_size=12,
        legend_font_size=13,
        guide_stroke_dasharray="2,4",
        major_guide_stroke_dasharray="2,4",
    )
    return pygal.Line(
        style=style,
        title=title,
        js=(),
        disable_xml_declaration=True,
        width=960,
        height=300,
        margin=12,
        show_dots=False,
        legend_at_bottom=True,
        legend_at_bottom_columns=len(colors),
        legend_box_size=11,
        min_scale=4,
        max_scale=7,
        include_x_axis=True,
        x_labels=list(labels),
        x_labels_major_count=min(LABELS, len(labels)),
        show_minor_x_labels=False,
        truncate_legend=-1,
        truncate_label=-1,
        value_formatter=lambda value: f"{value:,.0f}",
    )


def _add(chart: pygal.Line, name: str, values: Sequence[float | None], *, secondary: bool = False) -> None:
    chart.add(name, list(values), secondary=secondary, stroke_style={"width": 2, "linejoin": "round"})


def _svg(chart: pygal.Line) -> str:
    drawn = chart.render(is_unicode=True)
    return _SPEAKS.sub("", drawn)


def _round(value: float) -> float:
    return round(value, 1)
