"""Resellers and their keys: what comes in and what goes out."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from common.web.field_errors import coded
from common.web.schemas import ApiSchema, Instant, WholeNumber, YesNo
from ticketing_service.domain.money import BASIS_POINTS
from ticketing_service.domain.resellers import Credit, Reseller, ResellerKey, Scope
from ticketing_service.schemas.documents import Document, instant_text, money
from ticketing_service.schemas.values import MAX_AMOUNT, MAX_NAME, CurrencyCode, Money

MAX_KEY_NAME, MAX_TICKETS, MAX_HOLDS, MOST_HOLDS, MAX_ACCOUNTS = 120, 1000, 100, 10_000, 10
MAX_PAID = 2_000_000_000
"""Minor units; with the limit it is still a number of 32 bits, as counters are."""


class CreditIn(ApiSchema):
    """An account in minor units of one currency: `limit` is what may stand open, `paid` what it has paid so
    far of all that it ever bought.
    """

    currency = CurrencyCode(required=True)
    limit = WholeNumber(required=True, validate=validate.Range(0, MAX_AMOUNT))
    paid = WholeNumber(load_default=0, validate=validate.Range(0, MAX_PAID))

    @post_load
    def credit(self, values: dict[str, Any], **_: Any) -> Credit:
        return Credit(**values)


class ResellerIn(ApiSchema):
    """`ticketIds`: the tickets that it may sell; null is all. `maxHolds`: bookings on hold at a time. Its
    customers pay `markupBasisPoints` more; of the price without it, after discount, it owes
    `netBasisPoints`, on account.
    """

    name = fields.String(required=True, validate=validate.Length(1, MAX_NAME))
    ticket_ids = fields.List(fields.UUID(), allow_none=True, validate=validate.Length(max=MAX_TICKETS))
    max_holds = WholeNumber(load_default=MAX_HOLDS, validate=validate.Range(1, MOST_HOLDS))
    markup_basis_points = WholeNumber(load_default=0, validate=validate.Range(0, BASIS_POINTS))
    net_basis_points = WholeNumber(load_default=BASIS_POINTS, validate=validate.Range(0, BASIS_POINTS))
    credit = fields.List(fields.Nested(CreditIn), validate=validate.Length(max=MAX_ACCOUNTS))
    active = YesNo()

    @post_load
    def changes(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        if "credit" in values:
            values["credit"] = tuple(values["credit"])
            if len({credit.currency for credit in values["credit"]}) < len(values["credit"]):
                raise coded("INVALID", "A currency has one account.")
        if values.get("ticket_ids") is not None:
            values["ticket_ids"] = tuple(dict.fromkeys(values["ticket_ids"]))
        return values


class ResellerPatch(ResellerIn):
    """What is named changes."""

    def __init__(self, **options: Any) -> None:
        # not that of the accounts in it
        super().__init__(**{"partial": tuple(self._declared_fields), **options})


class CreditOut(ApiSchema):
    """`used` is what was bought in all and not given back; `open` is what of that is not paid."""

    limit = fields.Nested(Money, required=True)
    paid = fields.Nested(Money, required=True)
    used = fields.Nested(Money, required=True)
    open = fields.Nested(Money, required=True)


class ResellerOut(ApiSchema):
    id = fields.UUID(required=True)
    name = fields.String(required=True)
    ticket_ids = fields.List(fields.UUID(), required=True, allow_none=True)
    max_holds = fields.Integer(required=True)
    markup_basis_points = fields.Integer(required=True)
    net_basis_points = fields.Integer(required=True)
    credit = fields.List(fields.Nested(CreditOut), required=True)
    active = fields.Boolean(required=True)
    version = fields.Integer(required=True)
    created_at = Instant(required=True)


class ResellerKeyIn(ApiSchema):
    """A key, for what its scopes say. What is made with one of `isTest` is a test."""

    name = fields.String(required=True, validate=validate.Length(1, MAX_KEY_NAME))
    scopes = fields.List(
        fields.Enum(Scope, by_value=True), required=True, validate=validate.Length(1, len(Scope))
    )
    is_test = YesNo(load_default=False)
    expires_at = Instant(required=True)

    @post_load
    def command(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        values["scopes"] = tuple(scope for scope in Scope if scope in values["scopes"])
        return values


class ResellerKeyOut(ApiSchema):
    """`start` is the beginning by which its owner recognises it."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    start = fields.String(required=True)
    scopes = fields.List(fields.String(), required=True)
    is_test = fields.Boolean(required=True)
    created_at = Instant(required=True)
    created_by = fields.String(required=True)
    expires_at = Instant(required=True)
    last_used_at = Instant(required=True, allow_none=True)
    revoked_at = Instant(required=True, allow_none=True)


class NewResellerKeyOut(ResellerKeyOut):
    """`key` is shown this once."""

    key = fields.String(required=True)


def reseller_document(reseller: Reseller) -> Document:
    """As `ResellerOut` says."""
    return {
        "id": reseller.id,
        "name": reseller.name,
        "ticketIds": reseller.ticket_ids,
        "maxHolds": reseller.max_holds,
        "markupBasisPoints": reseller.markup_basis_points,
        "netBasisPoints": reseller.net_basis_points,
        "credit": [_credit(each) for each in reseller.credit],
        "active": reseller.active,
        "version": reseller.version,
        "createdAt": instant_text(reseller.created_at),
    }


def _credit(credit: Credit) -> Document:
    amounts = {
        "limit": credit.limit,
        "paid": credit.paid,
        "used": credit.used,
        "open": credit.used - credit.paid,
    }
    return {name: money(amount, credit.currency) for name, amount in amounts.items()}


def reseller_key_document(key: ResellerKey) -> Document:
    """As `ResellerKeyOut` says."""
    return {
        "id": key.id,
        "name": key.name,
        "start": key.start,
        "scopes": key.scopes,
        "isTest": key.is_test,
        "createdAt": instant_text(key.created_at),
        "createdBy": key.created_by,
        "expiresAt": instant_text(key.expires_at),
        "lastUsedAt": None if key.last_used_at is None else instant_text(key.last_used_at),
        "revokedAt": None if key.revoked_at is None else instant_text(key.revoked_at),
    }
