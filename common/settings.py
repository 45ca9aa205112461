"""Settings: read once from the environment, checked, and then a frozen value that is handed around."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from common.setting_types import Network, Secrets, SettingError
from common.settings_table import DEFAULT_DATABASES, SETTINGS, Setting

__all__ = ["SETTINGS", "Setting", "SettingError", "Settings", "load", "load_or_exit", "render_env_example"]

ServiceName = Literal["ticketing", "admin"]

# A name that begins like one of ours but is none is taken for a slip of the pen.
_FAMILIES = (
    "TICKETING_",
    "ADMIN_",
    "PAYMENT_",
    "GATEWAY_",
    "WEB_",
    "WEBHOOK_",
    "TOKEN_",
    "MFA_",
    "JWKS_",
    "POI_",
    "REDIS_",
    "SMTP_",
    "MAIL_",
    "MEDIA_",
    "S3_",
    "BACKUP_",
)
# What Kubernetes adds to every container for each Service; a Service may well be called `ticketing`.
_SERVICE_LINK = re.compile(r"\w+_(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_[0-9]+_(?:TCP|UDP)(?:_\w+)?)")

_LINK_SCHEMES = ("tcp://", "udp://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one service was started with. Of several secrets the first signs and all verify."""

    service: ServiceName
    public_url: str
    bind_host: str
    gateway_port: int
    admin_port: int
    ticketing_port: int
    payment_port: int
    data_dir: Path
    database_url: str = field(repr=False)
    database_read_url: str = field(repr=False)
    redis_host: str
    redis_port: int
    redis_timeout_ms: int
    redis_password: str = field(repr=False)
    redis_db: int
    redis_sentinels: tuple[tuple[str, int], ...]
    redis_master: str
    payment_api_url: str
    payment_api_tokens: Secrets = field(repr=False)
    payment_webhook_secrets: Secrets = field(repr=False)
    ticketing_api_url: str
    media_store: str
    media_url: str
    s3_endpoint_url: str
    s3_region: str
    s3_access_key_id: str = field(repr=False)
    s3_secret_access_key: str = field(repr=False)
    backup_repository: str
    backup_password: str = field(repr=False)
    backup_hour: int
    backup_s3_access_key_id: str = field(repr=False)
    backup_s3_secret_access_key: str = field(repr=False)
    backup_sftp_identity: str
    backup_sftp_known_hosts: str
    poi_directory: str
    jwks_source: str
    token_issuer: str
    token_audience: str
    trusted_issuers: tuple[str, ...]
    mfa_required_for: tuple[str, ...]
    admin_api_url: str
    service_keys: Secrets = field(repr=False)
    operator_keys: Secrets = field(repr=False)
    trusted_proxies: tuple[Network, ...]
    return_url_origins: tuple[str, ...]
    smtp_url: str = field(repr=False)
    webhook_networks: tuple[Network, ...]
    mail_from: str
    web_workers: int
    web_threads: int
    log_level: str
    environment: str

    @property
    def port(self) -> int:
        """The service's own port."""
        return self.ticketing_port if self.service == "ticketing" else self.admin_port


def load(service: ServiceName, environ: Mapping[str, str], *, complete: bool = True) -> Settings:
    """Read the settings of `service` from `environ`. Raises SettingError, one line that names the setting.

    Without `complete`, what is required to serve may be missing: a command that only wants the database.
    """
    _refuse_unknown(environ)
    values = {setting.name: setting.parse(_text(setting, environ)) for setting in SETTINGS}
    for setting in SETTINGS:
        if complete and service in setting.required_by and not values[setting.name]:
            raise SettingError(f"{setting.name} is missing: {setting.help}")
    if bool(values["REDIS_SENTINELS"]) != bool(values["REDIS_MASTER"]):
        raise SettingError("REDIS_SENTINELS and REDIS_MASTER go together: set both, or neither")
    if bool(values["BACKUP_REPOSITORY"]) != bool(values["BACKUP_PASSWORD"]):
        raise SettingError("BACKUP_REPOSITORY and BACKUP_PASSWORD go together: set both, or neither")
    data_dir: Path = values["DATA_DIR"]
    own_url = values[f"{service.upper()}_DATABASE_URL"] or values["DATABASE_URL"]
    if service == "ticketing" and values["DATABASE_READ_URL"]:
        _require_mysql("DATABASE_READ_URL", values["DATABASE_READ_URL"], own_url)
    public_url = values["PUBLIC_URL"] or f"http://127.0.0.1:{values['GATEWAY_PORT']}"
    known: dict[str, Any] = {setting.field: values[setting.name] for setting in SETTINGS if setting.field}
    known.update(
        service=service,
        poi_directory=values["POI_DIRECTORY"] or str(data_dir / "pois.geojson"),
        public_url=public_url,
        database_url=own_url or f"sqlite:///{data_dir / DEFAULT_DATABASES[service]}",
        redis_db=values[f"REDIS_DB_{service.upper()}"],
        payment_api_url=values["PAYMENT_API_URL"] or f"http://127.0.0.1:{values['PAYMENT_PORT']}",
        ticketing_api_url=values["TICKETING_API_URL"] or f"http://127.0.0.1:{values['TICKETING_PORT']}",
        media_url=values["MEDIA_URL"] or f"{public_url}/media",
        token_issuer=values["TOKEN_ISSUER"] or public_url,
        return_url_origins=values["RETURN_URL_ORIGINS"] or (public_url,),
    )
    return Settings(**known)


def load_or_exit(
    service: ServiceName, environ: Mapping[str, str] = os.environ, *, complete: bool = True
) -> Settings:
    """`load`, or one line on standard error and exit status 2."""
    try:
        return load(service, environ, complete=complete)
    except SettingError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from error


def render_env_example() -> str:
    """The text of .env.example: every setting with its default and what it is for."""
    lines = ["# Every setting. A line without a value shows the default; secrets have none.", ""]
    for setting in SETTINGS:
        notes = [setting.help]
        if setting.secret:
            notes.append(f"Secret: {setting.name}_FILE may name a file that holds it.")
        lines += [f"# {note}" for note in notes]
        lines += [f"#{setting.name}={setting.default}", ""]
    return "\n".join(lines)


def _require_mysql(name: str, url: str, own_url: str) -> None:
    if not (url.startswith("mysql+pymysql://") and own_url.startswith("mysql+pymysql://")):
        raise SettingError(f"{name} is the replica of a MariaDB store: both URLs begin with mysql+pymysql://")


def _text(setting: Setting, environ: Mapping[str, str]) -> str:
    text = environ.get(setting.name, "").strip()
    file_name = environ.get(f"{setting.name}_FILE", "").strip() if setting.secret else ""
    if file_name:
        if text:
            raise SettingError(f"{setting.name} and {setting.name}_FILE are both set: keep one of them")
        try:
            text = Path(file_name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingError(f"{setting.name}_FILE cannot be read: {error}") from error
        if not text:
            raise SettingError(f"{setting.name}_FILE is empty: {file_name}")
    elif setting.is_port and text.startswith(_LINK_SCHEMES):
        raise SettingError(
            f"{setting.name}={text} is a Kubernetes service link: set {setting.name} yourself, "
            "or set enableServiceLinks: false in the pod"
        )
    return text or setting.default


def _is_service_link(name: str, text: str) -> bool:
    return bool(_SERVICE_LINK.fullmatch(name)) or (name.endswith("_PORT") and text.startswith(_LINK_SCHEMES))


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = {setting.name for setting in SETTINGS} | {
        f"{setting.name}_FILE" for setting in SETTINGS if setting.secret
    }
    for name in sorted(environ):
        if name in known or not name.startswith(_FAMILIES) or _is_service_link(name, environ[name]):
            continue
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise SettingError(f"{name} is not a setting{hint}")
