"""Builds the ports from the settings: the only place that knows the adapters."""

from __future__ import annotations

import sys

from admin_service.actions import api_keys
from admin_service.actions.access_tokens import AccessTokens
from admin_service.actions.ports import Ports
from admin_service.clients.folder_storage import FolderStorage
from admin_service.clients.guarded import GuardedStorage, GuardedTicketing
from admin_service.clients.port import Storage, StorageUnavailable, TicketingUnavailable
from admin_service.clients.ticketing import HttpTicketing
from admin_service.domain.permissions import ROLES
from admin_service.invalidation import STANDING, Invalidation, StandingMoves
from admin_service.metrics import AdminMetrics
from admin_service.storage.changes import Listeners
from admin_service.storage.guarded import guarded
from admin_service.storage.opening import open_store
from admin_service.storage.port import Store
from common import process
from common.auth.keyfiles import KeyRing, SecretRing
from common.auth.passwords import Argon2Passwords
from common.auth.sealing import Sealing
from common.auth.service_tokens import ServiceTokens
from common.auth.shared_key import service_secrets
from common.auth.store_standing import StoreStanding
from common.backups.desk import BackupDesk
from common.backups.restic import shown
from common.backups.schedule import Schedule
from common.caching.regions import Region
from common.clock import Clock, system_clock
from common.coordination.port import Coordination
from common.database import StoreUnavailable
from common.mail.guarded import GuardedMailer
from common.mail.port import MailUnavailable
from common.mail.sending import open_mailer
from common.parts import SPARE_THREADS, Parts, open_parts
from common.repeated import Repeated
from common.resilience.judging import failing
from common.resilience.states import DATABASE_WAITS, EXTERNAL_WAITS, INTERNAL_WAITS, BreakerSpec
from common.settings import Settings

CHECKS = 2
"""Connections that the health checks may have beside the requests."""

SETTLE_SECONDS = 60.0
"""How long a new key of access tokens is published before it signs: who verifies looks for a key that is
unknown at most every 30 s, and a cache may keep the published keys for as long.
"""

KEY_USES_SECONDS = 15.0
"""How often it is written down which keys were used in this process."""

WORKER_CALLS = 16
"""How many calls to one dependency the worker may have under way: as many as it has threads."""

BREAKERS = (
    BreakerSpec(name="database", timeout_seconds=3, waits=DATABASE_WAITS, classify=failing(StoreUnavailable)),
    BreakerSpec(
        name="storage", timeout_seconds=5, waits=INTERNAL_WAITS, classify=failing(StorageUnavailable)
    ),
    BreakerSpec(
        name="ticketing-api", timeout_seconds=2, waits=INTERNAL_WAITS, classify=failing(TicketingUnavailable)
    ),
    BreakerSpec(name="mail", timeout_seconds=10, waits=EXTERNAL_WAITS, classify=failing(MailUnavailable)),
)
"""Besides that of the cache. Their time-outs are those of the drivers: connecting and one answer."""

_HOUR = 3600
REGIONS = (
    Region(name="pois", ttl_seconds=_HOUR, stale_seconds=2 * _HOUR),
    Region(name="config", ttl_seconds=2 * _HOUR, stale_seconds=4 * _HOUR),
    Region(name="statistics", ttl_seconds=600, stale_seconds=1200),
)


def make_metrics(settings: Settings) -> AdminMetrics:
    """The metrics of a process, before they are attached to anything."""
    return AdminMetrics(settings.data_dir)


Running = process.Running[Ports, Store, AdminMetrics]
"""What a process of the service stands on."""


def second_factor_roles(settings: Settings) -> frozenset[str]:
    """Those of MFA_REQUIRED_FOR. One that is none ends the start: a slip of the pen must let nobody in."""
    unknown = [name for name in settings.mfa_required_for if name not in ROLES]
    if unknown:
        sys.stderr.write(f"MFA_REQUIRED_FOR: there is no role {unknown[0]}\n")
        raise SystemExit(2)
    return frozenset(settings.mfa_required_for)


def run_web(settings: Settings, metrics: AdminMetrics | None = None) -> Running:
    """For a process that answers requests; called after the fork."""
    running = _run(settings, metrics, settings.web_threads - SPARE_THREADS)
    running.metrics.threads(settings.web_threads)
    return running


def run_worker(settings: Settings) -> Running:
    """For the worker process."""
    return _run(settings, None, WORKER_CALLS)


def backup_schedule(settings: Settings, running: Running) -> Schedule | None:
    """For the worker: what makes backups when they are due; None where there is no repository for them."""
    if not settings.backup_repository:
        return None
    ports, metrics = running.ports, running.metrics
    return Schedule(settings.data_dir / "backups", ports.backups, ports.clock, metrics.backups)


def _run(settings: Settings, metrics: AdminMetrics | None, call_limit: int) -> Running:
    metrics = metrics or make_metrics(settings)
    parts = open_parts(settings, metrics, BREAKERS, REGIONS, call_limit)
    store = open_store(settings.database_url, call_limit + CHECKS, metrics.database_query)

    def timed(operation: str, seconds: float) -> None:
        metrics.database_query(operation, seconds)
        metrics.pool_in_use(store.connections_in_use())

    listeners = Listeners(StandingMoves(parts.coordination), Invalidation(parts.caches), metrics.on_change)
    behind = guarded(store, parts.guard("database"), timed, listeners)
    ports = _ports(settings, behind, parts, metrics)
    beside = (Repeated("key-uses", KEY_USES_SECONDS, lambda: api_keys.keep_uses(ports)),)
    return Running(ports=ports, store=store, parts=parts, metrics=metrics, beside=beside)


def _ports(settings: Settings, store: Store, parts: Parts, metrics: AdminMetrics) -> Ports:
    """All ports. Nothing is connected to before its first use."""
    keys = settings.data_dir / "keys"
    mailer = open_mailer(settings.smtp_url, settings.mail_from, settings.data_dir)
    tokens = ServiceTokens(service_secrets(settings), system_clock)
    token_keys = KeyRing(keys / "access-tokens", settle_seconds=SETTLE_SECONDS)
    return Ports(
        store=store,
        mailer=GuardedMailer(mailer, parts.guard("mail"), metrics.external),
        storage=GuardedStorage(_storage(settings), parts.guard("storage", retries=True), metrics.external),
        ticketing=GuardedTicketing(
            HttpTicketing(settings.ticketing_api_url, tokens),
            parts.guard("ticketing-api"),
            metrics.external,
        ),
        clock=system_clock,
        passwords=Argon2Passwords(),
        sealing=Sealing(SecretRing(keys / "sealing")),
        standing=standing_of(store, parts.coordination, system_clock),
        token_keys=token_keys,
        access_tokens=AccessTokens(token_keys, settings.token_issuer, settings.token_audience),
        key_secrets=SecretRing(keys / "api-keys"),
        link_secrets=SecretRing(keys / "links"),
        pseudonym_secrets=SecretRing(keys / "pseudonyms"),
        second_factor_roles=second_factor_roles(settings),
        public_url=settings.public_url,
        media_url=settings.media_url,
        upload_folder=settings.data_dir / "uploads",
        backups=BackupDesk(
            coordination=parts.coordination,
            repository=shown(settings.backup_repository),
            hour=settings.backup_hour,
        ),
    )


def _storage(settings: Settings) -> Storage:
    if not settings.media_store:
        return FolderStorage(settings.data_dir / "media")
    # Not at the top: the library for it is only wanted in memory where there is a bucket.
    from admin_service.clients.s3_storage import Bucket, S3Storage  # noqa: PLC0415

    name, _, prefix = settings.media_store.removeprefix("s3://").partition("/")
    return S3Storage(
        Bucket(
            name=name,
            prefix=prefix,
            endpoint_url=settings.s3_endpoint_url,
            region=settings.s3_region,
            access_key_id=settings.s3_access_key_id,
            secret_access_key=settings.s3_secret_access_key,
        )
    )


def standing_of(store: Store, coordination: Coordination, clock: Clock) -> StoreStanding:
    """The present standing of credentials, as the store has it."""
    return StoreStanding(
        store.standing.generation,
        lambda: store.standing.read(clock()),
        lambda: coordination.epoch(STANDING),
    )
