"""What every resource needs of a call: the ports of this process, and what the caller has proved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from common.auth.policy import ACCESS_KIND, Caller
from common.caching.reads import Absence
from common.web.idempotency import Idempotency
from common.web.problems import problem
from ticketing_service.actions.bookings import Access
from ticketing_service.actions.ports import Ports
from ticketing_service.actions.webhooks import Owner
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.resellers import Credential, Reseller, Scope

PREFIX = "/api/v1"
BOOKING_KIND, RESELLER_KIND = "booking", "reseller"
PUBLIC_CACHE = "public, max-age=0, must-revalidate"
"""Of what visitors read: kept by whoever asks again whether it has changed."""

PortsSource = Callable[[], Ports]
"""The ports of this process: they are made after the fork, the routes before it."""


def reseller_caller(credential: Credential) -> Caller:
    """The reseller behind a key: whichever of its keys it uses, it is the same caller; but for its tests."""
    reseller, is_test = credential.reseller, credential.key.is_test
    return Caller(
        kind=RESELLER_KIND,
        subject=f"{reseller.id}/test" if is_test else str(reseller.id),
        roles=frozenset({RESELLER_KIND}),
        claims={"reseller": reseller, "scopes": credential.key.scopes, "is_test": is_test},
    )


def reseller_of(caller: Caller) -> Reseller | None:
    """The reseller who calls, if it is one. Raises Problem 403 FORBIDDEN when its key is not for this: to
    read is one scope, to write another one.
    """
    if caller.kind != RESELLER_KIND:
        return None
    return _with_scope(caller, Scope.READ if request.method == "GET" else Scope.WRITE)


def _with_scope(caller: Caller, wanted: Scope) -> Reseller:
    if wanted not in caller.claims["scopes"]:
        raise problem("FORBIDDEN", f"The key has not the scope {wanted}.")
    reseller: Reseller = caller.claims["reseller"]
    return reseller


def webhook_owner(caller: Caller) -> Owner | None:
    """Whose webhooks the caller manages; None: everybody's. Raises Problem 403 FORBIDDEN when it is a
    reseller's key that is not for this.
    """
    if caller.kind != RESELLER_KIND:
        return None
    reseller = _with_scope(caller, Scope.WEBHOOKS)
    return Owner(reseller.id, caller.claims["is_test"])


def access_of(caller: Caller) -> Access:
    """What the caller has proved about bookings. Raises as `reseller_of`."""
    reseller = reseller_of(caller)
    token = caller.claims.get("booking_id") if caller.kind == BOOKING_KIND else None
    return Access(
        actor=caller.principal,
        booking_id=token,
        principal=caller.subject if caller.kind == ACCESS_KIND else None,
        reseller_id=None if reseller is None else reseller.id,
        is_test=caller.claims.get("is_test", False),
        staff=caller.has("support"),
    )


def sees_resale(caller: Caller) -> bool:
    """Whether the caller sees what a reseller owes: it is itself one, or of the staff."""
    return caller.kind == RESELLER_KIND or caller.has("support", "finance")


def is_visitor(caller: Caller) -> bool:
    """Whether the caller sees of the catalogue what everybody sees."""
    return not caller.has("ticket_manager")


NO_TICKET = Absence(
    means=lambda error: isinstance(error, Refused) and error.code is Code.TICKET_NOT_FOUND,
    error=lambda: Refused(Code.TICKET_NOT_FOUND),
)
"""How a view says that there is no such ticket."""


def keyed(idempotency: Idempotency | None, present: Callable[[Any], Any]) -> Idempotency | None:
    """The key with the way in which its result becomes an answer."""
    return None if idempotency is None else idempotency.presenting(present)
