"""The business metrics of the admin service: what was curated, and who came in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from admin_service.domain.poi import PoiStatus
from admin_service.storage.changes import Change
from common.backups.state import moment_of
from common.clock import Clock, system_clock
from common.monitoring.metrics.definitions import Definition, counter, gauge
from common.monitoring.metrics.service import ServiceMetrics
from common.monitoring.metrics.view import View, whole

PREFIX = "admin_"

DEFINITIONS: tuple[Definition, ...] = (
    gauge("pois", "Points of interest by status", "status"),
    counter("pois_changes_total", "What became of points of interest, such as published", "change"),
    counter("logins_total", "Sign-ins by what became of them", "outcome"),
    gauge("active_sessions", "Sessions that can still be refreshed"),
    counter("uploads_total", "Uploaded files by what became of them and by type", "outcome", "type"),
    counter("uploads_bytes_total", "Bytes of the uploads that were accepted"),
    counter("config_updates_total", "Changes of the platform's configuration by key", "key"),
    gauge("backup_last_success_timestamp_seconds", "When the last good backup was made; 0 for never"),
    gauge("backup_last_result", "Whether the last backup went well: 1, or 0"),
    gauge("restore_drill_last_success_timestamp_seconds", "When a restored backup last sold; 0 for never"),
    gauge("restore_drill_last_result", "Whether the last drill of restoring went well: 1, or 0"),
)


class AdminMetrics(ServiceMetrics):
    """The metrics of the admin service. `on_change` is a listener of committed changes."""

    def __init__(self, data_dir: Path, *, clock: Clock = system_clock) -> None:
        folder = data_dir / "metrics" / "admin"
        super().__init__(PREFIX, folder, DEFINITIONS, GROUPS, clock=clock)

    def on_change(self, change: Change) -> None:
        """Count what was committed."""
        count = COUNTED.get(change.aggregate)
        if count is not None:
            count(self, change)

    def pois(self, counts: Mapping[PoiStatus, int]) -> None:
        """So many points of interest there are of each status."""
        for status, count in counts.items():
            self.gauge("pois").labels(status.value).set(count)

    def login(self, outcome: str) -> None:
        """Somebody tried to sign in."""
        self.counter("logins_total").labels(outcome).inc()

    def upload(self, outcome: str, media_type: str, size: int = 0) -> None:
        """A file came in: `accepted`, `known` or `refused`; its type is told only where we know it."""
        self.counter("uploads_total").labels(outcome, media_type).inc()
        if size:
            self.counter("uploads_bytes_total").inc(size)

    def backups(self, state: Mapping[str, Any]) -> None:
        """So it is with backups and drills; `state` as `common.backups.state` has it. Told only where
        there is a repository for them.
        """
        for name, last, good in (("backup", "last", "good"), ("restore_drill", "drill", "goodDrill")):
            moment = moment_of(state.get(good))
            since = 0.0 if moment is None else moment.timestamp()
            self.gauge(f"{name}_last_success_timestamp_seconds").set(since)
            if state.get(last):
                self.gauge(f"{name}_last_result").set(int(state[last]["ok"]))

    def sessions(self, active: int) -> None:
        """So many sessions can still be refreshed."""
        self.gauge("active_sessions").set(active)


def _pois_changed(metrics: AdminMetrics, change: Change) -> None:
    if change.what:
        metrics.counter("pois_changes_total").labels(change.what).inc(change.count)


def _config_changed(metrics: AdminMetrics, change: Change) -> None:
    for key in change.what.split():
        metrics.counter("config_updates_total").labels(key).inc()


COUNTED: Mapping[str, Callable[[AdminMetrics, Change], None]] = {
    "pois": _pois_changed,
    "duplicates": _pois_changed,
    "imports": _pois_changed,
    "config": _config_changed,
}
"""By aggregate: how a change of it is counted."""


def _pois(view: View) -> dict[str, Any]:
    return {
        "byStatus": whole(view.gauges("pois", "status")),
        "changes": whole(view.by("pois_changes_total", "change")),
    }


def _users(view: View) -> dict[str, Any]:
    return {
        "logins": whole(view.by("logins_total", "outcome")),
        "activeSessions": view.gauge("active_sessions"),
    }


def _uploads(view: View) -> dict[str, Any]:
    return {
        "byOutcome": whole(view.by("uploads_total", "outcome")),
        "byType": whole(view.by("uploads_total", "type")),
        **whole({"bytes": view.total("uploads_bytes_total")}),
    }


def _config(view: View) -> dict[str, Any]:
    return {"updates": whole(view.by("config_updates_total", "key"))}


def _backups(view: View) -> dict[str, Any]:
    return {
        "lastResult": view.gauge("backup_last_result"),
        "lastSuccess": view.gauge("backup_last_success_timestamp_seconds"),
        "lastDrillResult": view.gauge("restore_drill_last_result"),
        "lastDrillSuccess": view.gauge("restore_drill_last_success_timestamp_seconds"),
    }


GROUPS = {"pois": _pois, "users": _users, "uploads": _uploads, "config": _config, "backups": _backups}
