"""Settings of the sandbox, read once from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

CAPTURE_MODES = ("authorize", "capture")
MIN_SECRET_LENGTH = 16


class SettingsError(Exception):
    """A setting is missing or impossible; the message is one line that names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the sandbox needs to run. Of the secrets the first value signs; every value is accepted."""

    bind_host: str
    port: int
    data_dir: Path
    api_tokens: tuple[str, ...]
    webhook_secrets: tuple[str, ...]
    webhook_url: str
    public_url: str
    session_minutes: int
    capture_mode: str
    log_level: str

    @property
    def database_path(self) -> Path:
        """The SQLite file that holds payments, keys and webhook deliveries."""
        return self.data_dir / "payment_sandbox" / "payments.sqlite3"


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings. Raises SettingsError with one clear line."""
    ticketing_port = _integer(environ, "TICKETING_PORT", 3004, low=1, high=65535)
    gateway_port = _integer(environ, "GATEWAY_PORT", 3001, low=1, high=65535)
    return Settings(
        bind_host=environ.get("BIND_HOST") or "127.0.0.1",
        port=_integer(environ, "PAYMENT_PORT", 3005, low=0, high=65535),
        data_dir=Path(environ.get("DATA_DIR") or "data"),
        api_tokens=_secrets(environ, "PAYMENT_API_TOKEN"),
        webhook_secrets=_secrets(environ, "PAYMENT_WEBHOOK_SECRET"),
        webhook_url=_url(
            environ, "PAYMENT_WEBHOOK_URL", f"http://127.0.0.1:{ticketing_port}/api/v1/webhooks/payment"
        ),
        public_url=_url(environ, "PUBLIC_URL", f"http://127.0.0.1:{gateway_port}").rstrip("/"),
        session_minutes=_integer(environ, "PAYMENT_SESSION_MINUTES", 15, low=1, high=24 * 60),
        capture_mode=_choice(environ, "PAYMENT_CAPTURE_MODE", "authorize", CAPTURE_MODES),
        log_level=_choice(environ, "LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
    )


def _integer(environ: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise SettingsError(f"{name} must be a whole number from {low} to {high}")
    return int(text)


def _choice(environ: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...]) -> str:
    text = environ.get(name, "").strip() or default
    for value in allowed:
        if text.lower() == value.lower():
            return value
    raise SettingsError(f"{name} must be one of {', '.join(allowed)}")


def _url(environ: Mapping[str, str], name: str, default: str) -> str:
    text = environ.get(name, "").strip() or default
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"{name} must be an http or https URL")
    return text


def _secrets(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """One or two comma-separated values, from NAME or from the file that NAME_FILE points to."""
    text = environ.get(name, "")
    file_name = environ.get(f"{name}_FILE", "").strip()
    if file_name:
        if text:
            raise SettingsError(f"{name} and {name}_FILE are both set: keep one")
        try:
            text = Path(file_name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{name}_FILE cannot be read: {error}") from error
    values = tuple(value.strip() for value in text.split(",") if value.strip())
    if not 1 <= len(values) <= 2:
        raise SettingsError(f"{name} is required: one value, or two separated by a comma while rotating")
    if any(len(value) < MIN_SECRET_LENGTH or not value.isascii() for value in values):
        raise SettingsError(f"{name} must be at least {MIN_SECRET_LENGTH} ASCII characters long")
    return values
