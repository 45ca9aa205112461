"""The web application: its routes, who may call them, and how what goes wrong is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Flask

from admin_service import wiring
from admin_service.actions.ports import Ports
from admin_service.actions.system import ModeWatch, Service
from admin_service.checks import health_checks
from admin_service.domain.errors import Code
from admin_service.metrics import AdminMetrics
from admin_service.routes.audit import audit_api
from admin_service.routes.calling import PREFIX, PortsSource
from admin_service.routes.config import config_api, platform_config_api
from admin_service.routes.keys import keys_api
from admin_service.routes.media import media_api
from admin_service.routes.system import keep_mode, system_api
from admin_service.storage.port import Store
from admin_service.wiring import Running
from common.auth.authenticator import Authenticator
from common.auth.service_tokens import PREFIX as SERVICE_TOKEN
from common.auth.service_tokens import ServiceTokens
from common.auth.shared_key import service_secrets
from common.auth.tokens import RingKeys, TokenVerifier
from common.caching import front as caching
from common.clock import system_clock
from common.process import Process
from common.refusals import RefusalCode
from common.settings import Settings
from common.web import deadlines, problems, security
from common.web.api import Api
from common.web.refusals import RefusalTable, problem_codes
from common.web.service_routes import About, add_service_routes

RESOURCES: tuple[Callable[[PortsSource], Api], ...] = (
    keys_api,
    config_api,
    platform_config_api,
    audit_api,
)
RETRY_AFTER_SECONDS: Mapping[RefusalCode, int] = {
    Code.STORE_UNAVAILABLE: 1,
    Code.STORAGE_UNAVAILABLE: 5,
    Code.TICKETING_UNAVAILABLE: 5,
    Code.READ_ONLY: 30,
}
CODES = problem_codes(Code)
ABOUT = About(service_name="admin-module", title="Admin", version="0.1.0", prefix=PREFIX, codes=CODES)


def create_app(settings: Settings, running: Running | None = None) -> Flask:
    """The application. `running`: what to stand on instead of what the settings ask for.

    It connects to nothing: `app.extensions["post_fork"]` begins that in each process, and
    `app.extensions["process"].end()` ends it.
    """
    app = Flask(__name__, static_folder=None)
    metrics = wiring.make_metrics(settings) if running is None else running.metrics
    metrics.install(app)
    security.install(app, trusted_proxies=settings.trusted_proxies)
    problems.install(app, RefusalTable(RETRY_AFTER_SECONDS, Code.STORE_UNAVAILABLE).errors())
    process = Process(
        lambda: running or wiring.run_web(settings, metrics), lambda made: health_checks(settings, made)
    )
    app.extensions["process"] = process
    app.extensions["post_fork"] = process.begin
    app.before_request(process.begin)
    deadlines.install(app)
    caching.install(app, lambda: process.parts().caches)
    clock = system_clock if running is None else running.ports.clock
    services = ServiceTokens(service_secrets(settings), clock)
    app.extensions["authenticator"] = Authenticator(
        _own_tokens(settings, process.ports, None if running is None else running.ports),
        resolvers={SERVICE_TOKEN: lambda token: services.caller(token, settings.service)},
        operator_keys=settings.operator_keys,
    )
    keep_mode(app, process.ports, ModeWatch())
    for resource in RESOURCES:
        resource(process.ports).register(app)
    media_api(process.ports, metrics).register(app)
    system_api(process.ports, lambda: _own_health(process)).register(app)
    add_service_routes(app, settings, process, metrics, ABOUT)
    return app


def _own_health(process: Process[Ports, Store, AdminMetrics]) -> Service:
    """How this service is, without asking anybody."""
    return Service(name="admin", status=process.runner.overall(), version=ABOUT.version)


def _own_tokens(settings: Settings, ports: PortsSource, given: Ports | None) -> TokenVerifier:
    """Reads the tokens that this service itself has signed."""
    return TokenVerifier(
        issuers={settings.token_issuer: RingKeys(lambda: ports().token_keys)},
        audience=settings.token_audience,
        clock=system_clock if given is None else given.clock,
    )
