"""What every resource needs of a call: the ports of this process, who may call, and who it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from admin_service.actions.ports import Ports
from admin_service.domain.audit import Origin
from admin_service.domain.permissions import roles_with
from common.auth.policy import Caller, Policy, roles
from common.web.idempotency import Idempotency
from common.web.requests import client_address, request_id

PREFIX = "/api/admin"
PLATFORM = "/api/platform"
PUBLIC_CACHE = "public, max-age=0, must-revalidate"
"""Of what visitors read: kept by whoever asks again whether it has changed."""

PortsSource = Callable[[], Ports]
"""The ports of this process: they are made after the fork, the routes before it."""


def allowed(*permissions: str) -> Policy:
    """Whoever holds one of `permissions`, as `domain.permissions` has it."""
    return roles(*dict.fromkeys(role for each in permissions for role in roles_with(each)))


def origin_of(caller: Caller) -> Origin:
    """Who sends the present request, and from where, for the audit trail."""
    return Origin(actor=caller.principal, address=str(client_address()), request_id=request_id())


def keyed(idempotency: Idempotency | None, present: Callable[[Any], Any]) -> Idempotency | None:
    """The key with the way in which its result becomes an answer."""
    return None if idempotency is None else idempotency.presenting(present)
