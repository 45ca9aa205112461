"""The web application: its routes, who may call them, and how what goes wrong is answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from flask import Flask

from common.auth.api_keys import PREFIX as API_KEY
from common.auth.api_keys import key_hash, looks_right
from common.auth.authenticator import Authenticator, token_expired
from common.auth.policy import Caller
from common.auth.service_tokens import PREFIX as SERVICE_TOKEN
from common.auth.service_tokens import ServiceTokens
from common.auth.shared_key import service_secrets
from common.auth.standing_checks import ApiKeys, PresentStanding, StandingVerifier
from common.auth.tokens import token_verifier
from common.caching import front as caching
from common.clock import Clock, system_clock
from common.process import Process
from common.refusals import RefusalCode
from common.settings import Settings
from common.web import deadlines, problems, security
from common.web.api import operations_of
from common.web.refusals import RefusalTable, problem_codes
from common.web.rules import LookedUp
from common.web.service_routes import About, add_service_routes
from ticketing_service import VERSION, wiring
from ticketing_service.actions.booking_tokens import PREFIX as BOOKING_TOKEN
from ticketing_service.actions.ports import Ports
from ticketing_service.checks import health_checks
from ticketing_service.domain.errors import Code
from ticketing_service.domain.resellers import KEY_PREFIX as RESELLER_KEY
from ticketing_service.routes.admissions import admissions_api
from ticketing_service.routes.booking import booking_api
from ticketing_service.routes.bookings import bookings_api
from ticketing_service.routes.calling import BOOKING_KIND, PREFIX, PortsSource, reseller_caller
from ticketing_service.routes.internal import internal_api
from ticketing_service.routes.mode import keep_mode
from ticketing_service.routes.octo.booking import octo_booking_api
from ticketing_service.routes.octo.bookings import octo_bookings_api
from ticketing_service.routes.octo.calling import install_errors
from ticketing_service.routes.octo.catalogue import octo_catalogue_api
from ticketing_service.routes.octo.webhooks import octo_webhooks_api
from ticketing_service.routes.payments import payments_api
from ticketing_service.routes.redemptions import redemptions_api
from ticketing_service.routes.resellers import resellers_api
from ticketing_service.routes.revenue import revenue_api
from ticketing_service.routes.slots import slots_api
from ticketing_service.routes.tickets import tickets_api
from ticketing_service.routes.vouchers import vouchers_api
from ticketing_service.routes.webhook_deliveries import webhook_deliveries_api
from ticketing_service.routes.webhooks import webhooks_api
from ticketing_service.wiring import Running

RESOURCES = (
    bookings_api,
    booking_api,
    payments_api,
    admissions_api,
    redemptions_api,
    vouchers_api,
    resellers_api,
    octo_bookings_api,
    octo_booking_api,
    octo_webhooks_api,
    webhooks_api,
    webhook_deliveries_api,
    internal_api,
)
RETRY_AFTER_SECONDS: Mapping[RefusalCode, int] = {
    Code.TOO_MANY_HOLDS: 60,
    Code.PAYMENT_UNAVAILABLE: 5,
    Code.DOCUMENT_PENDING: 1,
    Code.STORE_UNAVAILABLE: 1,
    Code.MAINTENANCE: 30,
    Code.READ_ONLY: 30,
}
CODES = problem_codes(Code)
ABOUT = About(service_name="ticketing-module", title="Ticketing", version=VERSION, prefix=PREFIX, codes=CODES)


def create_app(settings: Settings, running: Running | None = None) -> Flask:
    """The application. `running`: what to stand on instead of what the settings ask for.

    It connects to nothing: `app.extensions["post_fork"]` begins that in each process, and
    `app.extensions["process"].end()` ends it.
    """
    app = Flask(__name__, static_folder=None)
    app.url_rule_class = LookedUp
    metrics = wiring.make_metrics(settings) if running is None else running.metrics
    metrics.install(app)
    security.install(app, trusted_proxies=settings.trusted_proxies, refused_last=(f"{PREFIX}/redemptions",))
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
    keep_mode(app, lambda: process.ports().followed.platform.mode, lambda: operations_of(app))
    install_errors(app)
    for catalogue in (tickets_api, slots_api, octo_catalogue_api):
        catalogue(process.ports, metrics).register(app)
    for resource in RESOURCES:
        resource(process.ports).register(app)
    revenue_api(process.ports, process.parts).register(app)
    add_service_routes(app, settings, process, metrics, ABOUT)
    return app


def _authenticator(settings: Settings, ports: PortsSource, clock: Clock) -> Authenticator:
    """Knows access tokens and keys of machines, held to what has become of them, tokens of bookings, keys of
    resellers, and tokens of services."""
    services = ServiceTokens(service_secrets(settings), clock)
    standing = PresentStanding(lambda: ports().standing)

    def used(key_id: UUID, now: datetime) -> None:
        ports().key_uses.note(key_id, now)

    return Authenticator(
        StandingVerifier(token_verifier(settings, clock), standing),
        resolvers={
            BOOKING_TOKEN: lambda token: _booking_caller(token, ports()),
            API_KEY: ApiKeys(standing, clock, used).caller,
            RESELLER_KEY: lambda token: _reseller_caller(token, ports()),
            SERVICE_TOKEN: lambda token: services.caller(token, settings.service),
        },
        operator_keys=settings.operator_keys,
    )


def _booking_caller(token: str, ports: Ports) -> Caller | None:
    """Whoever holds a booking's token. Raises Problem 401 TOKEN_EXPIRED."""
    content = ports.booking_tokens.read(token)
    if content is None:
        return None
    if ports.clock() >= content.expires_at:
        raise token_expired()
    booking_id = content.booking_id
    return Caller(kind=BOOKING_KIND, subject=str(booking_id), claims={"booking_id": booking_id})


def _reseller_caller(token: str, ports: Ports) -> Caller | None:
    """Whoever holds a key of a reseller."""
    if not looks_right(token, RESELLER_KEY):
        return None
    credential, now = ports.known_resellers.of_key(key_hash(token)), ports.clock()
    if credential is None or not credential.key.is_good(now):
        return None
    ports.reseller_key_uses.note(credential.key.id, now)
    return reseller_caller(credential)
