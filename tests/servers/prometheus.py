"""A Prometheus server of our own: free port, data in a temp folder, scraping what it is told to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

import httpx

from tests.servers.process import Process
from tests.servers.server import Server


class Prometheus(Server):
    """`with Prometheus({"ticketing": "http://127.0.0.1:3004/api/v1/monitoring/metrics/prometheus"}) as it:`

    Scrapes every second. `it.query(expression)` asks its API.
    """

    def __init__(self, targets: Mapping[str, str]) -> None:
        """`targets`: the URL to scrape by the name of its job."""
        super().__init__("prometheus")
        config = self.folder / "prometheus.json"  # JSON is YAML
        config.write_text(
            json.dumps(
                {
                    "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
                    "scrape_configs": [_job(name, httpx.URL(url)) for name, url in targets.items()],
                }
            )
        )
        self.process = Process(
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={self.folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--log.level=warn",
            ],
            name="prometheus",
        )

    def start(self) -> Self:
        """Start, and wait until it is ready."""
        self.process.start()
        self.process.wait_until(self._is_ready, seconds=60)
        return self

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query: each with `metric` (labels) and `value` (instant, text)."""
        answer = self._get("/api/v1/query", query=expression).json()
        assert answer["status"] == "success", answer
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def targets(self) -> list[dict[str, Any]]:
        """What it scrapes, with `health` and `lastError`."""
        found: list[dict[str, Any]] = self._get("/api/v1/targets").json()["data"]["activeTargets"]
        return found

    def _is_ready(self) -> bool:
        try:
            return self._get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def _get(self, path: str, **parameters: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", params=parameters, timeout=10)


def _job(name: str, url: httpx.URL) -> dict[str, Any]:
    return {
        "job_name": name,
        "scheme": url.scheme,
        "metrics_path": url.path,
        "static_configs": [{"targets": [f"{url.host}:{url.port}"]}],
    }
