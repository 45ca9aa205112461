"""Field types that several requests share, and their limits."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from common.web.schemas import ApiSchema, WholeNumber
from common.web.values import (
    FIRST_DAY,
    LAST_DAY,
    MAX_EMAIL,
    CursorText,
    Day,
    EmailAddress,
    LanguageQuery,
    Paged,
    TextMap,
    is_email,
)

MAX_TITLE, MAX_DESCRIPTION, MAX_NAME = 120, 5000, 200
MAX_AMOUNT = 100_000_000
"""Minor units; more is a slip of the hand, and sums stay far below what every JSON reader keeps exactly."""


class CurrencyCode(fields.String):
    """A currency (ISO 4217)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(validate=validate.Regexp(r"[A-Z]{3}\Z"), **options)


class MoneyIn(ApiSchema):
    """An amount in minor units of a currency (ISO 4217)."""

    amount = WholeNumber(required=True, validate=validate.Range(0, MAX_AMOUNT))
    currency = CurrencyCode(required=True)


class Money(ApiSchema):
    """An amount in minor units of a currency (ISO 4217)."""

    amount = fields.Integer(required=True)
    currency = fields.String(required=True)


__all__ = [
    "FIRST_DAY",
    "LAST_DAY",
    "MAX_AMOUNT",
    "MAX_DESCRIPTION",
    "MAX_EMAIL",
    "MAX_NAME",
    "MAX_TITLE",
    "CurrencyCode",
    "CursorText",
    "Day",
    "EmailAddress",
    "LanguageQuery",
    "Money",
    "MoneyIn",
    "Paged",
    "TextMap",
    "is_email",
]
