"""What the platform says of sales, as the admin service has it: the rules of every sale, and the mode."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ticketing_service.domain.catalogue import RefundStep
from ticketing_service.domain.pricing import SalePolicy


class Mode(StrEnum):
    """`maintenance`: public writes are refused; staff, gates, webhooks and workers go on. `read_only`: every
    write is refused and the workers pause.
    """

    NORMAL = "normal"
    MAINTENANCE = "maintenance"
    READ_ONLY = "read_only"


@dataclass(frozen=True, slots=True)
class Brand:
    """Who the destination is to others; what is not said is empty."""

    name: str = "Destination"
    website: str = ""
    email: str = ""
    telephone: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Platform:
    """What holds now. `revision` counts the changes of the configuration; 0: what this service has itself."""

    policy: SalePolicy = field(default_factory=SalePolicy)
    mode: Mode = Mode.NORMAL
    revision: int = 0
    brand: Brand = field(default_factory=Brand)


class Malformed(Exception):
    """What was said cannot be what the platform says."""


def platform_of(document: Any) -> Platform:
    """What the admin service says: `{"revision", "values": {key: value}, "mode"}`. A key that it does not
    know is by our own default, a further one is none of ours. Raises Malformed, also for a value that cannot
    be.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("values"), Mapping):
        raise Malformed("not a configuration")
    values: Mapping[str, Any] = document["values"]
    try:
        mode = Mode(str(document.get("mode")))
    except ValueError as error:
        raise Malformed("an unknown mode") from error
    read = {name: reader(values[key], key) for name, (key, reader) in _FIELDS.items() if key in values}
    said = {name: _text(values[key], key) for name, key in _BRAND.items() if key in values}
    return Platform(
        policy=SalePolicy(**read),
        mode=mode,
        revision=_whole(0, 2**31)(document.get("revision"), "revision"),
        brand=Brand(**said),
    )


def _whole(low: int, high: int) -> Callable[[Any, str], int]:
    def read(value: Any, key: str) -> int:
        if type(value) is not int or not low <= value <= high:
            raise Malformed(f"{key}: not a whole number from {low} to {high}")
        return value

    return read


def _text(value: Any, key: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise Malformed(f"{key}: not a text")
    return value


def _currency(value: Any, key: str) -> str:
    if not isinstance(value, str) or re.fullmatch(r"[A-Z]{3}", value) is None:
        raise Malformed(f"{key}: not a currency")
    return value


def _refund_policy(value: Any, key: str) -> tuple[RefundStep, ...]:
    if not isinstance(value, list) or not all(isinstance(step, Mapping) for step in value):
        raise Malformed(f"{key}: not a list of steps")
    hours, percent = _whole(0, 8760), _whole(1, 100)
    return tuple(
        RefundStep(hours(step.get("hoursBefore"), key), percent(step.get("percent"), key)) for step in value
    )


_LONGEST_TEXT = 500
_BRAND: Mapping[str, str] = {
    "name": "brand.name",
    "website": "brand.website",
    "email": "brand.contactEmail",
    "telephone": "brand.telephone",
    "address": "brand.address",
}
"""Field of Brand -> the key that sets it."""

_FIELDS: Mapping[str, tuple[str, Callable[[Any, str], Any]]] = {
    "hold_minutes": ("sales.holdMinutes", _whole(1, 60)),
    "fee": ("sales.bookingFee", _whole(0, 100_000)),
    "max_units_per_item": ("sales.maxUnitsPerItem", _whole(1, 100)),
    "max_units_per_booking": ("sales.maxUnitsPerBooking", _whole(1, 500)),
    "max_extensions": ("sales.maxExtensions", _whole(0, 10)),
    "max_hold_minutes": ("sales.maxHoldMinutes", _whole(1, 240)),
    "guest_holds_per_address": ("sales.guestHoldsPerAddress", _whole(1, 1000)),
    "guest_holds_per_email": ("sales.guestHoldsPerEmail", _whole(1, 100)),
    "cutoff_start_time_minutes": ("sales.cutoffStartTimeMinutes", _whole(0, 10_080)),
    "cutoff_opening_hours_minutes": ("sales.cutoffOpeningHoursMinutes", _whole(0, 1440)),
    "tax_basis_points": ("sales.taxBasisPoints", _whole(0, 5000)),
    "commission_basis_points": ("sales.commissionBasisPoints", _whole(0, 5000)),
    "refund_policy": ("sales.refundPolicy", _refund_policy),
    "currency": ("sales.currency", _currency),
}
"""Field of SalePolicy -> the key that sets it, and how its value is read."""
