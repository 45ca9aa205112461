"""What every resource needs of a call: the ports of this process, who may call, and who it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import request

from admin_service.actions.ports import Ports
from admin_service.actions.sign_in import Device
from admin_service.domain.audit import Origin
from admin_service.domain.permissions import roles_with
from admin_service.domain.users import User
from common.auth.authenticator import token_invalid
from common.auth.policy import ACCESS_KIND, Caller, Policy, bearer, roles
from common.web.idempotency import Idempotency
from common.web.requests import client_address, request_id

PREFIX = "/api/admin"
PLATFORM = "/api/platform"
PUBLIC_CACHE = "public, max-age=0, must-revalidate"
"""Of what visitors read: kept by whoever asks again whether it has changed."""

SIGNED_IN: Policy = bearer(ACCESS_KIND)
"""Whoever has signed in, for what is one's own."""

PortsSource = Callable[[], Ports]
"""The ports of this process: they are made after the fork, the routes before it."""


def allowed(*permissions: str) -> Policy:
    """Whoever holds one of `permissions`, as `domain.permissions` has it."""
    return roles(*dict.fromkeys(role for each in permissions for role in roles_with(each)))


def origin_of(caller: Caller) -> Origin:
    """Who sends the present request, and from where, for the audit trail."""
    return Origin(actor=caller.principal, address=str(client_address()), request_id=request_id())


def device_of(caller: Caller) -> Device:
    """Where the present request signs somebody in."""
    return Device(origin=origin_of(caller), agent=request.headers.get("User-Agent", ""))


def user_of(caller: Caller, ports: Ports) -> User:
    """The person who has signed in. Raises Problem 401 TOKEN_INVALID when there is no such any more."""
    try:
        user = ports.store.users.get(UUID(caller.subject))
    except ValueError:
        user = None
    if user is None or not user.is_active:
        raise token_invalid()
    return user


def session_of(caller: Caller) -> UUID | None:
    """The session that the access token belongs to."""
    try:
        return UUID(str(caller.claims.get("sid")))
    except ValueError:
        return None


def keyed(idempotency: Idempotency | None, present: Callable[[Any], Any]) -> Idempotency | None:
    """The key with the way in which its result becomes an answer."""
    return None if idempotency is None else idempotency.presenting(present)
