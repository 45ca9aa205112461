"""One answer for all processes, whatever becomes of them."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest

from common.coordination.embedded import EmbeddedCoordination
from tests.counts import counts
from tests.metrics.measured_app import OPERATOR
from tests.metrics.scraping import counts_only, gunicorn, samples
from tests.servers.process import eventually, is_alive
from ticketing_service.metrics import TicketingMetrics

THINGS = 'ticketing_http_requests_total{method="GET",route="/things/<number>",status="200"}'
IN_FLIGHT = "ticketing_http_requests_in_flight{}"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with gunicorn(tmp_path_factory.mktemp("site"), workers=3) as site:
        yield site


def test_every_worker_tells_the_counts_of_all(site):
    before = site.scrape().get(THINGS, 0)
    workers: set[int] = set()
    sent = 0
    while len(workers) < 3:
        workers.add(site.get(f"/things/{sent}").json()["pid"])
        sent += 1
    for _ in range(20):
        assert site.scrape()[THINGS] == before + sent
        assert site.document()["http"]["routes"]["GET /things/<number>"]["requests"] == before + sent


def test_killed_workers_lose_no_count_and_leave_nothing_in_flight(site):
    first = last = site.scrape()
    sent = 0
    for _ in range(counts(6, 30)):
        slow = threading.Thread(target=_ask_in_vain, args=(site,))
        slow.start()
        eventually(lambda: site.scrape()[IN_FLIGHT] == 2, what="a request in flight beside the scrape")
        victims = site.process.children()
        sent += _served(site, 5)
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        slow.join()
        _until_dead(victims)
        eventually(lambda: len(site.process.children()) == 3, what="new workers")
        eventually(
            lambda: site.scrape()[IN_FLIGHT] == 1,
            what="nothing in flight but the scrape: what the dead had is gone",
        )
        scraped = site.scrape()
        assert not [name for name, was in counts_only(last).items() if scraped.get(name, 0) < was]
        last = scraped
    assert last[THINGS] == first.get(THINGS, 0) + sent
    assert "pid=" not in "".join(last)


def _ask_in_vain(site):
    with pytest.raises(httpx.HTTPError):
        site.get("/slow")


def _until_dead(pids):
    eventually(lambda: not any(map(is_alive, pids)), what="the workers' end")


def _served(site, number):
    for each in range(number):
        assert site.get(f"/things/{each}").status_code == 200
    return number


def test_a_reset_moves_the_json_form_of_all_workers_and_no_counter(site):
    site.get("/things/1")
    before = site.scrape()
    assert httpx.post(f"{site.url}/metrics/reset").status_code == 401
    answer = httpx.post(f"{site.url}/metrics/reset", headers=OPERATOR)
    assert answer.status_code == 200
    for _ in range(12):
        document = site.document()
        assert document["since"] == answer.json()["since"]
        assert "GET /things/<number>" not in document["http"]["routes"]
    site.get("/things/1")
    assert all(site.document()["http"]["routes"]["GET /things/<number>"]["requests"] == 1 for _ in range(12))
    assert site.scrape()[THINGS] == before[THINGS] + 1


def test_the_master_writes_no_file_and_the_workers_few(site):
    folder = Path(site.process._env["DATA_DIR"]) / "metrics" / "ticketing"
    slots = {path.stem.rpartition("_")[2] for path in folder.glob("*.db")}
    assert len(slots) == 3, "a slot for each worker, however many have died"


def test_a_thousand_killed_processes_lose_no_count_and_leave_a_small_scrape(tmp_path):
    """Each takes a slot over from the dead, counts, and is killed in the middle of its work."""
    metrics = TicketingMetrics(tmp_path)
    deaths, together = counts(60, 1000), 4
    for _ in range(deaths // together):
        children = [_counting_child(metrics, tmp_path) for _ in range(together)]
        for pid in children:
            assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL
    found = samples(metrics.prometheus_text()[0].decode())
    assert found[THINGS.replace("200", "204")] == deaths
    assert found['ticketing_external_request_duration_seconds_count{service="mail"}'] == 3 * deaths
    assert found[IN_FLIGHT] == 0
    assert metrics.metrics_document()["bookings"]["created"] == 0
    assert len(list((tmp_path / "metrics" / "ticketing").glob("counter_*.db"))) <= together
    started = time.thread_time()
    metrics.prometheus_text()
    assert time.thread_time() - started < 5, "a hang guard; `make bench` measures it"


def _counting_child(metrics: TicketingMetrics, folder: Path) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            metrics.attach(EmbeddedCoordination(folder / "coordination"))
            metrics.request_begins()
            metrics.request_answered("GET", "/things/<number>", 204, 0.01)
            for _ in range(3):
                metrics.external("mail", 0.2)
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    return pid
