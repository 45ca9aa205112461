"""The web application: its routes, who may call them, and how what goes wrong is answered."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask

from common.auth.authenticator import Authenticator, token_expired
from common.auth.local_issuer import token_verifier
from common.auth.policy import Caller
from common.caching import front as caching
from common.clock import system_clock
from common.database import StoreUnavailable
from common.monitoring.blueprint import Monitoring, monitoring
from common.monitoring.checks import Runner
from common.monitoring.draining import is_draining
from common.monitoring.metrics.routes import add_metrics_routes
from common.monitoring.operating import add_breaker_routes, add_cache_routes
from common.parts import Parts
from common.resilience.refusals import Refused as NotAsked
from common.settings import Settings
from common.web import deadlines, problems, security
from common.web.api import operations_of
from common.web.documentation import documentation
from common.web.field_errors import FieldError
from common.web.openapi import build_document
from common.web.problems import Problem, ProblemCode
from ticketing_service import wiring
from ticketing_service.actions.booking_tokens import PREFIX as BOOKING_TOKEN
from ticketing_service.actions.ports import Ports
from ticketing_service.checks import health_checks
from ticketing_service.domain.errors import Code, Kind, Refused
from ticketing_service.metrics import TicketingMetrics
from ticketing_service.routes.admissions import admissions_api
from ticketing_service.routes.booking import booking_api
from ticketing_service.routes.bookings import bookings_api
from ticketing_service.routes.calling import BOOKING_KIND, PREFIX
from ticketing_service.routes.payments import payments_api
from ticketing_service.routes.redemptions import redemptions_api
from ticketing_service.routes.revenue import revenue_api
from ticketing_service.routes.slots import slots_api
from ticketing_service.routes.tickets import tickets_api
from ticketing_service.routes.vouchers import vouchers_api
from ticketing_service.schemas.documents import facts_document
from ticketing_service.wiring import Running

VERSION = "0.1.0"
SERVICE_NAME = "ticketing-module"
RESOURCES = (
    bookings_api,
    booking_api,
    payments_api,
    admissions_api,
    redemptions_api,
    vouchers_api,
)
STATUS: Mapping[Kind, int] = {
    Kind.MALFORMED: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.GONE: 410,
    Kind.STALE: 412,
    Kind.INVALID: 422,
    Kind.TOO_MANY: 429,
    Kind.UNAVAILABLE: 503,
}
RETRY_AFTER_SECONDS: Mapping[Code, int] = {
    Code.TOO_MANY_HOLDS: 60,
    Code.PAYMENT_UNAVAILABLE: 5,
    Code.DOCUMENT_PENDING: 1,
    Code.STORE_UNAVAILABLE: 1,
}
CODES: Mapping[str, ProblemCode] = {code.name: ProblemCode(STATUS[code.kind], code.title) for code in Code}


class Process:
    """What a process makes for itself once it is there: what it stands on, and the threads of its checks.

    Gunicorn's hook begins it after the fork; without gunicorn the first request does.
    """

    def __init__(self, settings: Settings, make: Callable[[], Running]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._running: Running | None = None
        self._begun = False
        self.runner = Runner(health_checks(settings, self.running))

    def running(self) -> Running:
        """What this process stands on."""
        if self._running is None:
            with self._lock:
                if self._running is None:  # else another thread made it meanwhile
                    self._running = self._make()
        return self._running

    def ports(self) -> Ports:
        """The ports of this process."""
        return self.running().ports

    def parts(self) -> Parts:
        """The parts of this process."""
        return self.running().parts

    def begin(self) -> None:
        """Start what runs beside the requests; later calls do nothing."""
        if self._begun:
            return
        with self._lock:
            begins, self._begun = not self._begun, True
        if begins:
            self.running()
            self.runner.start()

    def end(self) -> None:
        """Stop what `begin` started, and let go of the connections."""
        self.runner.stop()
        if self._running is not None:
            self._running.close()


def create_app(settings: Settings, running: Running | None = None) -> Flask:
    """The application. `running`: what to stand on instead of what the settings ask for.

    It connects to nothing: `app.extensions["post_fork"]` begins that in each process, and
    `app.extensions["process"].end()` ends it.
    """
    app = Flask(__name__, static_folder=None)
    metrics = wiring.make_metrics(settings) if running is None else running.metrics
    metrics.install(app)
    security.install(app, trusted_proxies=settings.trusted_proxies, refused_last=(f"{PREFIX}/redemptions",))
    problems.install(
        app, {Refused: _refusal, StoreUnavailable: _store_unavailable, NotAsked: _store_unavailable}
    )
    process = Process(settings, lambda: running or wiring.run_web(settings, metrics))
    app.extensions["process"] = process
    app.extensions["post_fork"] = process.begin
    app.before_request(process.begin)
    deadlines.install(app)
    caching.install(app, lambda: process.parts().caches)
    app.extensions["authenticator"] = Authenticator(
        token_verifier(settings, system_clock if running is None else running.ports.clock),
        resolvers={BOOKING_TOKEN: lambda token: _booking_caller(token, process.ports())},
        operator_keys=settings.operator_keys,
    )
    for catalogue in (tickets_api, slots_api):
        catalogue(process.ports, metrics).register(app)
    for resource in RESOURCES:
        resource(process.ports).register(app)
    revenue_api(process.ports, process.parts).register(app)
    _describe(app, settings, process, metrics)
    return app


def _describe(app: Flask, settings: Settings, process: Process, metrics: TicketingMetrics) -> None:
    watched = Monitoring(
        service_name=SERVICE_NAME,
        version=VERSION,
        environment=settings.environment,
        runner=process.runner,
        started_at=system_clock(),
        draining=is_draining,
    )
    api = monitoring(f"{PREFIX}/monitoring", watched)
    add_metrics_routes(api, metrics)
    add_breaker_routes(api, process.parts)
    add_cache_routes(api, process.parts)
    api.register(app)

    def document() -> dict[str, Any]:
        return build_document(
            operations_of(app),
            title="Ticketing",
            version=VERSION,
            server_url=settings.public_url,
            codes=CODES,
        )

    documentation(PREFIX, document).register(app)


def _booking_caller(token: str, ports: Ports) -> Caller | None:
    """Whoever holds a booking's token. Raises Problem 401 TOKEN_EXPIRED."""
    content = ports.booking_tokens.read(token)
    if content is None:
        return None
    if ports.clock() >= content.expires_at:
        raise token_expired()
    booking_id = content.booking_id
    return Caller(kind=BOOKING_KIND, subject=str(booking_id), claims={"booking_id": booking_id})


def _refusal(refused: Refused) -> Problem:
    code = refused.code
    seconds = refused.retry_after_seconds or RETRY_AFTER_SECONDS.get(code)
    detail = refused.detail or code.title
    return Problem(
        STATUS[code.kind],
        code.name,
        code.title,
        detail,
        errors=() if refused.pointer is None else (FieldError(refused.pointer, code.name, detail),),
        headers=None if seconds is None else {"Retry-After": str(max(1, math.ceil(seconds)))},
        facts=facts_document(refused.facts),
    )


def _store_unavailable(error: StoreUnavailable | NotAsked) -> Problem:
    return _refusal(Refused(Code.STORE_UNAVAILABLE, retry_after_seconds=error.retry_after_seconds))
