"""The gateway's part of the environment, checked. The standard library only: it runs without the rest."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

# A path goes into a quoted argument, where a quote, a backslash, a dollar or a line break has a meaning.
SAFE_PATH = re.compile(r"[A-Za-z0-9_./@+,=: -]+")
HOST = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])"
ORIGIN = re.compile(rf"(https?)://({HOST}(?::[0-9]{{1,5}})?)")
INSTANCE = re.compile(rf"({HOST}):([0-9]{{1,5}})")


class SettingError(Exception):
    """A setting that the gateway cannot start with; the message is one line and names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the gateway was started with; every text is safe in an nginx configuration.

    `upstreams`: by service, the `address:port` of each instance. A service that is not there has no routes.
    """

    bind_host: str
    gateway_port: int
    upstreams: Mapping[str, tuple[str, ...]]
    public_host: str
    run_dir: Path
    monitoring_allow: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    cors_origins: tuple[str, ...]
    requests_per_second: int
    burst: int
    tls: tuple[Path, Path] | None


def read_settings(
    environment: Mapping[str, str], services: Iterable[str], chosen: Iterable[str] = ()
) -> Settings:
    """Check the environment. Raises SettingError, one line.

    `services`: the names that there are. `chosen`: NAME=ADDRESS:PORT[,ADDRESS:PORT...], which goes before the
    service's port on this machine.
    """
    port = _integer(environment, "GATEWAY_PORT", 3001, 1, 65535)
    return Settings(
        bind_host=_bind_host(environment),
        gateway_port=port,
        upstreams=_upstreams(environment, tuple(services), chosen),
        public_host=_public_host(environment, f"http://127.0.0.1:{port}"),
        run_dir=_path("DATA_DIR", environment.get("DATA_DIR", "").strip() or "data") / "gateway",
        monitoring_allow=_list(environment, "MONITORING_ALLOW", _network),
        trusted_proxies=_list(environment, "TRUSTED_PROXIES", _network),
        cors_origins=_list(environment, "CORS_ORIGINS", _origin),
        requests_per_second=_integer(environment, "GATEWAY_RATE", 20, 1, 1_000_000),
        burst=_integer(environment, "GATEWAY_BURST", 60, 1, 1_000_000),
        tls=_tls(environment),
    )


def _upstreams(
    environment: Mapping[str, str], services: tuple[str, ...], chosen: Iterable[str]
) -> Mapping[str, tuple[str, ...]]:
    here = {
        "ticketing": _integer(environment, "TICKETING_PORT", 3004, 1, 65535),
        "payment": _integer(environment, "PAYMENT_PORT", 3005, 1, 65535),
    }
    upstreams: dict[str, tuple[str, ...]] = {name: (f"127.0.0.1:{port}",) for name, port in here.items()}
    for text in chosen:
        name, _, listed = text.partition("=")
        if name not in services:
            raise SettingError(f"--upstream must begin with one of {', '.join(services)} and =, not {text!r}")
        found = [instance for item in listed.split(",") for instance in _instances(item.strip())]
        upstreams[name] = tuple(dict.fromkeys(found))
    return upstreams


def _instances(text: str) -> list[str]:
    # Names are looked up here, once, as nginx itself would: so the health checks ask what it balances over.
    match = INSTANCE.fullmatch(text.lower())
    if match is None or not 1 <= int(match[2]) <= 65535:
        raise SettingError(f"--upstream must list ADDRESS:PORT, separated by commas, not {text!r}")
    try:
        found = socket.getaddrinfo(match[1].strip("[]"), int(match[2]), type=socket.SOCK_STREAM)
    except OSError as error:
        raise SettingError(f"--upstream: {text} cannot be found: {error.strerror}") from error
    addresses = dict.fromkeys(str(entry[4][0]) for entry in found)
    return [f"[{address}]:{match[2]}" if ":" in address else f"{address}:{match[2]}" for address in addresses]


def _integer(environment: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environment.get(name, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise SettingError(f"{name} must be a whole number from {low} to {high}, not {text!r}")
    return int(text)


def _path(name: str, text: str) -> Path:
    path = Path(text).resolve()
    if not SAFE_PATH.fullmatch(text) or not SAFE_PATH.fullmatch(str(path)):
        raise SettingError(f"{name} may hold letters, digits, spaces and _./@+,=:- only: {str(path)!r}")
    return path


def _without_scope(text: str) -> str:
    # Python takes any text after a per cent sign for an IPv6 scope and gives it back.
    if "%" in text:
        raise ValueError(f"{text!r} has a scope")
    return text


def _network(name: str, text: str) -> str:
    try:
        return str(ipaddress.ip_network(_without_scope(text)))
    except ValueError as error:
        raise SettingError(f"{name} must list IP addresses and networks; {error}") from error


def _origin(name: str, text: str) -> str:
    if not ORIGIN.fullmatch(text):
        raise SettingError(f"{name} must list origins such as https://www.example.org, not {text!r}")
    return text


def _list(environment: Mapping[str, str], name: str, check: Callable[[str, str], str]) -> tuple[str, ...]:
    items = (item.strip() for item in environment.get(name, "").split(","))
    return tuple(dict.fromkeys(check(name, item) for item in items if item))


def _bind_host(environment: Mapping[str, str]) -> str:
    text = environment.get("BIND_HOST", "").strip() or "127.0.0.1"
    try:
        return str(ipaddress.ip_address(_without_scope("127.0.0.1" if text == "localhost" else text)))
    except ValueError as error:
        raise SettingError(f"BIND_HOST must be an IP address or localhost, not {text!r}") from error


def _public_host(environment: Mapping[str, str], default: str) -> str:
    text = environment.get("PUBLIC_URL", "").strip() or default
    match = ORIGIN.fullmatch(text.removesuffix("/").lower())
    if match is None:
        raise SettingError(f"PUBLIC_URL must be http:// or https:// with a host and no path, not {text!r}")
    return match[2]


def _tls(environment: Mapping[str, str]) -> tuple[Path, Path] | None:
    names = ("GATEWAY_TLS_CERT", "GATEWAY_TLS_KEY")
    given = {name: environment.get(name, "").strip() for name in names}
    if not any(given.values()):
        return None
    for name, text in given.items():
        if not text:
            raise SettingError(f"{name} is missing: a certificate and its key come together")
        if not os.access(_path(name, text), os.R_OK):
            raise SettingError(f"{name} is not a file that can be read: {text!r}")
    return _path(names[0], given[names[0]]), _path(names[1], given[names[1]])
