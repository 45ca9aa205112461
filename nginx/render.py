"""Write the gateway's nginx configuration from the environment, check it, or run it.

    python nginx/render.py                        write DATA_DIR/gateway
    python nginx/render.py --check                write it and let `nginx -t` judge it
    python nginx/render.py --exec                 write it and become nginx, in the foreground

The standard library only. A missing, impossible or unsafe setting ends it with status 2 and one line.
"""

from __future__ import annotations

import argparse
import grp
import ipaddress
import math
import os
import pwd
import re
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
TEMPLATE = SOURCE / "nginx.conf.template"
MODULE = "ngx_http_headers_more_filter_module.so"
MODULE_DIRS = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules")
SBIN_DIRS = "/usr/sbin:/usr/local/sbin:/sbin"

# A path goes into a quoted argument, where a quote, a backslash, a dollar or a line break has a meaning.
SAFE_PATH = re.compile(r"[A-Za-z0-9_./@+,=: -]+")
HOST = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])"
ORIGIN = re.compile(rf"(https?)://({HOST}(?::[0-9]{{1,5}})?)")
PLACEHOLDER = re.compile(r"@([A-Z][A-Z_]*)@")


class SettingError(Exception):
    """A setting that the gateway cannot start with; the message is one line and names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The gateway's part of the environment, checked; every text is safe in an nginx configuration."""

    bind_host: str
    gateway_port: int
    ticketing_port: int
    payment_port: int
    public_host: str
    run_dir: Path
    monitoring_allow: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    cors_origins: tuple[str, ...]
    requests_per_second: int
    burst: int
    tls: tuple[Path, Path] | None


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


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Check the environment. Raises SettingError, one line."""
    port = _integer(environment, "GATEWAY_PORT", 3001, 1, 65535)
    return Settings(
        bind_host=_bind_host(environment),
        gateway_port=port,
        ticketing_port=_integer(environment, "TICKETING_PORT", 3004, 1, 65535),
        payment_port=_integer(environment, "PAYMENT_PORT", 3005, 1, 65535),
        public_host=_public_host(environment, f"http://127.0.0.1:{port}"),
        run_dir=_path("DATA_DIR", environment.get("DATA_DIR", "").strip() or "data") / "gateway",
        monitoring_allow=_list(environment, "MONITORING_ALLOW", _network),
        trusted_proxies=_list(environment, "TRUSTED_PROXIES", _network),
        cors_origins=_list(environment, "CORS_ORIGINS", _origin),
        requests_per_second=_integer(environment, "GATEWAY_RATE", 20, 1, 1_000_000),
        burst=_integer(environment, "GATEWAY_BURST", 60, 1, 1_000_000),
        tls=_tls(environment),
    )


def modules_dir() -> str:
    """Return the folder of nginx's loadable modules. Raises SettingError if the one in use is nowhere."""
    for folder in MODULE_DIRS:
        if (Path(folder) / MODULE).is_file():
            return folder
    raise SettingError(f"{MODULE} is not installed (Debian: libnginx-mod-http-headers-more-filter)")


def nginx_binary() -> str:
    """Return the path of nginx, also when sbin is not in a normal user's PATH. Raises SettingError."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:{SBIN_DIRS}")
    if found is None:
        raise SettingError("nginx is not installed (Debian: nginx)")
    return found


def _lines(items: Iterable[str], indent: int) -> str:
    return "\n".join(" " * indent + item for item in items)


def _limits(settings: Settings) -> dict[str, str]:
    rate, burst = settings.requests_per_second, settings.burst
    booking_rate, booking_burst = max(1, rate // 4), max(1, burst // 3)
    per_minute, lookup_burst = max(1, rate // 2), max(1, burst // 12)
    figures = {
        "RATE": rate,
        "BURST": burst,
        "WINDOW": burst / rate,
        "BOOKING_RATE": booking_rate,
        "BOOKING_BURST": booking_burst,
        "BOOKING_WINDOW": booking_burst / booking_rate,
        "LOOKUP_RATE_PER_MINUTE": per_minute,
        "LOOKUP_BURST": lookup_burst,
        "LOOKUP_WINDOW": lookup_burst * 60 / per_minute,
        "LOOKUP_RETRY_AFTER": 60 / per_minute,
        "CONCURRENT": min(65_535, max(20, 2 * burst)),
    }
    return {name: str(max(1, math.ceil(value))) for name, value in figures.items()}


def _process(settings: Settings) -> dict[str, str]:
    # nginx warns when it may open fewer files than it may have connections; a proxied request needs two.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    open_files = 16_384 if hard == resource.RLIM_INFINITY else min(16_384, hard)
    # `user` is a warning for a normal user; without it root's workers would be `nobody`, who may not write to
    # DATA_DIR. So the workers are always who starts them.
    is_root = os.geteuid() == 0
    user = f"user {pwd.getpwuid(0).pw_name} {grp.getgrgid(os.getegid()).gr_name};" if is_root else ""
    host = f"[{settings.bind_host}]" if ":" in settings.bind_host else settings.bind_host
    return {
        "USER_LINE": user,
        "OPEN_FILES": str(open_files),
        "CONNECTIONS": str(open_files // 2),
        "MODULES_DIR": modules_dir(),
        "LISTEN": f"{host}:{settings.gateway_port}" + (" ssl http2" if settings.tls else ""),
    }


def _tls_lines(settings: Settings) -> str:
    if settings.tls is None:
        return ""
    certificate, key = settings.tls
    files = (f'ssl_certificate "{certificate}";', f'ssl_certificate_key "{key}";')
    return _lines((*files, 'include "' + str(settings.run_dir / "snippets/tls.conf") + '";'), 8)


def placeholders(settings: Settings, access_log: str) -> dict[str, str]:
    """Return the text of every @NAME@ in the template and the snippets."""
    return {
        "RUN_DIR": str(settings.run_dir),
        "PUBLIC_HOST": settings.public_host,
        "TICKETING_PORT": str(settings.ticketing_port),
        "PAYMENT_PORT": str(settings.payment_port),
        "ACCESS_LOG": "/dev/stdout" if access_log == "stdout" else str(settings.run_dir / "access.log"),
        "TRUSTED_PROXY_LINES": _lines((f"set_real_ip_from {net};" for net in settings.trusted_proxies), 0),
        "TRUSTED_PROXY_NETWORKS": _lines((f"{net} 1;" for net in settings.trusted_proxies), 4),
        "MONITORING_NETWORKS": _lines((f"{net} 1;" for net in settings.monitoring_allow), 4),
        "CORS_ORIGIN_LINES": _lines((f'"~^{re.escape(o)}\\z" "{o}";' for o in settings.cors_origins), 4),
        "TLS_LINES": _tls_lines(settings),
        **_limits(settings),
        **_process(settings),
    }


def render(settings: Settings, access_log: str = "stdout") -> Path:
    """Write the configuration and return its path. A file is replaced in one step, never half written."""
    values = placeholders(settings, access_log)
    settings.run_dir.parent.mkdir(parents=True, exist_ok=True)
    for folder in ("", "snippets", "temp"):
        (settings.run_dir / folder).mkdir(exist_ok=True, mode=0o700)
    for source in (*sorted((SOURCE / "snippets").glob("*.conf")), TEMPLATE):
        name = "nginx.conf" if source == TEMPLATE else f"snippets/{source.name}"
        text = PLACEHOLDER.sub(lambda match: values[match[1]], source.read_text(encoding="utf-8"))
        part = settings.run_dir / f"{name}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(settings.run_dir / name)
    return settings.run_dir / "nginx.conf"


def _refuse_busy_port(settings: Settings) -> None:
    # nginx itself says it in five lines, over two and a half seconds.
    family = socket.AF_INET6 if ":" in settings.bind_host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind((settings.bind_host, settings.gateway_port))
        except OSError as error:
            address = f"{settings.bind_host} port {settings.gateway_port}"
            raise SettingError(f"GATEWAY_PORT: cannot listen on {address}: {error.strerror}") from error


def _refuse(message: str) -> int:
    sys.stderr.write(f"gateway: {message}\n")
    return 2


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(description="Write, check or run the gateway's nginx configuration.")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="let nginx judge the configuration")
    what.add_argument("--exec", action="store_true", help="become nginx, in the foreground")
    parser.add_argument("--access-log", choices=("stdout", "file"), default="stdout")
    options = parser.parse_args(arguments)
    try:
        settings = read_settings(os.environ)
        configuration = render(settings, options.access_log)
        binary = nginx_binary()
        if options.exec:
            _refuse_busy_port(settings)
    except SettingError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"DATA_DIR: cannot write {error.filename}: {error.strerror}")
    command = [binary, "-p", f"{settings.run_dir}/", "-e", "stderr", "-c", str(configuration)]
    if options.check:
        return subprocess.run([*command, "-t"], check=False).returncode
    if options.exec:
        os.execv(binary, command)  # noqa: S606 (the process becomes nginx, there is no shell)
    return 0


if __name__ == "__main__":
    sys.exit(main())
