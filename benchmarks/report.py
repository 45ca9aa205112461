"""The figures as a table to read and as JSON to keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks.figures import Figure
from benchmarks.load import Latency

RESULTS = Path(__file__).parent / "results"
_HEAD = ("measurement", "service", "floor", "ratio", "aim", "P50 ms", "P95 ms", "P99 ms")


def table(title: str, figures: Sequence[Figure]) -> str:
    """Lines of columns; what an aim was missed by stands out."""
    lines = [_HEAD, *(_cells(figure) for figure in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    texts = ["  ".join(_aligned(line, widths)).rstrip() for line in lines]
    return "\n".join([title, *(f"  {text}" for text in texts)])


def _aligned(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.ljust(width) if column in (0, 4) else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]


def _cells(figure: Figure) -> tuple[str, ...]:
    latency = figure.latency
    times = ("", "", "") if latency is None else (latency.p50, latency.p95, latency.p99)
    return (
        figure.name,
        f"{_number(figure.value)} {figure.unit}",
        "" if figure.floor is None else _number(figure.floor),
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        _aim(figure),
        *(each if isinstance(each, str) else f"{each:.1f}" for each in times),
    )


def _aim(figure: Figure) -> str:
    if figure.aim is None:
        return ""
    sign = "≥" if figure.aim.side == "at least" else "≤"
    return f"{sign} {figure.aim.bound:g} {'met' if figure.met else 'MISSED'}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.1f}"


def write(name: str, facts: Mapping[str, Any], stores: Mapping[str, Sequence[Figure]]) -> Path:
    """Keep a run as `results/<name>.json`; the path it was written to."""
    document = {
        **facts,
        "stores": {store: [_document(f) for f in figures] for store, figures in stores.items()},
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return path


def _document(figure: Figure) -> dict[str, Any]:
    aim = figure.aim
    return {
        "name": figure.name,
        "value": round(figure.value, 3),
        "unit": figure.unit,
        "floor": None if figure.floor is None else round(figure.floor, 3),
        "floorIs": figure.floor_is,
        "ratio": None if figure.ratio is None else round(figure.ratio, 3),
        "latencyMs": _plain(figure.latency),
        "aim": None if aim is None else f"{aim.of} {aim.side} {aim.bound:g}",
        "met": figure.met,
        **{name: _plain(value) for name, value in figure.facts.items()},
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Latency):
        return {name: round(each, 2) for name, each in asdict(value).items()}
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
