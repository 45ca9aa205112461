"""Reading the payment module's answers: every value is checked before anybody believes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

from common.clock import to_milliseconds
from ticketing_service.domain.bookings import Observation, PaymentState
from ticketing_service.storage.ports.payments import PaymentSession

T = TypeVar("T")
Read: TypeAlias = Callable[[Mapping[str, Any]], T]

MAX_ID_LENGTH = 100
MAX_URL_LENGTH = 2000
REFUND_STATES = frozenset({"processing", "refunded", "failed"})

_STATES = {
    "pending": PaymentState.PENDING,
    "authorized": PaymentState.AUTHORIZED,
    "captured": PaymentState.CAPTURED,
    "failed": PaymentState.FAILED,
    "cancelled": PaymentState.VOIDED,
    "refunded": PaymentState.REFUNDED,
    "partially_refunded": PaymentState.PARTIALLY_REFUNDED,
}


class Malformed(Exception):
    """An answer that does not keep the contract; the message names the field."""


def session(data: Mapping[str, Any]) -> PaymentSession:
    """The answer to a creation. Raises Malformed."""
    url = _text(data, "redirectUrl", MAX_URL_LENGTH)
    try:
        usable = urlsplit(url).scheme in ("http", "https") and bool(urlsplit(url).hostname)
    except ValueError:
        usable = False
    if not usable or not url.isprintable():
        raise Malformed("redirectUrl")
    return PaymentSession(
        provider_id=_text(data, "paymentId", MAX_ID_LENGTH),
        redirect_url=url,
        session_ends_at=_instant(data, "expiresAt"),
    )


def observation(data: Mapping[str, Any]) -> Observation:
    """The state of a payment. Raises Malformed."""
    state = _STATES.get(_text(data, "status", MAX_ID_LENGTH))
    if state is None:
        raise Malformed("status")
    # An authorisation is worth what the bank holds, which is what will be captured.
    amount_field = "authorizedAmount" if state is PaymentState.AUTHORIZED else "amount"
    return Observation(
        provider_id=_text(data, "paymentId", MAX_ID_LENGTH),
        resource_id=_text(data, "resourceId", MAX_ID_LENGTH),
        state=state,
        amount=_amount(data, amount_field),
        currency=_text(data, "currency", 3),
        captured=_amount(data, "capturedAmount"),
        refunded=_amount(data, "refundedAmount"),
    )


def refund_states(data: Mapping[str, Any]) -> dict[str, str]:
    """The state of each refund by the module's id. Raises Malformed."""
    refunds = data.get("refunds")
    if not isinstance(refunds, list) or not all(isinstance(refund, dict) for refund in refunds):
        raise Malformed("refunds")
    states = {refund_id(refund): _text(refund, "status", MAX_ID_LENGTH) for refund in refunds}
    if not REFUND_STATES.issuperset(states.values()):
        raise Malformed("refunds.status")
    return states


def refund_id(data: Mapping[str, Any]) -> str:
    """The module's id of a refund. Raises Malformed."""
    return _text(data, "refundId", MAX_ID_LENGTH)


def _text(data: Mapping[str, Any], name: str, longest: int) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise Malformed(name)
    return value


def _amount(data: Mapping[str, Any], name: str) -> int:
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Malformed(name)
    return value


def _instant(data: Mapping[str, Any], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(data, name, MAX_ID_LENGTH))
    except ValueError as error:
        raise Malformed(name) from error
    if moment.tzinfo is None:
        raise Malformed(name)
    return to_milliseconds(moment)
