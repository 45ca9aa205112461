"""A real Prometheus scrapes a running service."""

from __future__ import annotations

from tests.metrics.scraping import gunicorn
from tests.metrics.test_names import PROMISED
from tests.servers.process import eventually
from tests.servers.prometheus import Prometheus


def test_prometheus_takes_every_scrape_and_knows_our_series(tmp_path):
    with (
        gunicorn(tmp_path, workers=2) as site,
        Prometheus({"ticketing": f"{site.url}/metrics/prometheus"}) as server,
    ):
        for number in range(7):
            site.get(f"/things/{number}")

        def things():
            found = server.query('ticketing_http_requests_total{route="/things/<number>"}')
            return [float(each["value"][1]) for each in found]

        eventually(lambda: things() == [7.0], what="our count in Prometheus")
        (target,) = server.targets()
        assert (target["health"], target["lastError"]) == ("up", "")
        (quantile,) = server.query(
            "histogram_quantile(0.95, sum by (le) (ticketing_http_request_duration_seconds_bucket))"
        )
        assert 0 < float(quantile["value"][1]) <= 10
        known = {each["metric"]["__name__"] for each in server.query('{job="ticketing"}')}
        ours = {name.removeprefix("ticketing_") for name in known if name.startswith("ticketing_")}
        assert {"http_requests_total", "threads_busy", "bookings_total", "sold_out_total"} <= ours
        assert {name.removesuffix(end) for name in ours for end in ("_bucket", "_sum", "_count")} & {
            *PROMISED
        }
        assert server.query('{job="ticketing",pid!=""}') == []
