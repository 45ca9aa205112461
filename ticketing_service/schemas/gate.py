"""Admissions and their redemption at a gate: what comes in and what goes out."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from common.auth.jwks import public_jwk
from common.texts import text_in
from common.web.schemas import ApiSchema, Instant
from ticketing_service.actions.redemptions import ScanCode
from ticketing_service.domain.admissions import Admission, Redemption
from ticketing_service.domain.errors import Refused
from ticketing_service.schemas.documents import Document, facts_document, instant_text
from ticketing_service.schemas.values import Paged

MAX_CODE, MAX_SCANS = 1000, 500


class ScanIn(ApiSchema):
    """`scanId` is made by the scanner; `scannedAt` is set for a scan that was made without a network."""

    code = fields.String(required=True, validate=validate.Length(1, MAX_CODE))
    poi_id = fields.UUID(required=True)
    scan_id = fields.UUID(required=True)
    scanned_at = Instant(load_default=None, allow_none=True)

    @post_load
    def scan(self, values: dict[str, Any], **_: Any) -> ScanCode:
        return ScanCode(**values)


class BatchIn(ApiSchema):
    """Scans that were made without a network; each is decided on its own."""

    scans = fields.List(fields.Nested(ScanIn), required=True, validate=validate.Length(1, MAX_SCANS))


class RedemptionOut(ApiSchema):
    """What a gate is told: who comes in with what, nothing about whose it is."""

    scan_id = fields.UUID(required=True)
    title = fields.String(required=True)
    unit = fields.String(required=True)
    people = fields.Integer(required=True)
    redeemed_at = Instant(required=True)


class ScanOutcome(ApiSchema):
    """`status` is `redeemed` or `refused`; the rest belongs to one of them."""

    scan_id = fields.UUID(required=True)
    status = fields.String(required=True)
    title = fields.String()
    unit = fields.String()
    people = fields.Integer()
    redeemed_at = Instant()
    code = fields.String()
    detail = fields.String()
    facts = fields.Dict()


class BatchOut(ApiSchema):
    data = fields.List(fields.Nested(ScanOutcome), required=True)


class KeyOut(ApiSchema):
    """A public key as a JWK (RFC 8037)."""

    kty = fields.String(required=True)
    crv = fields.String(required=True)
    use = fields.String(required=True)
    alg = fields.String(required=True)
    kid = fields.String(required=True)
    x = fields.String(required=True)


class KeysOut(ApiSchema):
    """The keys that admission codes are signed with, oldest first."""

    keys = fields.List(fields.Nested(KeyOut), required=True)


class RevocationsQuery(Paged):
    since = Instant(load_default=None)


class RevocationOut(ApiSchema):
    admission_id = fields.UUID(required=True)
    cancelled_at = Instant(required=True)


class AdmissionOut(ApiSchema):
    """A scannable code, and where its pictures are."""

    id = fields.UUID(required=True)
    item_id = fields.UUID(required=True)
    unit_item_id = fields.UUID(required=True)
    title = fields.String(required=True)
    unit = fields.String(required=True)
    people = fields.Integer(required=True)
    valid_from = Instant(required=True)
    valid_until = Instant(required=True)
    code = fields.String(required=True)
    qr_svg_url = fields.Url(required=True, require_tld=False)
    qr_png_url = fields.Url(required=True, require_tld=False)


class AdmissionList(ApiSchema):
    data = fields.List(fields.Nested(AdmissionOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


def redemption_document(redemption: Redemption, language: str) -> Document:
    """As `RedemptionOut` says."""
    return {
        "scanId": redemption.scan_id,
        "title": text_in(redemption.title, language),
        "unit": text_in(redemption.unit_title, language),
        "people": redemption.pax_count,
        "redeemedAt": instant_text(redemption.redeemed_at),
    }


def outcome_document(scan: ScanCode, outcome: Redemption | Refused, language: str) -> Document:
    """As `ScanOutcome` says."""
    if isinstance(outcome, Refused):
        return {
            "scanId": scan.scan_id,
            "status": "refused",
            "code": outcome.code.name,
            "detail": outcome.detail or outcome.code.title,
            "facts": facts_document(outcome.facts),
        }
    return {"status": "redeemed", **redemption_document(outcome, language)}


def keys_document(keys: dict[str, bytes]) -> Document:
    """As `KeysOut` says; `keys` are 32 bytes each by their id in admission codes."""
    return {"keys": [public_jwk(key_id, key) for key_id, key in keys.items()]}


def revocation_document(admission: Admission) -> Document:
    """As `RevocationOut` says."""
    at = admission.cancelled_at
    return {"admissionId": admission.id, "cancelledAt": None if at is None else instant_text(at)}


def admission_document(admission: Admission, language: str, public_url: str) -> Document:
    """As `AdmissionOut` says."""
    base = f"{public_url}/api/v1/admissions/{admission.id}"
    return {
        "id": admission.id,
        "itemId": admission.item_id,
        "unitItemId": admission.unit_item_id,
        "title": text_in(admission.title, language),
        "unit": text_in(admission.unit_title, language),
        "people": admission.pax_count,
        "validFrom": instant_text(admission.valid_from),
        "validUntil": instant_text(admission.valid_until),
        "code": admission.code,
        "qrSvgUrl": f"{base}/qr.svg",
        "qrPngUrl": f"{base}/qr.png",
    }
