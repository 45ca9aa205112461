"""Reading what was scraped, and an app of several processes to scrape."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.servers.gunicorn import Gunicorn

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

    def __init__(self, process: Gunicorn) -> None:
        self.process, self.url = process, process.url

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
    env = {"DATA_DIR": str(folder)}
    with Gunicorn("tests.metrics.measured_app", workers=workers, threads=8, env=env) as process:
        site = Site(process)
        process.wait_until(lambda: len(process.children()) == workers, what="forked")
        yield site
