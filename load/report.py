"""Writes what was measured: one page to read, with its plots in it, and one file for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader

from load import plots
from load.findings import Results, Step, drift, own_requests, spike, steps
from load.samples import Second, Tally, by_name, errors
from load.targets import Verdict, judge

HERE = Path(__file__).parent
FOLDER = HERE / "results"
MOST_ERRORS = 8


def write(results: Results, folder: Path = FOLDER) -> Path:
    """`report.html` and `latest.json`; the path of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    verdicts = judge(results)
    _replace(folder / "latest.json", _json(results, verdicts))
    _replace(folder / "report.html", page(results, verdicts).encode())
    return folder / "report.html"


def page(results: Results, verdicts: Sequence[Verdict]) -> str:
    """The report as HTML, complete in itself."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["clock"] = plots.clock
    stress = steps(results)
    return environment.get_template("report.html.jinja").render(
        results=results,
        verdicts=verdicts,
        missed=[each for each in verdicts if each.met is False],
        runs={name: _run(seconds) for name, seconds in results.runs.items() if seconds},
        stress=stress,
        knee=_knee(stress),
        stress_plot=plots.stress_curve(stress) if stress else "",
        memory_plot=plots.memory(results.memory) if results.memory else "",
        spike=spike(results),
        drift=drift(results),
        rush_plot=plots.rush(results.rush.answers) if results.rush else "",
    )


def _run(seconds: Sequence[Second]) -> dict[str, Any]:
    """A profile of scenarios, as its section shows it."""
    own = own_requests(seconds)
    return {
        "seconds": len(seconds),
        "users": max(second.users for second in seconds),
        "per_second": own.count / len(seconds),
        "sold_out": sum(second.sold_out for second in seconds),
        "cpu": sum(second.cpu for second in seconds) / len(seconds),
        "all": own,
        "requests": sorted(by_name(seconds).items(), key=lambda each: -each[1].count),
        "flows": sorted(by_name(seconds, flows=True).items()),
        "errors": errors(seconds).most_common(MOST_ERRORS),
        "throughput": plots.throughput(seconds),
        "latency": plots.latency(seconds),
    }


def _knee(stress: Sequence[Step]) -> Step | None:
    """The step that brought most."""
    return max(stress, key=lambda step: step.goodput, default=None)


def _json(results: Results, verdicts: Sequence[Verdict]) -> bytes:
    document = {
        **results.facts,
        "endedEarly": results.ended or None,
        "troubles": results.troubles,
        "verdicts": [{**asdict(each), "met": each.met, "word": each.word} for each in verdicts],
        "runs": {name: _run_document(seconds) for name, seconds in results.runs.items() if seconds},
        "capacity": [asdict(each) for each in results.capacities],
        "stress": [asdict(step) for step in steps(results)],
        "spike": _plain(spike(results)),
        "soak": _plain(drift(results)),
        "rush": _plain(results.rush),
        "cache": results.cache,
        "memoryMb": [
            {"at": round(each.at - results.began, 1), **_megabytes(each)} for each in results.memory
        ],
        "violations": results.violations,
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _run_document(seconds: Sequence[Second]) -> dict[str, Any]:
    return {
        "seconds": len(seconds),
        "users": max(second.users for second in seconds),
        "all": _figures(own_requests(seconds)),
        "requests": {name: _figures(tally) for name, tally in by_name(seconds).items()},
        "journeys": {name: _figures(tally) for name, tally in by_name(seconds, flows=True).items()},
        "errors": dict(errors(seconds)),
    }


def _figures(tally: Tally) -> dict[str, float]:
    return {
        "count": tally.count,
        "failed": tally.failed,
        "averageMs": round(tally.average, 2),
        "p50Ms": tally.percentile(0.50),
        "p95Ms": tally.percentile(0.95),
        "p99Ms": tally.percentile(0.99),
    }


def _megabytes(sample: Any) -> Mapping[str, float]:
    return {"web": round(sample.web, 1), "worker": round(sample.worker, 1)}


def _plain(found: Any) -> Any:
    return None if found is None else asdict(found)


def _replace(path: Path, content: bytes) -> None:
    """Whoever reads it sees the old or the new one, whole."""
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.replace(path)
