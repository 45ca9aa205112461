"""Write the gateway's nginx configuration from the environment, check it, or run it.

    python nginx/render.py                        write DATA_DIR/gateway
    python nginx/render.py --check                write it and let `nginx -t` judge it
    python nginx/render.py --exec                 write it and run nginx, in the foreground

`--upstream NAME=ADDRESS:PORT,...` says where the instances of a service are. Without it, ticketing and the
payment module are on this machine at their ports, and there is no admin service. SIGHUP to a running gateway
takes over what was written anew, without dropping a request.

The standard library only. A missing, impossible or unsafe setting ends it with status 2 and one line.
"""

from __future__ import annotations

import argparse
import grp
import math
import os
import pwd
import re
import resource
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

# Run as a script, so Python looks beside it and not in the folder above for the modules of `nginx`.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from nginx.foreground import Foreground
from nginx.registry import NAMES, registry_module, upstream_blocks
from nginx.settings import SettingError, Settings, read_settings

SOURCE = Path(__file__).resolve().parent
TEMPLATE = SOURCE / "nginx.conf.template"
# Each with the Debian package that it is in.
MODULES = {
    "ngx_http_headers_more_filter_module.so": "libnginx-mod-http-headers-more-filter",
    "ngx_http_js_module.so": "libnginx-mod-http-js",
}
MODULE_DIRS = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules")
SBIN_DIRS = "/usr/sbin:/usr/local/sbin:/sbin"
PLACEHOLDER = re.compile(r"@([A-Z][A-Z_]*)@")


def modules_dir() -> str:
    """Return the folder of nginx's loadable modules. Raises SettingError if one in use is in none."""
    for folder in MODULE_DIRS:
        if all((Path(folder) / module).is_file() for module in MODULES):
            return folder
    for module, package in MODULES.items():
        if not any((Path(folder) / module).is_file() for folder in MODULE_DIRS):
            raise SettingError(f"{module} is not installed (Debian: {package})")
    raise SettingError(f"{' and '.join(MODULES)} are not in one folder")


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
    per_minute, lookup_burst, sign_in_burst = max(1, rate // 2), max(1, burst // 12), max(1, burst // 6)
    figures = {
        "RATE": rate,
        "BURST": burst,
        "WINDOW": burst / rate,
        "BOOKING_RATE": booking_rate,
        "BOOKING_BURST": booking_burst,
        "BOOKING_WINDOW": booking_burst / booking_rate,
        "RATE_PER_MINUTE": per_minute,
        "LOOKUP_BURST": lookup_burst,
        "LOOKUP_WINDOW": lookup_burst * 60 / per_minute,
        "MINUTE_RETRY_AFTER": 60 / per_minute,
        "SIGN_IN_BURST": sign_in_burst,
        "SIGN_IN_WINDOW": sign_in_burst * 60 / per_minute,
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


def _admin_routes(settings: Settings) -> str:
    if "admin" not in settings.upstreams:
        return "# There is no admin service."
    return f'include "{settings.run_dir}/snippets/routes-admin.conf";'


def placeholders(settings: Settings, access_log: str) -> dict[str, str]:
    """Return the text of every @NAME@ in the template and the snippets."""
    return {
        "RUN_DIR": str(settings.run_dir),
        "PUBLIC_HOST": settings.public_host,
        # where the admin service stores media, unless in a bucket
        "MEDIA_DIR": str(settings.run_dir.parent / "media"),
        "UPSTREAM_BLOCKS": upstream_blocks(settings.upstreams),
        "ADMIN_ROUTES": _admin_routes(settings),
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
    # Nothing that an earlier run kept may be served; a running nginx takes a copy that is gone for a miss.
    shutil.rmtree(settings.run_dir / "cache", ignore_errors=True)
    for folder in ("", "snippets", "temp", "cache", "js"):
        (settings.run_dir / folder).mkdir(exist_ok=True, mode=0o700)
    for source in (*sorted((SOURCE / "snippets").glob("*.conf")), TEMPLATE):
        name = "nginx.conf" if source == TEMPLATE else f"snippets/{source.name}"
        text = PLACEHOLDER.sub(lambda match: values[match[1]], source.read_text(encoding="utf-8"))
        _replace(settings.run_dir / name, text)
    _replace(settings.run_dir / "js/gateway.js", (SOURCE / "gateway.js").read_text(encoding="utf-8"))
    _replace(settings.run_dir / "js/registry.js", registry_module(settings.upstreams))
    return settings.run_dir / "nginx.conf"


def _replace(file: Path, text: str) -> None:
    part = file.with_name(f"{file.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)


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
    what.add_argument("--exec", action="store_true", help="run nginx, in the foreground")
    parser.add_argument(
        "--upstream",
        action="append",
        default=[],
        metavar="NAME=ADDRESS:PORT,...",
        help=f"where the instances of a service are: {', '.join(NAMES)}",
    )
    parser.add_argument("--access-log", choices=("stdout", "file"), default="stdout")
    options = parser.parse_args(arguments)
    try:
        settings = read_settings(os.environ, NAMES, options.upstream)
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
        return Foreground(command).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
