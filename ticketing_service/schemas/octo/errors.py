"""What is refused, in the words of OCTO."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from common.web.schemas import ApiSchema
from ticketing_service.domain.errors import Code

BAD_REQUEST, UNPROCESSABLE, FORBIDDEN, UNAUTHORIZED, INTERNAL = (
    "BAD_REQUEST", "UNPROCESSABLE_ENTITY", "FORBIDDEN", "UNAUTHORIZED", "INTERNAL_SERVER_ERROR",
)  # fmt: skip
INVALID: Mapping[str, str] = {
    "INVALID_PRODUCT_ID": "productId",
    "INVALID_OPTION_ID": "optionId",
    "INVALID_UNIT_ID": "unitId",
    "INVALID_AVAILABILITY_ID": "availabilityId",
    "INVALID_BOOKING_UUID": "uuid",
}
"""The errors that tell which id is meant, and the member in which they do."""

OF_CODE: Mapping[Code, str] = {
    Code.TICKET_NOT_FOUND: "INVALID_PRODUCT_ID",
    Code.TICKET_NOT_ALLOWED: "INVALID_PRODUCT_ID",
    Code.TICKET_NOT_ON_SALE: "INVALID_PRODUCT_ID",
    Code.UNKNOWN_OPTION: "INVALID_OPTION_ID",
    Code.UNKNOWN_UNIT: "INVALID_UNIT_ID",
    Code.SLOT_NOT_FOUND: "INVALID_AVAILABILITY_ID",
    Code.BOOKING_NOT_FOUND: "INVALID_BOOKING_UUID",
    Code.RESALE_UUID_TAKEN: "INVALID_BOOKING_UUID",
    Code.INVALID_PERIOD: BAD_REQUEST,
}
"""What is not among them cannot be processed: the request is well-formed, and the answer is no."""

_OF_STATUS: Mapping[int, str] = {
    401: UNAUTHORIZED,
    403: FORBIDDEN,
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    429: "TOO_MANY_REQUESTS",
    500: INTERNAL,
    503: "SERVICE_UNAVAILABLE",
}
_MALFORMED = frozenset({
    "BAD_REQUEST", "MALFORMED_JSON", "VALIDATION_FAILED", "CONTENT_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE",
    "URI_TOO_LONG", "HEADERS_TOO_LARGE", "NOT_ACCEPTABLE",
})  # fmt: skip


class OctoError(ApiSchema):
    """OCTO's error body. Of an id that is not known it tells which."""

    error = fields.String(required=True)
    error_message = fields.String(required=True)
    product_id = fields.String()
    option_id = fields.String()
    unit_id = fields.String()
    availability_id = fields.String()
    uuid = fields.String()


def status_of(status: int) -> int:
    """The status under which OCTO answers what else is answered under `status`."""
    return status if status in _OF_STATUS else 400


def error_document(problem: Mapping[str, Any]) -> dict[str, Any]:
    """OCTO's error of a problem document."""
    code, status = str(problem["code"]), int(problem["status"])
    error = _OF_STATUS.get(status, BAD_REQUEST if code in _MALFORMED else UNPROCESSABLE)
    if code in INVALID or code == BAD_REQUEST:
        error = code
    faults = "; ".join(f"{each['pointer']}: {each['detail']}" for each in problem.get("errors", ()))
    said = str(problem["detail"])
    document = {"error": error, "errorMessage": f"{said} {faults}" if faults and faults not in said else said}
    named = INVALID.get(error)
    return document if named is None else {**document, named: str(problem.get(named, ""))}
