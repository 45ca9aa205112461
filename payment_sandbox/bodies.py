"""What may come in: JSON bodies checked field by field, unknown fields refused."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from payment_sandbox.errors import Refusal, invalid
from payment_sandbox.settings import CAPTURE_MODES

MAX_AMOUNT = 10**12
MAX_METADATA_CHARACTERS = 8_000
OUTCOMES = ("authorize", "capture", "decline", "expire")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A payment to be created. `amount` in minor units."""

    amount: int
    currency: str
    resource_type: str
    resource_id: str
    return_url: str | None
    metadata: Mapping[str, Any]
    capture_mode: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundOrder:
    """A refund to be made. `amount` in minor units."""

    amount: int
    reason: str | None
    details: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a test makes of a payment; amount, currency and resource may differ from what was asked."""

    outcome: str
    amount: int | None
    currency: str | None
    resource_id: str | None

    @property
    def changes_something(self) -> bool:
        """Whether the payer pays something else than was asked for."""
        return any(value is not None for value in (self.amount, self.currency, self.resource_id))


def read_order(raw: bytes) -> Order:
    """Body of a new payment. Raises Refusal 400 or 422."""
    body = read_object(
        raw, {"amount", "currency", "resourceType", "resourceId", "returnUrl", "metadata"}, required=True
    )
    metadata = body.get("metadata") or {}
    if not isinstance(metadata, dict) or len(json.dumps(metadata)) > MAX_METADATA_CHARACTERS:
        raise invalid(f"metadata must be an object of at most {MAX_METADATA_CHARACTERS} characters.")
    capture_mode = metadata.get("captureMode")
    if capture_mode is not None and capture_mode not in CAPTURE_MODES:
        raise invalid("metadata.captureMode must be authorize or capture.")
    if body.get("resourceType") != "ticket":
        raise invalid("resourceType must be ticket.")
    return Order(
        amount=_amount(body.get("amount")),
        currency=_currency(body.get("currency")),
        resource_type="ticket",
        resource_id=_text(body.get("resourceId"), "resourceId", 100),
        return_url=_return_url(body.get("returnUrl")),
        metadata=metadata,
        capture_mode=capture_mode,
    )


def read_capture(raw: bytes) -> int | None:
    """Body of a capture: nothing, or how much of the authorised amount. Raises Refusal 400 or 422."""
    amount = read_object(raw, {"amount"}).get("amount")
    return None if amount is None else _amount(amount)


def read_refund(raw: bytes) -> RefundOrder:
    """Body of a refund. Raises Refusal 400 or 422."""
    body = read_object(raw, {"amount", "reason", "details"}, required=True)
    reason = body.get("reason")
    details = body.get("details")
    if len(json.dumps(details)) > MAX_METADATA_CHARACTERS:
        raise invalid(f"details must be at most {MAX_METADATA_CHARACTERS} characters.")
    return RefundOrder(
        amount=_amount(body.get("amount")),
        reason=None if reason is None else _text(reason, "reason", 500),
        details=details,
    )


def read_outcome(raw: bytes) -> Outcome:
    """Body of a forced outcome. Raises Refusal 400 or 422."""
    body = read_object(raw, {"outcome", "amount", "currency", "resourceId"}, required=True)
    if body.get("outcome") not in OUTCOMES:
        raise invalid(f"outcome must be one of {', '.join(OUTCOMES)}.")
    amount, currency, resource_id = body.get("amount"), body.get("currency"), body.get("resourceId")
    return Outcome(
        outcome=body["outcome"],
        amount=None if amount is None else _amount(amount),
        currency=None if currency is None else _currency(currency),
        resource_id=None if resource_id is None else _text(resource_id, "resourceId", 100),
    )


def read_object(raw: bytes, allowed: Collection[str], *, required: bool = False) -> dict[str, Any]:
    """A JSON object with no other fields than `allowed`; an empty body is {} unless it is required."""
    if not raw.strip() and not required:
        return {}
    try:
        body = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "MALFORMED_JSON", "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise invalid("The body must be a JSON object.")
    refuse_unknown(body, allowed)
    return body


def canonical(raw: bytes) -> str:
    """The same text for the same JSON object, however it was written."""
    return json.dumps(json.loads(raw) if raw.strip() else {}, sort_keys=True, separators=(",", ":"))


def refuse_unknown(body: Mapping[str, Any], allowed: Collection[str]) -> None:
    """Raises Refusal 422 that names the first field nobody knows."""
    for name in body:
        if name not in allowed:
            raise invalid(f"Unknown field: {name[:60]}.")


def whole_number(value: Any, name: str, low: int, high: int) -> int:
    """A JSON integer in range; true and false are none. Raises Refusal 422."""
    if type(value) is not int or not low <= value <= high:
        raise invalid(f"{name} must be a whole number from {low} to {high}.")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _amount(value: Any) -> int:
    return whole_number(value, "amount", 1, MAX_AMOUNT)


def _currency(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 3 or not (value.isascii() and value.isalpha()):
        raise invalid("currency must be three letters (ISO 4217).")
    if not value.isupper():
        raise invalid("currency must be in capitals.")
    return value


def _text(value: Any, name: str, longest: int) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= longest or not value.isprintable():
        raise invalid(f"{name} must be 1 to {longest} printable characters.")
    return value


def _return_url(value: Any) -> str | None:
    if value is None:
        return None
    text = _text(value, "returnUrl", 2000)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and " " not in text
    except ValueError:
        usable = False
    if not usable:
        raise invalid("returnUrl must be an http or https URL.")
    return text
