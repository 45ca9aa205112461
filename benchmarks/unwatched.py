"""The service without its metrics, its log lines and its traces: what those cost is the difference.

For gunicorn, with LOG_LEVEL=ERROR, in place of `ticketing_service.wsgi:app`.
"""

from __future__ import annotations

from typing import Any

from flask import Flask

from common.monitoring import tracing
from common.settings import Settings
from ticketing_service import wiring
from ticketing_service.metrics import TicketingMetrics

_SPAN = tracing.new_span()


class Unmeasured(TicketingMetrics):
    """Records nothing."""

    def install(self, app: Flask) -> None: ...
    def ticket_viewed(self, category: str, city: str) -> None: ...
    def tickets_searched(self) -> None: ...
    def availability_checked(self) -> None: ...
    def on_change(self, change: Any) -> None: ...
    def cache(self, region: str, result: str) -> None: ...
    def database_query(self, operation: str, seconds: float) -> None: ...
    def pool_in_use(self, connections: int) -> None: ...
    def breaker_call(self, name: str, outcome: str) -> None: ...
    def external(self, service: str, seconds: float) -> None: ...


def _received(*_: Any) -> tracing.Span:
    return _SPAN


def _enter(span: tracing.Span | None) -> None: ...


def _unmeasured(settings: Settings) -> TicketingMetrics:
    return Unmeasured(settings.data_dir)


wiring.make_metrics = _unmeasured
tracing.received, tracing.enter = _received, _enter  # type: ignore[assignment]

# After that: importing it makes the app.
from ticketing_service.wsgi import app  # noqa: E402

__all__ = ["app"]
