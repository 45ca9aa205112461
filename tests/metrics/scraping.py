"""Reading what was scraped, and an app of several processes to scrape."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.servers.process import Process, free_port

Samples = dict[str, float]


def samples(text: str) -> Samples:
    """Every sample of a text by `name{label="value",...}`, the labels in the order of the alphabet."""
    return {
        sample.name
        + "{"
        + ",".join(f'{k}="{v}"' for k, v in sorted(sample.labels.items()))
        + "}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def counts_only(found: Samples) -> Samples:
    """Those that may never go back."""
    return {name: number for name, number in found.items() if "_total{" in name or "_bucket{" in name}


class Site:
    """`tests.metrics.measured_app` under gunicorn."""

    def __init__(self, process: Process, port: int) -> None:
        self.process, self.url = process, f"http://127.0.0.1:{port}"

    def get(self, path: str) -> httpx.Response:
        """Over a connection of its own, so that any worker may answer."""
        return httpx.get(self.url + path, timeout=10)

    def scrape(self) -> Samples:
        answer = self.get("/metrics/prometheus")
        assert answer.status_code == 200
        return samples(answer.text)

    def document(self) -> dict:
        return self.get("/metrics").json()


@contextmanager
def gunicorn(folder: Path, workers: int) -> Iterator[Site]:
    port = free_port()
    argv = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "tests.metrics.measured_app:app"]
    env = {"DATA_DIR": str(folder), "TICKETING_PORT": str(port), "WEB_WORKERS": str(workers)}
    with Process(argv, env={**env, "SERVICE": "ticketing"}, name="gunicorn") as process:
        process.wait_for_port(port)
        site = Site(process, port)
        process.wait_until(lambda: len(process.children()) == workers, what="forked")
        yield site
