"""Bodies with every field that there is."""

from __future__ import annotations

from typing import Any

from tests.http.ticketing.shop import TOWER, ticket

EUROS = {"amount": 100, "currency": "EUR"}


def voucher_body(code: str) -> dict[str, Any]:
    """Every field that a voucher has, but the percentage beside the amount."""
    return {
        "code": code,
        "percentBasisPoints": None,
        "amount": EUROS,
        "validFrom": "2026-06-01T00:00:00Z",
        "validUntil": "2026-09-01T00:00:00Z",
        "maxUses": 100,
        "maxUsesPerCustomer": 5,
        "ticketIds": [],
        "active": True,
    }


def reseller_body() -> dict[str, Any]:
    """Every field that a reseller has."""
    return {
        "name": "City Trips",
        "ticketIds": None,
        "maxHolds": 50,
        "markupBasisPoints": 500,
        "netBasisPoints": 8000,
        "credit": [{"currency": "EUR", "limit": 100_000, "paid": 0}],
        "active": True,
    }


def reseller_key_body() -> dict[str, Any]:
    """A key for everything."""
    return {
        "name": "production",
        "scopes": ["bookings:read", "bookings:write", "webhooks:manage"],
        "isTest": False,
        "expiresAt": "2028-07-01T00:00:00Z",
    }


def subscription_body(**more: Any) -> dict[str, Any]:
    """Every field that a subscription to webhooks has, but for whose it is."""
    return {
        "url": "https://hooks.example.org/in",
        "events": ["booking.updated", "availability.updated", "product.updated"],
        "active": True,
        **more,
    }


def full_ticket() -> dict[str, Any]:
    """A ticket with every field that there is."""
    restrictions = {
        "minAge": 0, "maxAge": 99, "minQuantity": 1, "maxQuantity": 9, "accompaniedBy": ["ADULT"],
    }  # fmt: skip
    unit = {"type": "ADULT", "title": {"en": "Adult"}, "paxCount": 1, "price": EUROS}
    child = {**unit, "type": "CHILD", "title": {"en": "Child"}, "restrictions": restrictions}
    option = {
        "title": {"en": "Standard"},
        "default": True,
        "units": [child, unit],
        "price": None,
        "minUnits": 1,
        "maxUnits": 10,
        "resourceIds": ["lift"],
    }
    more = {
        "poiIds": [str(TOWER)],
        "cutoffMinutes": 30,
        "refundPolicy": [{"hoursBefore": 24, "percent": 100}],
        "taxes": [{"name": "VAT", "rateBasisPoints": 900}],
        "commissionBasisPoints": 800,
        "validDays": 1,
    }
    return {**ticket(), "options": [option], **more}


def same_parts(made: dict[str, Any]) -> dict[str, Any]:
    """A body that replaces the ticket and keeps its option and unit."""
    body = ticket()
    option, kept = body["options"][0], made["options"][0]
    option["id"], option["units"][0]["id"] = kept["id"], kept["units"][0]["id"]
    return body
