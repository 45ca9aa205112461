"""The services behind the gateway: what nginx balances over and what the health checks ask come from here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service. `required`: without it the whole is unhealthy. `path`: where the public finds it.

    `info_path` is empty for a service that is not ours: nothing is promised about its health document then,
    and that it answers has to do.
    """

    name: str
    required: bool
    path: str
    endpoints: tuple[str, ...]
    health_path: str
    info_path: str = ""
    idle_connections: int = 32
    most_at_once: int = 0
    has_urgent: bool = False


AT_ONCE = 1_000
"""As many as an instance's queue in the kernel takes (`backlog` in gunicorn.conf.py), with some room left for
what is urgent. Refused here, a request costs the instance nothing; sent and not taken up, it would be given
up after proxy_connect_timeout."""

SERVICES: tuple[Service, ...] = (
    Service(
        name="ticketing",
        required=True,
        path="/api/v1",
        endpoints=(
            "/api/v1/tickets",
            "/api/v1/availability/check",
            "/api/v1/bookings",
            "/api/v1/admissions",
            "/api/v1/redemptions",
            "/api/v1/vouchers",
            "/api/v1/revenue",
            "/api/v1/openapi.json",
            "/api/v1/docs",
        ),
        health_path="/api/v1/monitoring/health",
        info_path="/api/v1/monitoring/info",
        most_at_once=AT_ONCE,
        has_urgent=True,
    ),
    Service(
        name="admin",
        required=True,
        path="/api/v1/admin",
        endpoints=("/api/v1/admin", "/api/v1/platform", "/.well-known/jwks.json"),
        health_path="/api/admin/monitoring/health",
        info_path="/api/admin/monitoring/info",
        most_at_once=AT_ONCE,
    ),
    Service(
        name="payment",
        required=False,
        path="/api/v1/payments",
        endpoints=("/api/v1/payments/{id}", "/api/v1/payments/{id}/page"),
        health_path="/health",
        idle_connections=8,
    ),
)
NAMES = tuple(service.name for service in SERVICES)

Upstreams = Mapping[str, tuple[str, ...]]


def upstream_blocks(upstreams: Upstreams) -> str:
    """nginx's `upstream` of each service that has instances."""
    blocks = []
    for service in _present(upstreams):
        instances = upstreams[service.name]
        blocks.append(_block(service, service.name, instances, service.most_at_once))
        if service.has_urgent:
            blocks.append(_block(service, f"{service.name}-urgent", instances, 0))
    return "\n\n".join(blocks)


def _block(service: Service, name: str, instances: tuple[str, ...], most_at_once: int) -> str:
    # max_fails and fail_timeout count only where there is another instance to go to.
    limit = f" max_conns={most_at_once}" if most_at_once else ""
    servers = (f"server {instance} max_fails=2 fail_timeout=5s{limit};" for instance in instances)
    lines = (
        f"zone {name} 64k;",
        *servers,
        f"keepalive {service.idle_connections};",
        "keepalive_timeout 15s;",
    )
    inner = "\n".join(f"    {line}" for line in lines)
    return f"upstream {name} {{\n{inner}\n}}"


def registry_module(upstreams: Upstreams) -> str:
    """The text of registry.js, which gateway.js imports."""
    entries = [_entry(service, upstreams[service.name]) for service in _present(upstreams)]
    return f"export default {json.dumps(entries, indent=2)};\n"


def _entry(service: Service, instances: tuple[str, ...]) -> dict[str, object]:
    origins = [f"http://{instance}" for instance in instances]
    return {
        "name": service.name,
        "required": service.required,
        "url": service.path,
        "endpoints": service.endpoints,
        "ours": bool(service.info_path),
        "health": [f"{origin}{service.health_path}" for origin in origins],
        "info": [f"{origin}{service.info_path}" for origin in origins] if service.info_path else [],
    }


def _present(upstreams: Upstreams) -> list[Service]:
    return [service for service in SERVICES if service.name in upstreams]
