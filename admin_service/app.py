"""The web application: its routes, who may call them, and how what goes wrong is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from flask import Flask

from admin_service import VERSION, wiring
from admin_service.actions.ports import Ports
from admin_service.actions.system import ModeWatch, Service
from admin_service.checks import health_checks
from admin_service.domain.errors import Code
from admin_service.metrics import AdminMetrics
from admin_service.routes.account import account_api
from admin_service.routes.api_keys import api_keys_api
from admin_service.routes.audit import audit_api
from admin_service.routes.auth import auth_api
from admin_service.routes.backups import backups_api
from admin_service.routes.calling import PREFIX, PortsSource
from admin_service.routes.changes import changes_api
from admin_service.routes.config import config_api, platform_config_api
from admin_service.routes.cookies import RefreshCookie
from admin_service.routes.duplicates import duplicates_api
from admin_service.routes.keys import keys_api
from admin_service.routes.media import media_api
from admin_service.routes.operators import operator_audit
from admin_service.routes.pages import pages_api
from admin_service.routes.platform_pois import platform_pois_api
from admin_service.routes.poi_imports import poi_imports_api
from admin_service.routes.poi_workflow import poi_workflow_api
from admin_service.routes.pois import pois_api
from admin_service.routes.privacy import privacy_api
from admin_service.routes.statistics import statistics_api
from admin_service.routes.system import keep_mode, system_api
from admin_service.routes.users import users_api
from admin_service.storage.port import Store
from admin_service.wiring import Running
from common.auth.api_keys import PREFIX as API_KEY
from common.auth.authenticator import Authenticator
from common.auth.service_tokens import PREFIX as SERVICE_TOKEN
from common.auth.service_tokens import ServiceTokens
from common.auth.shared_key import service_secrets
from common.auth.standing_checks import ApiKeys, PresentStanding, StandingVerifier
from common.auth.tokens import RingKeys, TokenVerifier
from common.caching import front as caching
from common.clock import Clock, system_clock
from common.process import Process
from common.refusals import RefusalCode
from common.settings import Settings
from common.web import deadlines, problems, security
from common.web.api import Api
from common.web.refusals import RefusalTable, problem_codes
from common.web.rules import LookedUp
from common.web.service_routes import About, add_service_routes

RESOURCES: tuple[Callable[[PortsSource], Api], ...] = (
    keys_api,
    pages_api,
    config_api,
    platform_config_api,
    audit_api,
    privacy_api,
    users_api,
    api_keys_api,
    changes_api,
    pois_api,
    poi_workflow_api,
    duplicates_api,
    poi_imports_api,
    platform_pois_api,
    backups_api,
)
RETRY_AFTER_SECONDS: Mapping[RefusalCode, int] = {
    Code.STORE_UNAVAILABLE: 1,
    Code.STORAGE_UNAVAILABLE: 5,
    Code.TICKETING_UNAVAILABLE: 5,
    Code.READ_ONLY: 30,
}
CODES = problem_codes(Code)
ABOUT = About(service_name="admin-module", title="Admin", version=VERSION, prefix=PREFIX, codes=CODES)


def create_app(settings: Settings, running: Running | None = None) -> Flask:
    """The application. `running`: what to stand on instead of what the settings ask for.

    It connects to nothing: `app.extensions["post_fork"]` begins that in each process, and
    `app.extensions["process"].end()` ends it.
    """
    wiring.second_factor_roles(settings)  # in the master, so that a wrong one ends the start
    app = Flask(__name__, static_folder=None)
    app.url_rule_class = LookedUp
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
    app.extensions["authenticator"] = _authenticator(settings, process.ports, clock)
    cookie = RefreshCookie(settings.public_url)
    auth_api(process.ports, metrics, cookie).register(app)
    account_api(process.ports, cookie).register(app)
    keep_mode(app, process.ports, ModeWatch())
    for resource in RESOURCES:
        resource(process.ports).register(app)
    media_api(process.ports, metrics).register(app)
    statistics_api(process.ports, process.parts).register(app)
    system_api(process.ports, lambda: _own_health(process)).register(app)
    add_service_routes(app, settings, process, metrics, ABOUT, operator_audit(process.ports))
    return app


def _own_health(process: Process[Ports, Store, AdminMetrics]) -> Service:
    """How this service is, without asking anybody."""
    return Service(name="admin", status=process.runner.overall(), version=ABOUT.version)


def _authenticator(settings: Settings, ports: PortsSource, clock: Clock) -> Authenticator:
    """Knows the tokens that this service has signed, held to the present standing, keys, and services."""
    tokens = TokenVerifier(
        issuers={settings.token_issuer: RingKeys(lambda: ports().token_keys)},
        audience=settings.token_audience,
        clock=clock,
    )
    services = ServiceTokens(service_secrets(settings), clock)
    standing = PresentStanding(lambda: ports().standing)

    def used(key_id: UUID, now: datetime) -> None:
        ports().key_uses.note(key_id, now)

    keys = ApiKeys(standing, clock, used)
    return Authenticator(
        StandingVerifier(tokens, standing),
        resolvers={
            API_KEY: keys.caller,
            SERVICE_TOKEN: lambda token: services.caller(token, settings.service),
        },
        operator_keys=settings.operator_keys,
    )
