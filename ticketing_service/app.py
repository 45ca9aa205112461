"""The web application: its routes, who may call them, and how what goes wrong is answered."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask

from common.auth.authenticator import Authenticator, token_expired
from common.auth.local_issuer import token_verifier
from common.auth.policy import Caller
from common.clock import system_clock
from common.database import StoreUnavailable
from common.monitoring.blueprint import Monitoring, monitoring
from common.monitoring.checks import Runner
from common.monitoring.memory import memory_check
from common.settings import Settings
from common.web import problems, security
from common.web.api import operations_of
from common.web.documentation import documentation
from common.web.field_errors import FieldError
from common.web.openapi import build_document
from common.web.problems import Problem, ProblemCode
from ticketing_service import wiring
from ticketing_service.actions.booking_tokens import PREFIX as BOOKING_TOKEN
from ticketing_service.actions.ports import Ports
from ticketing_service.checks import database_check, worker_check
from ticketing_service.domain.errors import Code, Kind, Refused
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

VERSION = "0.1.0"
SERVICE_NAME = "ticketing-module"
RESOURCES = (
    tickets_api,
    slots_api,
    bookings_api,
    booking_api,
    payments_api,
    admissions_api,
    redemptions_api,
    vouchers_api,
    revenue_api,
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


class ProcessState:
    """What a process makes for itself once it is there: ports with their connections, threads of checks.

    Gunicorn's hook begins it after the fork; without gunicorn the first request does.
    """

    def __init__(self, make: Callable[[], Ports], checks: Callable[[Callable[[], Ports]], Runner]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._ports: Ports | None = None
        self._begun = False
        self.runner = checks(self.ports)

    def ports(self) -> Ports:
        """The ports of this process."""
        if self._ports is None:
            with self._lock:
                if self._ports is None:  # else another thread made them meanwhile
                    self._ports = self._make()
        return self._ports

    def begin(self) -> None:
        """Start what runs beside the requests; later calls do nothing."""
        if self._begun:
            return
        with self._lock:
            begins, self._begun = not self._begun, True
        if begins:
            self.ports()
            self.runner.start()

    def end(self) -> None:
        """Stop what `begin` started, and let go of the store's connections."""
        self.runner.stop()
        if self._ports is not None:
            self._ports.store.close()


def create_app(settings: Settings, ports: Ports | None = None) -> Flask:
    """The application. `ports`: those to use instead of what the settings ask for.

    It connects to nothing: `app.extensions["post_fork"]` begins that in each process, and
    `app.extensions["process"].end()` ends it.
    """
    app = Flask(__name__, static_folder=None)
    security.install(app, trusted_proxies=settings.trusted_proxies)
    problems.install(app, {Refused: _refusal, StoreUnavailable: _store_unavailable})
    master = os.getpid()
    state = ProcessState(
        (lambda: ports) if ports is not None else (lambda: wiring.build(settings)),
        lambda source: Runner((database_check(source), worker_check(source), memory_check(master))),
    )
    app.extensions["process"] = state
    app.extensions["post_fork"] = state.begin
    app.before_request(state.begin)
    app.extensions["authenticator"] = Authenticator(
        token_verifier(settings, ports.clock if ports is not None else system_clock),
        resolvers={BOOKING_TOKEN: lambda token: _booking_caller(token, state.ports())},
        operator_keys=settings.operator_keys,
    )
    for resource in RESOURCES:
        resource(state.ports).register(app)
    _describe(app, settings, state.runner)
    return app


def _describe(app: Flask, settings: Settings, runner: Runner) -> None:
    watched = Monitoring(
        service_name=SERVICE_NAME,
        version=VERSION,
        environment=settings.environment,
        runner=runner,
        started_at=system_clock(),
        # Told to end, gunicorn closes its socket at once and answers what it has accepted.
        draining=lambda: False,
    )
    monitoring(f"{PREFIX}/monitoring", watched).register(app)

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
    seconds = RETRY_AFTER_SECONDS.get(code)
    detail = refused.detail or code.title
    return Problem(
        STATUS[code.kind],
        code.name,
        code.title,
        detail,
        errors=() if refused.pointer is None else (FieldError(refused.pointer, code.name, detail),),
        headers=None if seconds is None else {"Retry-After": str(seconds)},
        facts=facts_document(refused.facts),
    )


def _store_unavailable(_: StoreUnavailable) -> Problem:
    return _refusal(Refused(Code.STORE_UNAVAILABLE))
