"""Builds the ports from the settings: the only place that knows the adapters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from common import process
from common.auth.followed_standing import LOOK_SECONDS, FollowedStanding
from common.auth.keyfiles import KeyRing, SecretRing
from common.auth.sealing import Sealing
from common.auth.service_tokens import ServiceTokens
from common.auth.shared_key import service_secrets
from common.caching.regions import Region
from common.clock import system_clock
from common.coordination.signal import signal_of
from common.database import StoreUnavailable
from common.mail.guarded import GuardedMailer
from common.mail.port import MailUnavailable
from common.mail.sending import open_mailer
from common.outgoing.posting import Poster, Rules
from common.parts import SPARE_THREADS, Parts, open_parts
from common.repeated import Repeated
from common.resilience.judging import failing
from common.resilience.states import DATABASE_WAITS, EXTERNAL_WAITS, INTERNAL_WAITS, BreakerSpec
from common.settings import Settings
from ticketing_service.actions.booking_tokens import BookingTokens
from ticketing_service.actions.following import EVERY_SECONDS, Followed, Follower
from ticketing_service.actions.issuing import Issuer
from ticketing_service.actions.known_resellers import KnownResellers
from ticketing_service.actions.ports import Ports
from ticketing_service.actions.resellers import keep_key_uses
from ticketing_service.clients.admin import HttpPlatformSource, NoPlatformSource
from ticketing_service.clients.guarded import (
    POI_API,
    WEBHOOKS,
    GuardedPaymentModule,
    GuardedPlatformSource,
    GuardedPoiDirectory,
    GuardedSender,
)
from ticketing_service.clients.payment_module import HttpPaymentModule
from ticketing_service.clients.poi_api import HttpPoiDirectory
from ticketing_service.clients.poi_directory import GeoJsonPoiDirectory
from ticketing_service.clients.port import (
    AdminUnavailable,
    DirectoryUnavailable,
    EndpointFailed,
    PaymentUnavailable,
    PlatformSource,
    PoiDirectory,
)
from ticketing_service.invalidation import Invalidation
from ticketing_service.metrics import TicketingMetrics
from ticketing_service.storage.changes import Listeners
from ticketing_service.storage.guarded import guarded
from ticketing_service.storage.opening import open_store
from ticketing_service.storage.port import Store

CHECKS = 2
"""Connections that the health checks may have beside the requests."""

WORKER_CALLS = 16
"""How many calls to one dependency the worker may have under way: as many as it has threads."""


KEY_USES_SECONDS = 10.0
"""How often it is written down which keys of resellers were used."""

WEBHOOK_SECONDS = 10.0
"""How long the endpoint of a webhook may take."""

SUBSCRIPTIONS, RESELLERS = "webhook-subscriptions", "resellers"
"""The signals that end what processes know of them."""

NEVER = 10**9

BREAKERS = (
    BreakerSpec(name="database", timeout_seconds=3, waits=DATABASE_WAITS, classify=failing(StoreUnavailable)),
    BreakerSpec(
        name="payment-api", timeout_seconds=9, waits=EXTERNAL_WAITS, classify=failing(PaymentUnavailable)
    ),
    BreakerSpec(
        name=POI_API,
        timeout_seconds=2,
        waits=INTERNAL_WAITS,
        classify=failing(DirectoryUnavailable, AdminUnavailable),
    ),
    BreakerSpec(name="mail", timeout_seconds=10, waits=EXTERNAL_WAITS, classify=failing(MailUnavailable)),
    BreakerSpec(
        name=WEBHOOKS,
        timeout_seconds=WEBHOOK_SECONDS,
        waits=EXTERNAL_WAITS,
        classify=failing(EndpointFailed),
        # each endpoint has a breaker of its own: the failures of one are no reason to stop the others
        minimum_calls=NEVER,
    ),
)
"""Besides that of the cache. Their time-outs are those of the drivers: connecting and one answer."""

_HOUR = 3600
REGIONS = (
    Region(name="tickets", ttl_seconds=_HOUR, stale_seconds=2 * _HOUR),
    Region(name="availability", ttl_seconds=300, stale_seconds=600),
    Region(name="statistics", ttl_seconds=600, stale_seconds=1200),
)


def make_metrics(settings: Settings) -> TicketingMetrics:
    """The metrics of a process, before they are attached to anything."""
    return TicketingMetrics(settings.data_dir)


Running = process.Running[Ports, Store, TicketingMetrics]
"""What a process of the service stands on."""


def run_web(settings: Settings, metrics: TicketingMetrics | None = None) -> Running:
    """For a process that answers requests; called after the fork."""
    running = _run(settings, metrics, settings.web_threads - SPARE_THREADS)
    running.metrics.threads(settings.web_threads)
    return running


def run_worker(settings: Settings) -> Running:
    """For the worker process."""
    return _run(settings, None, WORKER_CALLS)


def _run(settings: Settings, metrics: TicketingMetrics | None, call_limit: int) -> Running:
    metrics = metrics or make_metrics(settings)
    parts = open_parts(settings, metrics, BREAKERS, REGIONS, call_limit)
    listeners = Listeners(Invalidation(parts.caches), metrics.on_change)
    store = open_store(
        settings.database_url,
        call_limit + CHECKS,
        listeners.expired,
        metrics.database_query,
        signal_of(parts.coordination, SUBSCRIPTIONS),
        settings.database_read_url,
    )

    def timed(operation: str, seconds: float) -> None:
        metrics.database_query(operation, seconds)
        metrics.pool_in_use(store.connections_in_use())

    behind = guarded(store, parts.guard("database"), timed, listeners)
    ports = _ports(settings, behind, parts, metrics)
    source = _platform(settings, parts, metrics)
    follower = Follower(ports.followed, source, behind.platform, ports.clock)
    beside = (
        Repeated("platform", EVERY_SECONDS, follower.look),
        Repeated("reseller-key-uses", KEY_USES_SECONDS, lambda: keep_key_uses(ports)),
    )
    running = Running(ports=ports, store=store, parts=parts, metrics=metrics, beside=beside)
    return _following(running, settings) if settings.admin_api_url else running


def _following(running: Running, settings: Settings) -> Running:
    """`running`, which looks at the admin service for what has become of credentials: past the breaker, as
    what was revoked must open nothing; and the breaker hears of it when that service is back.
    """
    tokens = ServiceTokens(service_secrets(settings), system_clock)
    followed = FollowedStanding(
        settings.admin_api_url,
        lambda: tokens.issue("ticketing", "admin"),
        settings.data_dir / "standing" / "ticketing.json",
        running.ports.key_uses,
        running.parts.breakers[POI_API].try_now,
    )
    return replace(
        running,
        ports=replace(running.ports, standing=followed),
        beside=(*running.beside, Repeated("standing", LOOK_SECONDS, followed.look)),
    )


def _ports(settings: Settings, store: Store, parts: Parts, metrics: TicketingMetrics) -> Ports:
    """All ports. Nothing is connected to before its first use."""
    keys = settings.data_dir / "keys"
    admission_keys = KeyRing(keys / "admissions")
    payments = HttpPaymentModule(settings.payment_api_url, settings.payment_api_tokens[0])
    mailer = open_mailer(settings.smtp_url, settings.mail_from, settings.data_dir)
    return Ports(
        store=store,
        payment_module=GuardedPaymentModule(
            payments, parts.guard("payment-api", retries=True), metrics.external
        ),
        poi_directory=_directory(settings, parts, metrics),
        mailer=GuardedMailer(mailer, parts.guard("mail"), metrics.external),
        clock=system_clock,
        followed=Followed(),
        admission_keys=admission_keys,
        issue=Issuer(admission_keys),
        booking_tokens=BookingTokens(SecretRing(keys / "booking-tokens")),
        known_resellers=KnownResellers(store.resellers, signal_of(parts.coordination, RESELLERS)),
        reseller_key_secrets=SecretRing(keys / "reseller-keys"),
        webhook_sender=GuardedSender(
            Poster(Rules(networks=settings.webhook_networks, seconds=WEBHOOK_SECONDS)),
            parts.guard(WEBHOOKS),
            metrics.external,
        ),
        webhook_seals=Sealing(SecretRing(keys / "webhook-secrets")),
        public_url=settings.public_url,
        return_url_origins=settings.return_url_origins,
        webhook_secrets=settings.payment_webhook_secrets,
    )


def _platform(settings: Settings, parts: Parts, metrics: TicketingMetrics) -> PlatformSource:
    if not settings.admin_api_url:
        return NoPlatformSource()
    tokens = ServiceTokens(service_secrets(settings), system_clock)
    source = HttpPlatformSource(settings.admin_api_url, tokens)
    return GuardedPlatformSource(source, parts.guard(POI_API), metrics.external)


def _directory(settings: Settings, parts: Parts, metrics: TicketingMetrics) -> PoiDirectory:
    """A file has no guard: that it cannot be read says nothing about the admin service."""
    if "://" not in settings.poi_directory:
        return GeoJsonPoiDirectory(Path(settings.poi_directory))
    directory = HttpPoiDirectory(settings.poi_directory)
    return GuardedPoiDirectory(directory, parts.guard(POI_API), metrics.external)
