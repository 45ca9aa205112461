"""Every setting there is: name, default, how it is read, what it is for. The gateway and the sandbox read
theirs alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common import setting_types as kinds

DEFAULT_DATABASES: Mapping[str, str] = {"ticketing": "ticketing.sqlite3", "admin": "admin.sqlite3"}

_TICKETING = frozenset({"ticketing"})
_NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting. `field`: its name in `Settings`, empty when another program reads it. `required_by`:
    services."""

    name: str
    kind: kinds.Parse
    help: str
    default: str = ""
    field: str = ""
    secret: bool = False
    required_by: frozenset[str] = _NOBODY

    @property
    def is_port(self) -> bool:
        """Whether Kubernetes may put a service link in its place."""
        return self.name.endswith("_PORT")

    def parse(self, text: str) -> Any:
        """The value for `text`. Raises SettingError."""
        return self.kind(self.name, text)


def _ours(name: str, kind: kinds.Parse, help_: str, default: str = "", **more: Any) -> Setting:
    return Setting(name=name, kind=kind, help=help_, default=default, **{"field": name.lower(), **more})


def _theirs(name: str, kind: kinds.Parse, help_: str, default: str = "") -> Setting:
    return Setting(name=name, kind=kind, help=help_, default=default)


def _own(name: str, kind: kinds.Parse, help_: str, default: str) -> Setting:
    """One of a pair of which each service has its own."""
    return Setting(name=name, kind=kind, help=help_, default=default)


def _hidden(name: str, kind: kinds.Parse, help_: str) -> Setting:
    return Setting(name=name, kind=kind, help=help_, secret=True)


_PORT = kinds.integer(1, 65535)
_REDIS_DB = kinds.integer(0, 9999)

SETTINGS: tuple[Setting, ...] = (
    _ours(
        "PUBLIC_URL",
        kinds.url("http", "https"),
        "Where visitors reach the gateway; links and tokens carry it (default: the gateway's port here).",
    ),
    _ours("BIND_HOST", kinds.bind_host, "The address that all processes listen on.", "127.0.0.1"),
    _ours("GATEWAY_PORT", _PORT, "The port of the gateway.", "3001"),
    _ours("ADMIN_PORT", _PORT, "The port of the admin service.", "3003"),
    _ours("TICKETING_PORT", _PORT, "The port of the ticketing service.", "3004"),
    _ours("PAYMENT_PORT", _PORT, "The port of the payment module.", "3005"),
    _ours("DATA_DIR", kinds.path, "The folder for all that a run writes; a local disk.", "data"),
    _hidden(
        "DATABASE_URL",
        kinds.database_url,
        "The store of both services: sqlite:///file, mysql+pymysql://user:password@host/database or "
        "mongodb://user:password@host/database, where a cluster's nodes are several hosts separated by "
        "commas (default: a file in DATA_DIR).",
    ),
    _ours(
        "DATABASE_READ_URL",
        kinds.database_url,
        "A replica of ticketing's MariaDB that answers what visitors are shown of the catalogue: "
        "mysql+pymysql://user:password@host/database (unset: the store itself). Nothing is decided there.",
        secret=True,
    ),
    _hidden(
        "TICKETING_DATABASE_URL",
        kinds.database_url,
        "The store of the ticketing service, before DATABASE_URL.",
    ),
    _hidden("ADMIN_DATABASE_URL", kinds.database_url, "The store of the admin service, before DATABASE_URL."),
    _ours(
        "REDIS_HOST",
        kinds.text,
        "The Redis server that machines share caches and coordination through (unset: files in DATA_DIR, for "
        "one machine).",
    ),
    _ours("REDIS_PORT", _PORT, "The port of the Redis server.", "6379"),
    _ours("REDIS_PASSWORD", kinds.text, "The password of the Redis server.", secret=True),
    _ours(
        "REDIS_TIMEOUT_MS",
        kinds.integer(10, 60_000),
        "How long a call of the Redis server may take before it counts as away, in milliseconds.",
        "200",
    ),
    _own("REDIS_DB_TICKETING", _REDIS_DB, "The Redis database of the ticketing service.", "2"),
    _own("REDIS_DB_ADMIN", _REDIS_DB, "The Redis database of the admin service.", "3"),
    _ours(
        "REDIS_SENTINELS",
        kinds.addresses,
        "Sentinels that know the Redis server, host:port separated by commas (before REDIS_HOST).",
    ),
    _ours("REDIS_MASTER", kinds.text, "What the sentinels call the Redis server."),
    _ours(
        "PAYMENT_API_URL",
        kinds.url("http", "https"),
        "Where the payment module is (default: PAYMENT_PORT here).",
    ),
    _ours(
        "PAYMENT_API_TOKEN",
        kinds.secrets(16),
        "The bearer token for the payment module; the first of two is sent.",
        field="payment_api_tokens",
        secret=True,
        required_by=_TICKETING,
    ),
    _ours(
        "PAYMENT_WEBHOOK_SECRET",
        kinds.secrets(16),
        "What the payment module signs its webhooks with; two while rotating.",
        field="payment_webhook_secrets",
        secret=True,
        required_by=_TICKETING,
    ),
    _ours(
        "POI_DIRECTORY",
        kinds.file_or_url,
        "Where points of interest come from: a GeoJSON file or the admin service's URL (default: "
        "pois.geojson in DATA_DIR).",
    ),
    _ours(
        "TICKETING_API_URL",
        kinds.url("http", "https"),
        "Where the admin service reaches ticketing (default: TICKETING_PORT here).",
    ),
    _ours(
        "MEDIA_STORE",
        kinds.media_store,
        "Where the bytes of media are: s3://bucket/prefix (unset: the folder media in DATA_DIR, which the "
        "gateway serves).",
    ),
    _ours(
        "MEDIA_URL",
        kinds.url("http", "https"),
        "Where browsers read media: the gateway's /media, or the bucket's own address (default: PUBLIC_URL "
        "and /media).",
    ),
    _ours(
        "S3_ENDPOINT_URL",
        kinds.url("http", "https"),
        "What speaks like S3, where it is not Amazon's (MinIO, Ceph, R2).",
    ),
    _ours("S3_REGION", kinds.text, "The region of the bucket.", "us-east-1"),
    _ours(
        "S3_ACCESS_KEY_ID", kinds.text, "The bucket's access key (unset: the machine's role).", secret=True
    ),
    _ours("S3_SECRET_ACCESS_KEY", kinds.text, "The secret of that access key.", secret=True),
    _ours(
        "BACKUP_REPOSITORY",
        kinds.text,
        "Where backups go, as restic writes it: a folder, s3:https://host/bucket, sftp:user@host:/folder "
        "(unset: no backups).",
    ),
    _ours(
        "BACKUP_PASSWORD",
        kinds.passphrase(16),
        "What backups are encrypted with, at least 16 characters. Without it no backup can ever be read: "
        "keep it in another place too.",
        secret=True,
    ),
    _ours(
        "BACKUP_HOUR",
        kinds.integer(0, 23),
        "The hour, in UTC, after which the admin worker makes the day's backup.",
        "3",
    ),
    _ours(
        "BACKUP_S3_ACCESS_KEY_ID",
        kinds.text,
        "The access key of a bucket with backups (unset: what restic finds, such as AWS_ACCESS_KEY_ID).",
        secret=True,
    ),
    _ours("BACKUP_S3_SECRET_ACCESS_KEY", kinds.text, "The secret of that access key.", secret=True),
    _ours(
        "BACKUP_SFTP_IDENTITY",
        kinds.file,
        "The file with the private SSH key for backups over sftp (unset: the keys of the worker's user).",
    ),
    _ours(
        "BACKUP_SFTP_KNOWN_HOSTS",
        kinds.file,
        "The file with the public key of that host, as ssh writes it (unset: the known hosts of the worker's "
        "user).",
    ),
    _ours(
        "JWKS_SOURCE",
        kinds.file_or_url,
        "Where ticketing finds the public keys of access tokens: a file, or the admin service's URL with "
        "/.well-known/jwks.json (unset: nobody of the staff can sign in to ticketing).",
    ),
    _ours("TOKEN_ISSUER", kinds.text, "Who issues access tokens, the claim iss (default: PUBLIC_URL)."),
    _ours("TOKEN_AUDIENCE", kinds.text, "Whom access tokens are for, the claim aud.", "destination"),
    _ours("TRUSTED_ISSUERS", kinds.names, "Further issuers whose tokens are taken, separated by commas."),
    _ours(
        "MFA_REQUIRED_FOR",
        kinds.names,
        "Roles that must sign in with a second factor, separated by commas, such as platform_admin.",
    ),
    _ours(
        "ADMIN_API_URL",
        kinds.url("http", "https"),
        "Where the admin service is: ticketing follows there whose credentials have ended, and which keys "
        "there are (unset: nowhere).",
    ),
    _ours(
        "SERVICE_KEY",
        kinds.secrets(32),
        "What the services sign their calls to each other with; two while rotating (default: a key in "
        "DATA_DIR, for services that share it).",
        field="service_keys",
        secret=True,
    ),
    _ours(
        "OPERATOR_KEY",
        kinds.secrets(32),
        "A bearer that may operate the services without a token, at least 32 characters (unset: off).",
        field="operator_keys",
        secret=True,
    ),
    _ours(
        "TRUSTED_PROXIES",
        kinds.networks,
        "Networks whose X-Real-IP and X-Request-Id are believed, beside loopback.",
    ),
    _ours(
        "RETURN_URL_ORIGINS", kinds.origins, "Origins that a payer may be sent back to (default: PUBLIC_URL)."
    ),
    _ours(
        "SMTP_URL",
        kinds.url("smtp", "smtps", "smtp+starttls"),
        "The mail server: smtp://, smtp+starttls:// or smtps://user:password@host:port (unset: mail becomes "
        "files in DATA_DIR/mail).",
        secret=True,
    ),
    _ours(
        "WEBHOOK_NETWORKS",
        kinds.networks,
        "Networks that webhooks are delivered to although they are not public, and there over http:// too, "
        "such as 10.1.0.0/16 (unset: none).",
    ),
    _ours("MAIL_FROM", kinds.text, "The sender of mail.", "tickets@localhost"),
    _ours("WEB_WORKERS", kinds.workers, "Worker processes of a service, 1 to 64 (default: one a core)."),
    _ours("WEB_THREADS", kinds.integer(4, 64), "Threads of a worker process.", "8"),
    _theirs(
        "WEB_CORES",
        kinds.choice("auto", "shared"),
        "auto: each worker of the ticketing service keeps to a core, if WEB_WORKERS can be shared out "
        "evenly; shared: any worker runs on any core.",
        "auto",
    ),
    _ours(
        "LOG_LEVEL",
        kinds.choice("debug", "info", "warning", "error"),
        "The least severe log lines to write.",
        "info",
    ),
    _ours("ENVIRONMENT", kinds.text, "What health calls this installation.", "development"),
    _theirs(
        "MONITORING_ALLOW",
        kinds.networks,
        "Gateway: networks that may see the monitoring addresses (unset: none).",
    ),
    _theirs(
        "CORS_ORIGINS", kinds.origins, "Gateway: web origins whose pages may call the API (unset: none)."
    ),
    _theirs(
        "GATEWAY_RATE",
        kinds.integer(1, 1_000_000),
        "Gateway: requests a second that a client may send.",
        "20",
    ),
    _theirs(
        "GATEWAY_BURST",
        kinds.integer(1, 1_000_000),
        "Gateway: requests beyond the rate that are let through at once.",
        "60",
    ),
    _theirs("GATEWAY_TLS_CERT", kinds.text, "Gateway: the certificate chain (unset: plain HTTP)."),
    _theirs("GATEWAY_TLS_KEY", kinds.text, "Gateway: the certificate's private key."),
    _theirs(
        "PAYMENT_WEBHOOK_URL",
        kinds.url("http", "https"),
        "Sandbox: where it sends webhooks (default: TICKETING_PORT here).",
    ),
    _theirs("PAYMENT_SESSION_MINUTES", kinds.integer(1, 1440), "Sandbox: how long a payer has.", "15"),
    _theirs(
        "PAYMENT_CAPTURE_MODE",
        kinds.choice("authorize", "capture"),
        "Sandbox: what a payment leads to.",
        "authorize",
    ),
)
