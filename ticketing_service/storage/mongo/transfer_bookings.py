"""A booking's document in the neutral form, and back: flat, as the tables have it, its parts in lists."""

from __future__ import annotations

from typing import Any

from bson.int64 import Int64

from common.mongo.values import Document

_CUSTOMER = {
    "name": "customer_name",
    "email": "customer_email",
    "email_key": "customer_email_key",
    "phone": "customer_phone",
    "language": "language",
}
_PRICE = {
    "currency": "currency",
    "items": "items_amount",
    "discount": "discount_amount",
    "fee": "fee_amount",
    "included_taxes": "included_taxes",
}
_DERIVED = ("ends_at", "next_look_at", "provider_ids", "revision", "customer", "price")


def booking_out(document: Document) -> Document:
    """The neutral form of a document; what follows from other parts is left out."""
    booking = {name: value for name, value in document.items() if name not in _DERIVED}
    booking.update({name: document["customer"][inner] for inner, name in _CUSTOMER.items()})
    booking.update({name: document["price"][inner] for inner, name in _PRICE.items()})
    booking["items"] = [
        {**item, "units": [_unit_out(unit) for unit in item["units"]]} for item in document["items"]
    ]
    booking["claims"] = sorted(document["claims"], key=lambda claim: (claim["counter_id"], claim["item_id"]))
    for name in ("history", "payments", "refunds"):
        booking[name] = sorted(document[name], key=lambda each: each["id"])
    return booking


def stored_booking(booking: Document) -> Document:
    """The document, but for its `_id`, of a neutral form that has its admissions."""
    ends = {each["id"]: each["valid_until"] for each in booking["admissions"]}
    payments = [_longs(each, "session_ends_at", "next_look_at", "created_at") for each in booking["payments"]]
    looks = [each["next_look_at"] for each in payments if each["next_look_at"] is not None]
    left_out = {"admissions", *_CUSTOMER.values(), *_PRICE.values()}
    return {
        **{name: value for name, value in booking.items() if name not in left_out},
        "customer": {inner: booking[name] for inner, name in _CUSTOMER.items()},
        "price": {inner: booking[name] for inner, name in _PRICE.items()},
        "ends_at": max(item["ends_at"] for item in booking["items"]),
        "next_look_at": min(looks, default=None),
        "items": [_item_back(item, ends) for item in booking["items"]],
        "claims": [_longs(each, "held_until") for each in booking["claims"]],
        "payments": payments,
        "provider_ids": [each["provider_id"] for each in payments if each["provider_id"] is not None],
        "refunds": [_longs(each, "created_at") for each in booking["refunds"]],
        "history": [_longs(each, "at") for each in booking["history"]],
        "revision": 0,
    }


def _unit_out(unit: Document) -> Document:
    return {name: value for name, value in unit.items() if name != "admits_until"}


def _item_back(item: Document, ends: dict[Any, int]) -> Document:
    units = [
        _longs({**unit, "admits_until": ends.get(unit["admission_id"])}, "admits_until")
        for unit in item["units"]
    ]
    return _longs({**item, "units": units}, "starts_at", "ends_at", "sales_end_at")


def _longs(part: Document, *names: str) -> Document:
    return {
        name: Int64(value) if name in names and value is not None else value for name, value in part.items()
    }
