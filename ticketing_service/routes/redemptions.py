"""Gates: scans, and what scanners need to work without a network."""

from __future__ import annotations

from typing import Any

from common.auth.policy import Caller, roles
from common.texts import LANGUAGES
from common.web.api import Api
from common.web.idempotency import Idempotency
from common.web.paging import page_of
from ticketing_service.actions import redemptions
from ticketing_service.actions.redemptions import Gate, ScanCode
from ticketing_service.domain.admissions import Redemption
from ticketing_service.routes.calling import PREFIX, PortsSource, keyed
from ticketing_service.schemas.documents import page_document, rendered
from ticketing_service.schemas.gate import (
    BatchIn,
    BatchOut,
    KeysOut,
    RedemptionOut,
    RevocationOut,
    RevocationsQuery,
    ScanIn,
    keys_document,
    outcome_document,
    redemption_document,
    revocation_document,
)

GATES = roles("gate")
_REFUSALS = (
    "POI_NOT_ALLOWED", "SCAN_TIME_INVALID", "CODE_UNREADABLE", "CODE_FORGED", "ADMISSION_NOT_FOUND",
    "ALREADY_REDEEMED", "ADMISSION_CANCELLED", "ADMISSION_EXPIRED", "ADMISSION_NOT_YET_VALID",
    "ADMISSION_WRONG_DAY", "ADMISSION_WRONG_POI", "TEST",
)  # fmt: skip


def redemptions_api(ports: PortsSource) -> Api:
    api = Api("redemptions", PREFIX)

    @api.route(
        "POST", "/redemptions", who=GATES, body=ScanIn, answer=RedemptionOut, status=201, languages=LANGUAGES,
        idempotency="accepted", problems=_REFUSALS,
        summary="Let somebody in; the same scanId gets its first answer",
    )  # fmt: skip
    def redeem(body: ScanCode, caller: Caller, idempotency: Idempotency | None, language: str) -> bytes:
        def shown(redemption: Redemption) -> bytes:
            return rendered(redemption_document(redemption, language))

        return shown(redemptions.redeem(body, _gate(caller), ports(), keyed(idempotency, shown)))

    @api.route(
        "POST", "/redemptions/batch", who=GATES, body=BatchIn, answer=BatchOut, languages=LANGUAGES,
        problems=("STORE_UNAVAILABLE",), summary="Hand in scans that were made without a network",
    )  # fmt: skip
    def redeem_batch(body: dict[str, Any], caller: Caller, language: str) -> bytes:
        outcomes = redemptions.redeem_all(tuple(body["scans"]), _gate(caller), ports())
        rows = [outcome_document(scan, outcome, language) for scan, outcome in outcomes]
        return rendered({"data": rows})

    @api.route(
        "GET", "/redemptions/keys", who=GATES, answer=KeysOut,
        summary="The public keys of admission codes, to verify them without a network",
    )  # fmt: skip
    def keys() -> bytes:
        return rendered(keys_document(ports().admission_keys.public_bytes()))

    @api.route(
        "GET", "/redemptions/revocations", who=GATES, query=RevocationsQuery, answer=page_of(RevocationOut),
        summary="Admissions that were cancelled, in the order of their cancellation",
    )  # fmt: skip
    def revocations(query: dict[str, Any]) -> bytes:
        page = redemptions.find_revocations(query["since"], query["limit"], query["cursor"], ports())
        return rendered(page_document(page, [revocation_document(each) for each in page.items]))

    return api


def _gate(caller: Caller) -> Gate:
    return Gate(name=caller.subject or caller.kind, allowed_pois=caller.poi_ids)
