"""Two processes of one service, on one database, one folder and perhaps one Redis."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.http.ticketing.shop import Clock, Reply, Shop, refusal
from tests.servers.process import eventually

STAFF: dict[str, Any] = {"role": "ticket_manager"}
FINANCE: dict[str, Any] = {"role": "finance"}
REGIONS = ("tickets", "availability", "statistics")


@dataclass
class Two:
    """Two processes of one service, and a day on which nothing has happened yet."""

    one: Shop
    other: Shop
    clock: Clock
    day: str

    @property
    def both(self) -> tuple[Shop, Shop]:
        return self.one, self.other

    def kept(self, path: str, **who: Any) -> Any:
        """What both answer, once the cache has it: `read` without anything in between is a hit then."""
        # the start of a process ends what was kept, which the others may hear of a moment later
        eventually(lambda: self._hits_of_a_read(path, **who) >= 2, what=f"{path} being kept")
        return self.read(path, **who)

    def _hits_of_a_read(self, path: str, **who: Any) -> float:
        before = self._hits()
        self.read(path, **who)
        return self._hits() - before

    def read(self, path: str, **who: Any) -> Any:
        """What both answer."""
        one, other = (shop.call("GET", path, **who) for shop in self.both)
        assert (one.status_code, one.data) == (other.status_code, other.data), f"{path} differs"
        assert one.status_code == 200, one.json
        return one.json

    def refused(self, path: str) -> set[tuple[int, str]]:
        """How both refuse it."""
        return {refusal(shop.call("GET", path)) for shop in self.both}

    def ticket_with_slots(self, capacity: int = 10, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """A ticket, and the first of its slots."""
        made = self.one.ticket(**changes)
        return made, self.one.slots(made, capacity, dateFrom=self.day)[0]

    def counted(self, name: str) -> float:
        """A sample of the metrics, over both processes; 0 while there is none."""
        text = self.one.call("GET", "/monitoring/metrics/prometheus").get_data(as_text=True)
        found = re.search(rf"^ticketing_{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def _hits(self) -> float:
        counters = (shop.running.metrics.counter("cache_requests_total") for shop in self.both)
        counted = (each.labels(region, "hit") for each in counters for region in REGIONS)
        return sum(number.number.get() for number in counted)


def changed(shop: Shop, made: dict[str, Any], body: dict[str, Any]) -> Reply:
    """The ticket after a change by staff, who have read it as a visitor does."""
    path = f"/tickets/{made['id']}"
    tag = shop.call("GET", path, **STAFF).headers["ETag"]
    answer = shop.call("PATCH", path, body, headers={"If-Match": tag}, **STAFF)
    assert answer.status_code == 200, answer.json
    return answer


def titles(page: dict[str, Any]) -> list[str]:
    return [each["title"] for each in page["data"]]


def vacancies(availability: dict[str, Any]) -> Any:
    return availability["data"][0]["vacancies"]
