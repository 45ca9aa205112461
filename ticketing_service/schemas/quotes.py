"""What an order would cost: what goes out."""

from __future__ import annotations

from marshmallow import fields

from common.web.schemas import ApiSchema
from ticketing_service.actions.quotes import Quote
from ticketing_service.domain.errors import Refused
from ticketing_service.domain.local_time import with_offset
from ticketing_service.schemas.booking_answers import PriceOut, price_document
from ticketing_service.schemas.documents import Document, money
from ticketing_service.schemas.values import Money


class ReasonOut(ApiSchema):
    """Why it cannot be booked; the codes are those of a refused booking."""

    code = fields.String(required=True)
    detail = fields.String(required=True)
    pointer = fields.String(required=True, allow_none=True)


class QuotedUnit(ApiSchema):
    """One line: all units of one kind, before any discount."""

    unit_id = fields.UUID(required=True)
    quantity = fields.Integer(required=True)
    price = fields.Nested(Money, required=True)


class QuotedItem(ApiSchema):
    slot_id = fields.UUID(required=True)
    ticket_id = fields.UUID(required=True)
    option_id = fields.UUID(required=True)
    local_start = fields.String(required=True)
    time_zone = fields.String(required=True)
    people = fields.Integer(required=True)
    units = fields.List(fields.Nested(QuotedUnit), required=True)


class QuoteOut(ApiSchema):
    """`price` and `items` are null and empty when the order cannot even be priced."""

    can_book = fields.Boolean(required=True)
    reasons = fields.List(fields.Nested(ReasonOut), required=True)
    price = fields.Nested(PriceOut, required=True, allow_none=True)
    items = fields.List(fields.Nested(QuotedItem), required=True)


def quote_document(quote: Quote) -> Document:
    """As `QuoteOut` says."""
    priced = quote.priced
    return {
        "canBook": quote.can_book,
        "reasons": [_reason(refused) for refused in quote.reasons],
        "price": None if priced is None else price_document(priced.price),
        "items": [] if priced is None else _items(quote),
    }


def _reason(refused: Refused) -> Document:
    return {
        "code": refused.code.name,
        "detail": refused.detail or refused.code.title,
        "pointer": refused.pointer,
    }


def _items(quote: Quote) -> list[Document]:
    if quote.priced is None:
        return []
    currency = quote.priced.price.currency
    documents = []
    for item, people in zip(quote.priced.items, quote.priced.people, strict=True):
        lines: dict[str, Document] = {}
        for unit in item.units:
            line = lines.setdefault(
                str(unit.unit_id), {"unitId": unit.unit_id, "quantity": 0, "price": money(0, currency)}
            )
            line["quantity"] += 1
            line["price"]["amount"] += unit.price
        documents.append(
            {
                "slotId": item.slot_id,
                "ticketId": item.ticket_id,
                "optionId": item.option_id,
                "localStart": with_offset(item.starts_at, item.time_zone),
                "timeZone": item.time_zone,
                "people": people,
                "units": list(lines.values()),
            }
        )
    return documents
