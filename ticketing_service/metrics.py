"""The business metrics of ticketing: what was sold and looked for; the ledger is for the books."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from common.clock import Clock, system_clock
from common.monitoring.metrics.bounded import BoundedLabel
from common.monitoring.metrics.definitions import Definition, counter, gauge
from common.monitoring.metrics.instruments import Children
from common.monitoring.metrics.service import NEVER_WAITS, ServiceMetrics
from common.monitoring.metrics.view import View, whole
from ticketing_service.domain.webhooks import Backlog
from ticketing_service.storage.changes import Change, Outcome

PREFIX = "ticketing_"
FEE = "fee"

DEFINITIONS: tuple[Definition, ...] = (
    counter("bookings_total", "Bookings by what became of them; sold_out ones were refused", "outcome"),
    counter(
        "revenue_minor_units_total",
        "Worth of the bookings that were confirmed, refunds apart; type fee: booking fees",
        "currency",
        "ticket_type",
    ),
    counter("refunds_minor_units_total", "Minor units that were promised back to customers", "currency"),
    counter("tickets_viewed_total", "Looks at one ticket", "category", "city"),
    counter("tickets_searched_total", "Searches of the catalogue"),
    counter("availability_checks_total", "Questions whether and when there are places"),
    counter("availability_updates_total", "Slots that staff or a schedule made or changed"),
    counter("sold_out_total", "Refusals for want of places: holds, amendments, late payments"),
    gauge("capacity_drift", "Capacity counters that are not what their bookings add up to"),
    gauge("webhooks_pending", "Webhooks that are still to be sent"),
    gauge(
        "webhooks_oldest_age_seconds",
        "Time for which the oldest webhook waits that no endpoint's failure holds up",
        kept_as_moment=True,
    ),
    gauge("webhooks_dead", "Webhooks that were given up and can be replayed"),
    gauge("poi_copy_age_seconds", "Time since the copy of the POIs was last up to date", kept_as_moment=True),
)


class TicketingMetrics(ServiceMetrics):
    """The metrics of the ticketing service. `on_change` is a listener of committed changes."""

    def __init__(self, data_dir: Path, *, clock: Clock = system_clock) -> None:
        folder = data_dir / "metrics" / "ticketing"
        super().__init__(PREFIX, folder, DEFINITIONS, GROUPS, clock=clock)
        self._viewed = Children(self.counter("tickets_viewed_total").labels)
        self._category, self._city = BoundedLabel(folder, "category"), BoundedLabel(folder, "city")
        for outcome in Outcome:  # so that the first one is seen as an increase
            self.counter("bookings_total").labels(outcome.value)

    def on_change(self, change: Change) -> None:
        """Count what was committed."""
        for outcome, number in change.outcomes.items():
            self.counter("bookings_total").labels(outcome.value).inc(number)
        for sale in change.sales:
            kind = FEE if sale.ticket_type is None else sale.ticket_type.value
            self.counter("revenue_minor_units_total").labels(sale.currency, kind).inc(sale.amount)
        for refund in change.refunds:
            self.counter("refunds_minor_units_total").labels(refund.currency).inc(refund.amount)
        if change.slots_changed:
            self.counter("availability_updates_total").inc(change.slots_changed)
        if change.sold_out:
            self.counter("sold_out_total").inc()

    def ticket_viewed(self, category: str, city: str) -> None:
        """Somebody looked at a ticket of that category and city."""
        self._viewed[self._category(category), self._city(city)].number.inc(1)

    def tickets_searched(self) -> None:
        """Somebody searched the catalogue."""
        self.counter("tickets_searched_total").inc()

    def availability_checked(self) -> None:
        """Somebody asked for places."""
        self.counter("availability_checks_total").inc()

    def counters_checked(self, drifted: int) -> None:
        """All capacity counters were held against their bookings; so many differed."""
        self.gauge("capacity_drift").set(drifted)

    def webhooks(self, backlog: Backlog) -> None:
        """What is still to be sent; the age goes on growing till the next call."""
        self.gauge("webhooks_pending").set(backlog.pending)
        self.gauge("webhooks_dead").set(backlog.dead)
        since = self._clock().timestamp() - backlog.oldest_seconds if backlog.oldest_seconds else NEVER_WAITS
        self.gauge("webhooks_oldest_age_seconds").set(since)

    def poi_copy_current(self, moment: datetime) -> None:
        """At `moment` our copy of the POIs was what the directory says."""
        self.gauge("poi_copy_age_seconds").set(moment.timestamp())


def _bookings(view: View) -> Mapping[str, float]:
    counted = view.by("bookings_total", "outcome")
    return whole({outcome.value: counted.get(outcome.value, 0.0) for outcome in Outcome})


def _revenue(view: View) -> dict[str, Any]:
    """By currency, in minor units; `sales` contain the fees."""
    sales: dict[str, dict[str, float]] = {}
    for (currency, kind), amount in view.by("revenue_minor_units_total", "currency", "ticket_type").items():
        sales.setdefault(currency, {})[kind] = amount
    refunds = view.by("refunds_minor_units_total", "currency")
    return {
        currency: {
            **whole({"sales": sum(sales.get(currency, {}).values()), "refunds": refunds.get(currency, 0.0)}),
            "byTicketType": whole(sales.get(currency, {})),
        }
        for currency in sorted({*sales, *refunds})
    }


def _tickets(view: View) -> dict[str, Any]:
    return {
        **whole(
            {"viewed": view.total("tickets_viewed_total"), "searched": view.total("tickets_searched_total")}
        ),
        "viewedByCategory": whole(view.by("tickets_viewed_total", "category")),
        "viewedByCity": whole(view.by("tickets_viewed_total", "city")),
    }


def _availability(view: View) -> dict[str, Any]:
    counts = ("availability_checks_total", "availability_updates_total", "sold_out_total")
    checks, updates, sold_out = (view.total(name) for name in counts)
    return {
        **whole({"checks": checks, "updates": updates, "soldOut": sold_out}),
        "poiCopyAgeSeconds": view.gauge("poi_copy_age_seconds"),
    }


GROUPS = {"bookings": _bookings, "revenue": _revenue, "tickets": _tickets, "availability": _availability}
