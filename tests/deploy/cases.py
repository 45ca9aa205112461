"""When each alert must fire, and when it must not."""

from __future__ import annotations

from tests.deploy.burn_cases import BURNS
from tests.deploy.series import ADMIN, HERE, SHOP, Case, Heard, breaker, gauge, heard, of_job, requests
from tests.deploy.staff_cases import STAFF

GIB = 1024**3
ADMIN_UP = {f"up{{{ADMIN}}}": "1x15"}

DEPENDENCIES = (
    Case(
        alert="ScrapeMissing",
        when="the service does not answer",
        series={f"up{{{HERE}}}": "1x5 0x10", **ADMIN_UP},
        after="10m",
        fires=heard("ticketing one cannot be scraped", instance="one"),
    ),
    Case(
        alert="ScrapeMissing",
        when="nobody is to be scraped",
        series=ADMIN_UP,
        after="10m",
        fires=heard("ticketing cannot be scraped"),
    ),
    Case(
        alert="ScrapeMissing",
        when="all answer",
        series={f"up{{{HERE}}}": "1x10", **ADMIN_UP},
        after="10m",
    ),
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
        alert="BreakerOpen",
        when="it has an alert of its own",
        series=breaker("database", "2x20"),
        after="15m",
    ),
    *(
        Case(alert=alert, when=f"{name} is forced open", series=breaker(name, "3x20"), after="15m")
        for alert, name in (("CacheDown", "cache"), ("PaymentDown", "payment-api"), ("BreakerOpen", "mail"))
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
    Case(alert="OutboxGrowing", when="there are few", series=gauge("outbox_pending", "0+4x24"), after="24m"),
    Case(
        alert="WebhooksLate",
        when="one waits for ten minutes",
        series=gauge("webhooks_oldest_age_seconds", "0+60x20"),
        after="12m",
        fires=heard("ticketing: the oldest webhook has waited for 12m 0s"),
    ),
    Case(
        alert="WebhooksLate",
        when="one waits for a minute",
        series=gauge("webhooks_oldest_age_seconds", "60x20"),
        after="12m",
    ),
    Case(
        alert="WebhooksGivenUp",
        when="three are given up",
        series=gauge("webhooks_dead", "2x30 5x30"),
        after="60m",
        fires=heard("ticketing: 3 webhooks were given up within an hour"),
    ),
    Case(
        alert="WebhooksGivenUp",
        when="there are old ones, and some are forgotten",
        series=gauge("webhooks_dead", "9x30 7x30"),
        after="60m",
    ),
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
        series=gauge("capacity_drift", "0x5 1x5"),
        after="7m",
        fires=heard("ticketing: 1 capacity counters differ from the bookings"),
    ),
    Case(alert="CounterDrift", when="none does", series=gauge("capacity_drift", "0x10"), after="7m"),
    Case(
        alert="DiskLow",
        when="1 GiB is left",
        series=gauge("data_free_bytes", f"{GIB}x20"),
        after="15m",
        fires=heard("ticketing one: 1GiB are left for DATA_DIR", instance="one"),
    ),
    Case(
        alert="DiskLow", when="enough is left", series=gauge("data_free_bytes", f"{3 * GIB}x20"), after="15m"
    ),
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

CASES = (*BURNS, *DEPENDENCIES, *WORKER, *BOOKS_AND_ROOM, *STAFF)
