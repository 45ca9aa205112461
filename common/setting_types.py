"""How the text of a setting becomes a value; each function raises SettingError with one clear line."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Secrets = tuple[str, ...]
Parse = Callable[[str, str], Any]
"""(name, text) -> value; the text is stripped, and empty when the setting has neither value nor default."""


class SettingError(Exception):
    """A setting that the service cannot start with; the message is one line and names it."""


def text(name: str, given: str) -> str:
    """Printable text."""
    if not given.isprintable():
        raise SettingError(f"{name} must be one line of printable text")
    return given


def integer(low: int, high: int) -> Parse:
    """A whole number from `low` to `high`."""

    def parse(name: str, given: str) -> int:
        if not (given.isascii() and given.isdigit() and len(given) < 10 and low <= int(given) <= high):
            raise SettingError(f"{name} must be a whole number from {low} to {high}, not {given!r}")
        return int(given)

    return parse


def workers(name: str, given: str) -> int:
    """How many worker processes: 1 to 64, by default one for each core that the process may use."""
    return int(integer(1, 64)(name, given or str(min(64, len(os.sched_getaffinity(0))))))


def choice(*allowed: str) -> Parse:
    """One of `allowed`, in any case."""

    def parse(name: str, given: str) -> str:
        for value in allowed:
            if value.lower() == given.lower():
                return value
        raise SettingError(f"{name} must be one of {', '.join(allowed)}, not {given!r}")

    return parse


def url(*schemes: str) -> Parse:
    """A URL with one of `schemes` and a host, or nothing; without a slash at its end."""

    def parse(name: str, given: str) -> str:
        if not given:
            return ""
        if not _is_url(given, schemes):
            raise SettingError(
                f"{name} must be a URL that begins with {' or '.join(s + '://' for s in schemes)}"
            )
        return given.rstrip("/")

    return parse


def media_store(name: str, given: str) -> str:
    """`s3://bucket` or `s3://bucket/prefix`, or nothing for the folder."""
    if given and re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[a-z0-9_-]+)*", given) is None:
        raise SettingError(f"{name} must be s3://bucket or s3://bucket/prefix, in small letters")
    return given


def database_url(name: str, given: str) -> str:
    """`sqlite:///path`, `mysql+pymysql://user:password@host[,host]/database` or
    `mongodb://user:password@host[,host]/database`, or nothing.
    """
    scheme, _, rest = given.partition("://")
    servers = scheme in ("mysql+pymysql", "mongodb") and "/" in rest
    if given and not (rest.startswith("/") if scheme == "sqlite" else servers):
        raise SettingError(
            f"{name} must begin with sqlite:///, mysql+pymysql:// or mongodb:// and name a database"
        )
    return given


def bind_host(name: str, given: str) -> str:
    """An IP address or localhost."""
    if given != "localhost":
        try:
            ipaddress.ip_address(given)
        except ValueError as error:
            raise SettingError(f"{name} must be an IP address or localhost, not {given!r}") from error
    return given


def path(name: str, given: str) -> Path:
    """A path, made absolute."""
    return Path(text(name, given)).absolute()


def file(name: str, given: str) -> str:
    """The path of a file, made absolute; or nothing."""
    return str(path(name, given)) if given else ""


def file_or_url(name: str, given: str) -> str:
    """An http(s) URL, or the path of a file, made absolute; or nothing."""
    if "://" in given:
        return str(url("http", "https")(name, given))
    return file(name, given)


def names(name: str, given: str) -> tuple[str, ...]:
    """Texts separated by commas."""
    return tuple(dict.fromkeys(item.strip() for item in text(name, given).split(",") if item.strip()))


def networks(name: str, given: str) -> tuple[Network, ...]:
    """IP addresses and networks separated by commas."""
    try:
        return tuple(ipaddress.ip_network(item) for item in names(name, given))
    except ValueError as error:
        raise SettingError(f"{name} must list IP addresses and networks: {error}") from error


def addresses(name: str, given: str) -> tuple[tuple[str, int], ...]:
    """host:port (an IPv6 host in brackets) separated by commas."""
    found = []
    for item in names(name, given):
        try:
            parts = urlsplit(f"//{item}")
            fits = parts.netloc == item and parts.hostname and parts.port and "@" not in item
        except ValueError:
            fits = False
        if not fits:
            raise SettingError(f"{name} must list addresses such as 10.0.0.1:26379, not {item!r}")
        found.append((str(parts.hostname), int(parts.port or 0)))
    return tuple(found)


def origins(name: str, given: str) -> tuple[str, ...]:
    """Web origins (RFC 6454: scheme, host, port) separated by commas."""
    for item in names(name, given):
        if not _is_url(item, ("http", "https")) or urlsplit(item).path or urlsplit(item).query:
            raise SettingError(f"{name} must list origins such as https://www.example.org, not {item!r}")
    return tuple(item.lower() for item in names(name, given))


def secrets(shortest: int, most: int = 2) -> Parse:
    """Up to `most` secrets separated by commas, each of at least `shortest` ASCII characters; or none."""

    def parse(name: str, given: str) -> Secrets:
        values = tuple(item.strip() for item in given.split(",") if item.strip())
        # The value itself must not come into a log.
        if len(values) > most:
            raise SettingError(f"{name} takes at most {most} values, separated by a comma while rotating")
        if any(len(value) < shortest or not value.isascii() or not value.isprintable() for value in values):
            raise SettingError(f"{name} must be at least {shortest} printable ASCII characters long")
        return values

    return parse


def passphrase(shortest: int) -> Parse:
    """One secret of at least `shortest` printable characters, commas included; or none."""

    def parse(name: str, given: str) -> str:
        # The value itself must not come into a log.
        if given and (len(given) < shortest or not given.isprintable()):
            raise SettingError(f"{name} must be at least {shortest} printable characters long")
        return given

    return parse


def _is_url(given: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(given)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.hostname) and given.isprintable() and " " not in given
