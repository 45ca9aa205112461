"""When each alert must fire, and when it must not: what the services report, and what is heard of it.

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
GIB = 1024**3


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
    return {
        f'{service}_circuit_breaker_state{{{HERE if service == "ticketing" else ADMIN}, name="{name}"}}': values
    }


def gauge(name: str, values: str) -> dict[str, str]:
    """A series of ticketing without labels of its own."""
    return {f"ticketing_{name}{{{HERE}}}": values}


def of_job(name: str, values: str) -> dict[str, str]:
    """When a job of ticketing's worker last succeeded."""
    return {f'ticketing_job_last_success_timestamp_seconds{{{HERE}, exported_job="{name}"}}': values}


def heard(summary: str, **labels: str) -> tuple[Heard, ...]:
    """One alert about ticketing."""
    return (Heard({"job": "ticketing", **labels}, summary),)


BURNS = (
    Case(
        alert="AvailabilityBurnFast",
        when="2 % of the requests fail",
        series=requests("0+980x30", "0+20x30"),
        after="20m",
        fires=heard("ticketing: many requests fail (2%)"),
    ),
    Case(
        alert="AvailabilityBurnFast",
        when="0.8 % fail for hours",
        series=requests("0+992x90", "0+8x90"),
        after="1h",
        fires=heard("ticketing: many requests fail (0.8%)"),
    ),
    Case(
        alert="AvailabilityBurnFast",
        when="it is the other service",
        series=requests("0+900x30", "0+100x30", service="admin"),
        after="20m",
        fires=(Heard({"job": "admin"}, "admin: many requests fail (10%)"),),
    ),
    Case(
        alert="AvailabilityBurnFast",
        when="0.5 % fail",
        series=requests("0+995x90", "0+5x90"),
        after="1h",
    ),
    Case(
        alert="AvailabilityBurnFast",
        when="it is over",
        series=requests("0+1000x90", "0+100x20 2000x70"),
        after="1h",
    ),
    Case(
        alert="AvailabilityBurnFast",
        when="5 % fail for the first five minutes",
        series=requests("0+1000x120", "0x90 0+52x5"),
        after="1h35m",
    ),
    Case(
        alert="AvailabilityBurnFast",
        when="a probe is told 503",
        series={**requests("0+100x30", "0x30"), **requests("0x30", "0+60x30", where=READY)},
        after="20m",
    ),
    Case(
        alert="AvailabilityBurnFast",
        when="five of few fail at night",
        series=requests("0+1x60", "0x30 0+1x5 5x25"),
        after="38m",
    ),
    Case(
        alert="AvailabilityBurnSlow",
        when="0.4 % fail for hours",
        series=requests("0+996x150", "0+4x150"),
        after="2h",
        fires=heard("ticketing: requests keep failing (0.4%)"),
    ),
    Case(
        alert="AvailabilityBurnSlow",
        when="0.15 % fail for hours",
        series=requests("0+9985x150", "0+15x150"),
        after="2h",
        fires=heard("ticketing: requests keep failing (0.15%)"),
    ),
    Case(
        alert="AvailabilityBurnSlow",
        when="3 % fail in the last 20 minutes of 12 hours",
        series=requests("0+1000x750", "0x700 0+31x20"),
        after="12h",
    ),
    Case(
        alert="LatencyBurnFast",
        when="a fifth is slow",
        series=durations("0+80x30", "0+100x30"),
        after="20m",
        fires=heard("ticketing: many requests take longer than 500 ms (20%)"),
    ),
    Case(
        alert="LatencyBurnFast",
        when="a tenth of the other service is slow for hours",
        series=durations("0+90x90", "0+100x90", service="admin"),
        after="1h",
        fires=(Heard({"job": "admin"}, "admin: many requests take longer than 500 ms (10%)"),),
    ),
    Case(
        alert="LatencyBurnFast",
        when="5 % are slow",
        series=durations("0+95x90", "0+100x90"),
        after="1h",
    ),
    Case(
        alert="LatencyBurnFast",
        when="it is over",
        series=durations("0+50x20 1100+100x70", "0+100x90"),
        after="1h",
    ),
    Case(
        alert="LatencyBurnFast",
        when="half are slow for the first five minutes",
        series=durations("0+100x90 9050+50x5", "0+100x120"),
        after="1h35m",
    ),
    Case(
        alert="LatencyBurnSlow",
        when="4 % are slow for hours",
        series=durations("0+96x150", "0+100x150"),
        after="2h",
        fires=heard("ticketing: requests keep being slow (4%)"),
    ),
    Case(
        alert="LatencyBurnSlow",
        when="30 % are slow in the last 20 minutes of 12 hours",
        series=durations("0+100x700 70070+70x20", "0+100x750"),
        after="12h",
    ),
)

DEPENDENCIES = (
    Case(
        alert="ScrapeMissing",
        when="the service does not answer",
        series={f"up{{{HERE}}}": "1x5 0x10"},
        after="10m",
        fires=heard("ticketing one cannot be scraped", instance="one"),
    ),
    Case(
        alert="ScrapeMissing",
        when="nobody is to be scraped",
        series={f"up{{{ADMIN}}}": "1x10"},
        after="10m",
        fires=heard("ticketing cannot be scraped"),
    ),
    Case(alert="ScrapeMissing", when="all answer", series={f"up{{{HERE}}}": "1x10"}, after="10m"),
    Case(
        alert="DatabaseDown",
        when="its breaker is open and tries",
        series=breaker("database", "0x5 2 2 1 2 1 2 2 2"),
        after="10m",
        fires=heard("ticketing: the database does not answer", name="database"),
    ),
    Case(alert="DatabaseDown", when="it is back", series=breaker("database", "2x5 0x5"), after="10m"),
    Case(alert="DatabaseDown", when="it is another", series=breaker("cache", "2x10"), after="10m"),
    Case(alert="DatabaseDown", when="an operator did it", series=breaker("database", "3x10"), after="10m"),
    Case(
        alert="CacheDown",
        when="its breaker is open",
        series=breaker("cache", "2x10", "admin"),
        after="10m",
        fires=(Heard({"job": "admin", "name": "cache"}, "admin: the cache does not answer"),),
    ),
    Case(alert="CacheDown", when="for a minute only", series=breaker("cache", "0x8 2x1 0x5"), after="10m"),
    Case(
        alert="PaymentDown",
        when="its breaker is open",
        series=breaker("payment-api", "2x10"),
        after="10m",
        fires=heard("ticketing: the payment module does not answer", name="payment-api"),
    ),
    Case(alert="PaymentDown", when="it is closed", series=breaker("payment-api", "0x10"), after="10m"),
    Case(
        alert="BreakerOpen",
        when="mail is away for a quarter of an hour",
        series={**breaker("mail", "2x20"), **breaker("webhooks", "0x20")},
        after="15m",
        fires=heard("ticketing: mail does not answer", name="mail"),
    ),
    Case(alert="BreakerOpen", when="mail is away for 5 minutes", series=breaker("mail", "2x20"), after="5m"),
    Case(
        alert="BreakerOpen", when="it has an alert of its own", series=breaker("database", "2x20"), after="15m"
    ),
    Case(
        alert="BreakerOverridden",
        when="forced open and forgotten",
        series=breaker("poi-api", "3x60"),
        after="45m",
        fires=heard("ticketing: breaker poi-api is forced open", name="poi-api"),
    ),
    Case(
        alert="BreakerOverridden",
        when="disabled and forgotten",
        series=breaker("mail", "-1x60"),
        after="45m",
        fires=heard("ticketing: breaker mail is disabled", name="mail"),
    ),
    Case(alert="BreakerOverridden", when="a moment ago", series=breaker("mail", "3x60"), after="20m"),
    Case(alert="BreakerOverridden", when="open by itself", series=breaker("mail", "2x60"), after="45m"),
)

WORKER = (
    Case(
        alert="WorkerHeartbeatMissing",
        when="the worker died",
        series=gauge("worker_heartbeat_timestamp_seconds", "0+60x5 300x10"),
        after="10m",
        fires=heard("ticketing: no worker is at work"),
    ),
    Case(
        alert="WorkerHeartbeatMissing",
        when="none was ever started",
        series={f"up{{{HERE}}}": "1x10"},
        after="10m",
        fires=heard("ticketing: no worker is at work"),
    ),
    Case(
        alert="WorkerHeartbeatMissing",
        when="it beats",
        series={f"up{{{HERE}}}": "1x10", **gauge("worker_heartbeat_timestamp_seconds", "0+60x10")},
        after="10m",
    ),
    Case(
        alert="OutboxLate",
        when="a task waits for ten minutes",
        series=gauge("outbox_oldest_age_seconds", "0+60x20"),
        after="12m",
        fires=heard("ticketing: the oldest task has waited for 12m 0s"),
    ),
    Case(
        alert="OutboxLate",
        when="a task waits for a minute",
        series=gauge("outbox_oldest_age_seconds", "60x20"),
        after="12m",
    ),
    Case(
        alert="OutboxGrowing",
        when="it grows",
        series=gauge("outbox_pending", "0+20x60"),
        after="30m",
        fires=heard("ticketing: 600 tasks wait, and they become more"),
    ),
    Case(
        alert="OutboxGrowing",
        when="it is worked off",
        series=gauge("outbox_pending", "2000-20x60"),
        after="30m",
    ),
    Case(alert="OutboxGrowing", when="there are few", series=gauge("outbox_pending", "0+3x30"), after="30m"),
    Case(
        alert="JobLate",
        when="expiry fails",
        series={**of_job("expiry", "0+60x5 300x20"), **of_job("schedules", "0x25")},
        after="20m",
        fires=heard("ticketing: job expiry last succeeded 15m 0s ago", exported_job="expiry"),
    ),
    Case(
        alert="JobLate",
        when="schedules fail",
        series=of_job("schedules", "0x300"),
        after="4h",
        fires=heard("ticketing: job schedules last succeeded 4h 0m 0s ago", exported_job="schedules"),
    ),
    Case(
        alert="JobLate",
        when="all is in time",
        series={**of_job("purge", "0+60x120"), **of_job("schedules", "0x60 3600x60")},
        after="2h",
    ),
)

BOOKS_AND_ROOM = (
    Case(
        alert="CounterDrift",
        when="a counter differs",
        series=gauge("capacity_counter_drift", "0x5 1x5"),
        after="7m",
        fires=heard("ticketing: 1 capacity counters differ from the bookings"),
    ),
    Case(alert="CounterDrift", when="none does", series=gauge("capacity_counter_drift", "0x10"), after="7m"),
    Case(
        alert="DiskLow",
        when="1 GiB is left",
        series=gauge("data_free_bytes", f"{GIB}x20"),
        after="15m",
        fires=heard("ticketing one: 1GiB are left for DATA_DIR", instance="one"),
    ),
    Case(alert="DiskLow", when="there is room", series=gauge("data_free_bytes", f"{3 * GIB}x20"), after="15m"),
    Case(
        alert="DiskFull",
        when="128 MiB are left",
        series=gauge("data_free_bytes", f"{GIB // 8}x20"),
        after="5m",
        fires=heard("ticketing one: 128MiB are left for DATA_DIR", instance="one"),
    ),
    Case(alert="DiskFull", when="1 GiB is left", series=gauge("data_free_bytes", f"{GIB}x20"), after="5m"),
    Case(
        alert="ThreadsBusy",
        when="all are at work",
        series={**gauge("threads_busy", "16x20"), **gauge("threads_limit", "16x20")},
        after="15m",
        fires=heard("ticketing one: 100% of the threads are busy", instance="one"),
    ),
    Case(
        alert="ThreadsBusy",
        when="half are at work",
        series={**gauge("threads_busy", "8x20"), **gauge("threads_limit", "16x20")},
        after="15m",
    ),
    Case(
        alert="OverloadRefusals",
        when="a tenth gets 503 and all dependencies answer",
        series={
            **requests("0+90x20", "0x20"),
            f'ticketing_http_requests_total{{{HERE}, {SHOP}, status="503"}}': "0+10x20",
            **breaker("database", "0x20"),
        },
        after="15m",
        fires=heard("ticketing: 10% of the requests are refused for lack of room"),
    ),
    Case(
        alert="OverloadRefusals",
        when="the database is down",
        series={
            **requests("0+90x20", "0x20"),
            f'ticketing_http_requests_total{{{HERE}, {SHOP}, status="503"}}': "0+10x20",
            **breaker("database", "2x20"),
        },
        after="15m",
    ),
    Case(alert="OverloadRefusals", when="none is refused", series=requests("0+90x20", "0x20"), after="15m"),
)

CASES = (*BURNS, *DEPENDENCIES, *WORKER, *BOOKS_AND_ROOM)
