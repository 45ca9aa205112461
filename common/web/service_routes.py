"""The routes that every service has beside its resources: monitoring and its own documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask

from common.clock import system_clock
from common.monitoring.audit import Audit, log_line
from common.monitoring.blueprint import Monitoring, monitoring
from common.monitoring.draining import is_draining
from common.monitoring.metrics.routes import add_metrics_routes
from common.monitoring.metrics.service import ServiceMetrics
from common.monitoring.operating import add_breaker_routes, add_cache_routes
from common.process import Process
from common.settings import Settings
from common.web.api import operations_of
from common.web.documentation import documentation
from common.web.openapi import build_document
from common.web.problems import ProblemCode


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a service says of itself. `prefix` is that of its paths, `codes` are those of its business."""

    service_name: str
    title: str
    version: str
    prefix: str
    codes: Mapping[str, ProblemCode]


def add_service_routes(
    app: Flask,
    settings: Settings,
    process: Process[Any, Any, Any],
    metrics: ServiceMetrics,
    about: About,
    audit: Audit = log_line,
) -> None:
    """Serve them below the prefix; called after the resources. `audit` is told what operators did."""
    watched = Monitoring(
        service_name=about.service_name,
        version=about.version,
        environment=settings.environment,
        runner=process.runner,
        started_at=system_clock(),
        draining=is_draining,
    )
    api = monitoring(f"{about.prefix}/monitoring", watched)
    add_metrics_routes(api, metrics, audit)
    add_breaker_routes(api, process.parts, audit)
    add_cache_routes(api, process.parts, audit)
    api.register(app)

    def document() -> dict[str, Any]:
        return build_document(
            operations_of(app),
            title=about.title,
            version=about.version,
            server_url=settings.public_url,
            codes=about.codes,
        )

    documentation(about.prefix, document).register(app)
