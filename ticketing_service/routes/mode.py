"""What is refused while the platform is in maintenance, or not to be written to."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flask import Flask, current_app, request

from common.auth.authenticator import Authenticator
from common.auth.policy import SERVICE_KIND
from common.web.operations import Operation
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.platform import Mode
from ticketing_service.routes.calling import PREFIX

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
READS_BY_POST = frozenset(
    f"{PREFIX}{path}"
    for path in (
        "/availability/check",
        "/internal/people/export",
        "/octo/availability",
        "/octo/availability/calendar",
    )
)
"""These ask for something in a body, and change nothing."""

WRITES_BY_GET = frozenset({f"{PREFIX}/bookings/<uuid:booking_id>/pay"})
"""This opens a payment, if there is none."""

MONITORING = f"{PREFIX}/monitoring/"
STAFF = ("ticket_manager", "finance", "support", "gate", "operator")
"""Beside the platform administrator. Resellers sell to the public."""


def keep_mode(app: Flask, mode: Callable[[], Mode], operations: Callable[[], Iterable[Operation]]) -> None:
    """Refuse what the present mode does not let through. `operations`: all routes of `app`."""
    known: dict[tuple[str, str], Operation] = {}

    def refuse() -> None:
        present = mode()
        if present is Mode.NORMAL:
            return
        if not known:
            known.update({(each.name, each.method): each for each in operations()})
        operation = known.get((request.endpoint or "", request.method))
        if operation is None or not _writes(operation):
            return
        if present is Mode.READ_ONLY:
            raise Refused(Code.READ_ONLY)
        if _is_public(operation, request.headers.get("Authorization")):
            raise Refused(Code.MAINTENANCE)

    app.before_request(refuse)


def _writes(operation: Operation) -> bool:
    if operation.rule.startswith(MONITORING) or operation.rule in READS_BY_POST:
        return False
    return operation.method in WRITES or operation.rule in WRITES_BY_GET


def _is_public(operation: Operation, credentials: str | None) -> bool:
    """Whether who sends this is none of the staff, no gate, no service and no webhook."""
    if operation.who.proof is not None:
        # A payer who has begun may go on; the payment module tells of what is paid.
        return False
    authenticator: Authenticator = current_app.extensions["authenticator"]
    caller = authenticator.caller(credentials)
    return caller.kind != SERVICE_KIND and not caller.has(*STAFF)
