"""Vouchers, for those who manage the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from common.identifiers import uuid7
from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.actions.ports import Ports
from ticketing_service.actions.tickets import AllowedPois, require_places
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.vouchers import Voucher


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherDraft:
    """A voucher as a manager writes it; `amount` is minor units of `currency`."""

    code: str
    percent_basis_points: int | None = None
    amount: int | None = None
    currency: str | None = None
    valid_from: datetime
    valid_until: datetime
    max_uses: int | None = None
    max_uses_per_customer: int | None = None
    ticket_ids: tuple[UUID, ...] = ()
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateVoucher:
    draft: VoucherDraft
    allowed_pois: AllowedPois = None
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeVoucher:
    """`changes` are fields of `Voucher`."""

    voucher_id: UUID
    expected_version: int
    changes: Mapping[str, Any]
    allowed_pois: AllowedPois = None


def find_vouchers(limit: int, cursor: str | None, ports: Ports) -> Page[Voucher]:
    return ports.store.vouchers.page(limit, cursor)


def create_voucher(command: CreateVoucher, ports: Ports) -> Voucher:
    """Raises INVALID_VOUCHER, VOUCHER_CODE_TAKEN, TICKET_NOT_FOUND, POI_NOT_ALLOWED."""
    draft = command.draft
    voucher = Voucher(
        id=uuid7(),
        code=draft.code,
        percent_basis_points=draft.percent_basis_points,
        amount=draft.amount,
        currency=draft.currency,
        valid_from=draft.valid_from,
        valid_until=draft.valid_until,
        max_uses=draft.max_uses,
        max_uses_per_customer=draft.max_uses_per_customer,
        ticket_ids=draft.ticket_ids,
        active=draft.active,
        used=0,
        version=1,
        created_at=ports.clock(),
    )
    _check(voucher)
    _check_tickets(voucher, command.allowed_pois, ports)
    return ports.store.vouchers.create(voucher, idempotency=command.idempotency)


def change_voucher(command: ChangeVoucher, ports: Ports) -> Voucher:
    """Raises VOUCHER_NOT_FOUND, VERSION_CONFLICT, VOUCHER_BELOW_USED, INVALID_VOUCHER, POI_NOT_ALLOWED."""
    current = ports.store.vouchers.get(command.voucher_id)
    if current is None:
        raise Refused(Code.VOUCHER_NOT_FOUND)
    _check_tickets(current, command.allowed_pois, ports)
    voucher = replace(current, **command.changes)
    _check(voucher)
    _check_tickets(voucher, command.allowed_pois, ports)
    return ports.store.vouchers.replace(voucher, command.expected_version)


def _check(voucher: Voucher) -> None:
    if (voucher.percent_basis_points is None) == (voucher.amount is None):
        raise Refused(Code.INVALID_VOUCHER, "It is either a percentage or an amount.", "/percentBasisPoints")
    if voucher.valid_until <= voucher.valid_from:
        raise Refused(Code.INVALID_VOUCHER, "It ends before it begins.", "/validUntil")


def _check_tickets(voucher: Voucher, allowed_pois: AllowedPois, ports: Ports) -> None:
    """The tickets exist; who is limited to places makes vouchers for tickets of those places alone."""
    if allowed_pois is not None and not voucher.ticket_ids:
        raise Refused(Code.POI_NOT_ALLOWED, "Name the tickets that it is for.", "/ticketIds")
    for index, ticket_id in enumerate(voucher.ticket_ids):
        ticket = ports.store.catalogue.ticket(ticket_id)
        if ticket is None:
            raise Refused(Code.TICKET_NOT_FOUND, pointer=f"/ticketIds/{index}")
        require_places(ticket.poi_ids, allowed_pois, f"/ticketIds/{index}")
