"""What a service reports, and what is heard of it: the words in which the cases of the alerts are written.

`values` are in promtool's notation: `0+10x60` begins at 0 and grows by 10 with each of 60 steps, `_x5` is
missing five times, and a step is a minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

HERE = 'job="ticketing", instance="one"'
ADMIN = 'job="admin", instance="two"'
SHOP = 'method="GET", route="/api/v1/tickets"'
READY = 'method="GET", route="/api/v1/monitoring/ready"'


@dataclass(frozen=True, slots=True)
class Heard:
    """An alert that fires: its labels beside its name and severity, and its summary in full."""

    labels: Mapping[str, str]
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`after`: how long the series have been coming in when we look."""

    alert: str
    when: str
    series: Mapping[str, str]
    after: str
    fires: tuple[Heard, ...] = field(default=())


def requests(good: str, bad: str, *, where: str = SHOP, service: str = "ticketing") -> dict[str, str]:
    """Counters of good and failed answers."""
    target = HERE if service == "ticketing" else ADMIN
    name = f"{service}_http_requests_total"
    return {
        f'{name}{{{target}, {where}, status="200"}}': good,
        f'{name}{{{target}, {where}, status="500"}}': bad,
    }


def durations(fast: str, all_of_them: str, *, service: str = "ticketing") -> dict[str, str]:
    """Counters of answers within 500 ms and of all; all were good."""
    target = HERE if service == "ticketing" else ADMIN
    name = f"{service}_http_request_duration_seconds"
    return {
        f'{name}_bucket{{{target}, {SHOP}, le="0.5"}}': fast,
        f'{name}_bucket{{{target}, {SHOP}, le="+Inf"}}': all_of_them,
        f"{name}_count{{{target}, {SHOP}}}": all_of_them,
        **requests(all_of_them, "0x750", service=service),
    }


def breaker(name: str, values: str, service: str = "ticketing") -> dict[str, str]:
    """The state of one breaker."""
    target = HERE if service == "ticketing" else ADMIN
    return {f'{service}_circuit_breaker_state{{{target}, name="{name}"}}': values}


def gauge(name: str, values: str) -> dict[str, str]:
    """A series of ticketing without labels of its own."""
    return {f"ticketing_{name}{{{HERE}}}": values}


def of_job(name: str, values: str) -> dict[str, str]:
    """When a job of ticketing's worker last succeeded."""
    return {f'ticketing_job_last_success_timestamp_seconds{{{HERE}, exported_job="{name}"}}': values}


def of_admin(name: str, values: str, **labels: str) -> dict[str, str]:
    """A series of the admin service."""
    own = "".join(f', {key}="{value}"' for key, value in labels.items())
    return {f"admin_{name}{{{ADMIN}{own}}}": values}


def heard_of_admin(summary: str, **labels: str) -> tuple[Heard, ...]:
    """One alert about the admin service."""
    return (Heard({"job": "admin", **labels}, summary),)


def heard(summary: str, **labels: str) -> tuple[Heard, ...]:
    """One alert about ticketing."""
    return (Heard({"job": "ticketing", **labels}, summary),)
