"""Resellers and their keys, for those who administer the platform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from common.auth.api_keys import key_hash, key_start, made_key
from common.database.unavailable import StoreUnavailable
from common.identifiers import uuid7
from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.actions.ports import Ports
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.platform import Mode
from ticketing_service.domain.resellers import (
    KEY_PREFIX,
    Credit,
    Reseller,
    ResellerKey,
    Scope,
    checked_key,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResellerDraft:
    """A reseller as an administrator writes it."""

    name: str
    ticket_ids: tuple[UUID, ...] | None = None
    max_holds: int
    markup_basis_points: int
    net_basis_points: int
    credit: tuple[Credit, ...] = ()
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateReseller:
    draft: ResellerDraft
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReseller:
    """`changes` are fields of `Reseller`."""

    reseller_id: UUID
    expected_version: int
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateResellerKey:
    reseller_id: UUID
    name: str
    scopes: tuple[Scope, ...]
    is_test: bool = False
    expires_at: datetime
    actor: str
    idempotency: Idempotency | None = None


def find_resellers(limit: int, cursor: str | None, ports: Ports) -> Page[Reseller]:
    """Newest first."""
    return ports.store.resellers.page(limit, cursor)


def find_reseller(reseller_id: UUID, ports: Ports) -> Reseller:
    """Raises RESELLER_NOT_FOUND."""
    found = ports.store.resellers.get(reseller_id)
    if found is None:
        raise Refused(Code.RESELLER_NOT_FOUND)
    return found


def create_reseller(command: CreateReseller, ports: Ports) -> Reseller:
    """Raises TICKET_NOT_FOUND."""
    draft = command.draft
    reseller = Reseller(
        id=uuid7(),
        name=draft.name,
        ticket_ids=draft.ticket_ids,
        max_holds=draft.max_holds,
        markup_basis_points=draft.markup_basis_points,
        net_basis_points=draft.net_basis_points,
        credit=draft.credit,
        active=draft.active,
        version=1,
        created_at=ports.clock(),
    )
    _check_tickets(reseller, ports)
    return ports.store.resellers.create(reseller, idempotency=command.idempotency)


def change_reseller(command: ChangeReseller, ports: Ports) -> Reseller:
    """An account that is not named any more stays, without any credit. Raises RESELLER_NOT_FOUND,
    VERSION_CONFLICT, TICKET_NOT_FOUND, CREDIT_BELOW_USED.
    """
    current = find_reseller(command.reseller_id, ports)
    reseller = replace(current, **command.changes)
    named = {credit.currency for credit in reseller.credit}
    left = (replace(credit, limit=0) for credit in current.credit if credit.currency not in named)
    reseller = replace(reseller, credit=(*reseller.credit, *left))
    _check_tickets(reseller, ports)
    changed = ports.store.resellers.replace(reseller, command.expected_version)
    ports.known_resellers.changed()
    return changed


def find_reseller_keys(reseller_id: UUID, limit: int, cursor: str | None, ports: Ports) -> Page[ResellerKey]:
    """Newest first. Raises RESELLER_NOT_FOUND."""
    find_reseller(reseller_id, ports)
    return ports.store.resellers.keys(reseller_id, limit, cursor)


def create_reseller_key(command: CreateResellerKey, ports: Ports) -> ResellerKey:
    """Raises RESELLER_NOT_FOUND, INVALID_API_KEY. The key itself is `reseller_key_of` it, kept nowhere."""
    now, key_id = ports.clock(), uuid7()
    text = made_key(ports.reseller_key_secrets.newest()[1], key_id, KEY_PREFIX)
    key = checked_key(
        ResellerKey(
            id=key_id,
            reseller_id=command.reseller_id,
            name=command.name,
            start=key_start(text),
            hash=key_hash(text),
            scopes=command.scopes,
            is_test=command.is_test,
            created_at=now,
            created_by=command.actor,
            expires_at=command.expires_at,
        )
    )
    added = ports.store.resellers.add_key(key, idempotency=command.idempotency)
    ports.known_resellers.changed()
    return added


def reseller_key_of(key_id: UUID, start: str, ports: Ports) -> str:
    """The key itself, for the one answer that shows it, and for its repetition: the one that begins with
    `start`, as the secret may have been another one then. Empty when that secret is gone.
    """
    made = (made_key(secret, key_id, KEY_PREFIX) for secret in ports.reseller_key_secrets.keys().values())
    return next((text for text in made if key_start(text) == start), "")


def revoke_reseller_key(reseller_id: UUID, key_id: UUID, ports: Ports) -> None:
    """Raises API_KEY_NOT_FOUND."""
    ports.store.resellers.revoke_key(reseller_id, key_id, ports.clock())
    ports.known_resellers.changed()


def keep_key_uses(ports: Ports) -> None:
    """Write down which keys were used in this process; later where the store is away or only read."""
    if ports.followed.platform.mode is Mode.READ_ONLY:
        return
    uses = ports.reseller_key_uses.taken()
    if not uses:
        return
    try:
        ports.store.resellers.used(uses)
    except StoreUnavailable:
        ports.reseller_key_uses.give_back(uses)


def _check_tickets(reseller: Reseller, ports: Ports) -> None:
    for index, ticket_id in enumerate(reseller.ticket_ids or ()):
        if ports.store.catalogue.ticket(ticket_id) is None:
            raise Refused(Code.TICKET_NOT_FOUND, pointer=f"/ticketIds/{index}")
