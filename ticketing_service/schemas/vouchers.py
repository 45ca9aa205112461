"""Vouchers: what comes in and what goes out."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from common.web.schemas import ApiSchema, Instant, WholeNumber, YesNo
from ticketing_service.domain.money import BASIS_POINTS
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.schemas.bookings import voucher_code_field
from ticketing_service.schemas.documents import Document, instant_text, money
from ticketing_service.schemas.values import Money, MoneyIn

MAX_USES, MAX_TICKETS = 10_000_000, 100


class VoucherIn(ApiSchema):
    """Either `percentBasisPoints` or `amount`; uses count bookings, null is no limit."""

    code = voucher_code_field(required=True)
    percent_basis_points = WholeNumber(allow_none=True, validate=validate.Range(1, BASIS_POINTS))
    amount = fields.Nested(MoneyIn, allow_none=True)
    valid_from = Instant(required=True)
    valid_until = Instant(required=True)
    max_uses = WholeNumber(allow_none=True, validate=validate.Range(0, MAX_USES))
    max_uses_per_customer = WholeNumber(allow_none=True, validate=validate.Range(1, MAX_USES))
    ticket_ids = fields.List(fields.UUID(), validate=validate.Length(max=MAX_TICKETS))
    active = YesNo()

    @post_load
    def changes(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        if "amount" in values:
            amount = values.pop("amount") or {"amount": None, "currency": None}
            values |= amount
        if "ticket_ids" in values:
            values["ticket_ids"] = tuple(dict.fromkeys(values["ticket_ids"]))
        return values


class VoucherPatch(VoucherIn):
    """What is named changes; a voucher's code stays."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"partial": True, "exclude": ("code",), **options})


class VoucherOut(ApiSchema):
    """`used` counts standing and confirmed uses."""

    id = fields.UUID(required=True)
    code = fields.String(required=True)
    percent_basis_points = fields.Integer(required=True, allow_none=True)
    amount = fields.Nested(Money, required=True, allow_none=True)
    valid_from = Instant(required=True)
    valid_until = Instant(required=True)
    max_uses = fields.Integer(required=True, allow_none=True)
    max_uses_per_customer = fields.Integer(required=True, allow_none=True)
    ticket_ids = fields.List(fields.UUID(), required=True)
    active = fields.Boolean(required=True)
    used = fields.Integer(required=True)
    version = fields.Integer(required=True)
    created_at = Instant(required=True)


def voucher_document(voucher: Voucher) -> Document:
    """As `VoucherOut` says."""
    amount, currency = voucher.amount, voucher.currency
    return {
        "id": voucher.id,
        "code": voucher.code,
        "percentBasisPoints": voucher.percent_basis_points,
        "amount": money(amount, currency) if amount is not None and currency else None,
        "validFrom": instant_text(voucher.valid_from),
        "validUntil": instant_text(voucher.valid_until),
        "maxUses": voucher.max_uses,
        "maxUsesPerCustomer": voucher.max_uses_per_customer,
        "ticketIds": voucher.ticket_ids,
        "active": voucher.active,
        "used": voucher.used,
        "version": voucher.version,
        "createdAt": instant_text(voucher.created_at),
    }
