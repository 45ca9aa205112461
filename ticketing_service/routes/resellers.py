"""Resellers and their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import request

from common.auth.policy import ADMINISTRATOR, Caller, roles
from common.web.api import Api
from common.web.etag import etag, require_if_match
from common.web.idempotency import Idempotency
from common.web.paging import page_of
from ticketing_service.actions import resellers
from ticketing_service.actions.resellers import (
    ChangeReseller,
    CreateReseller,
    CreateResellerKey,
    ResellerDraft,
)
from ticketing_service.domain.resellers import Reseller, ResellerKey
from ticketing_service.routes.calling import PREFIX, PortsSource, keyed
from ticketing_service.schemas.documents import page_document, rendered
from ticketing_service.schemas.resellers import (
    NewResellerKeyOut,
    ResellerIn,
    ResellerKeyIn,
    ResellerKeyOut,
    ResellerOut,
    ResellerPatch,
    reseller_document,
    reseller_key_document,
)
from ticketing_service.schemas.values import Paged

ADMINISTRATORS = roles(ADMINISTRATOR)
_UNKNOWN = ("RESELLER_NOT_FOUND",)


def resellers_api(ports: PortsSource) -> Api:
    api = Api("resellers", f"{PREFIX}/resellers")

    def with_key(document: Mapping[str, Any]) -> dict[str, str]:
        return {"key": resellers.reseller_key_of(UUID(document["id"]), document["start"], ports())}

    @api.route(
        "GET", "", who=ADMINISTRATORS, query=Paged, answer=page_of(ResellerOut),
        summary="All resellers, newest first",
    )  # fmt: skip
    def find(query: dict[str, Any]) -> bytes:
        page = resellers.find_resellers(query["limit"], query["cursor"], ports())
        return rendered(page_document(page, [reseller_document(each) for each in page.items]))

    @api.route(
        "POST", "", who=ADMINISTRATORS, body=ResellerIn, answer=ResellerOut, status=201,
        idempotency="accepted", problems=("TICKET_NOT_FOUND",), summary="Make a reseller",
    )  # fmt: skip
    def create(body: dict[str, Any], idempotency: Idempotency | None) -> Any:
        key = keyed(idempotency, _created)
        command = CreateReseller(draft=ResellerDraft(**body), idempotency=key)
        return _created(resellers.create_reseller(command, ports()))

    @api.route(
        "GET", "/<uuid:reseller_id>", who=ADMINISTRATORS, answer=ResellerOut, problems=_UNKNOWN,
        summary="One reseller",
    )  # fmt: skip
    def read(reseller_id: UUID) -> Any:
        return _written(resellers.find_reseller(reseller_id, ports()))

    @api.route(
        "PATCH", "/<uuid:reseller_id>", who=ADMINISTRATORS, body=ResellerPatch, answer=ResellerOut,
        if_match=True,
        problems=(*_UNKNOWN, "TICKET_NOT_FOUND", "VERSION_CONFLICT", "CREDIT_BELOW_USED"),
        summary="Change a reseller; what it has sold stays as it was sold",
    )  # fmt: skip
    def change(reseller_id: UUID, body: dict[str, Any]) -> Any:
        version = require_if_match(request.headers)
        command = ChangeReseller(reseller_id=reseller_id, expected_version=version, changes=body)
        return _written(resellers.change_reseller(command, ports()))

    @api.route(
        "GET", "/<uuid:reseller_id>/keys", who=ADMINISTRATORS, query=Paged, answer=page_of(ResellerKeyOut),
        problems=_UNKNOWN, summary="The keys of a reseller, newest first",
    )  # fmt: skip
    def find_keys(reseller_id: UUID, query: dict[str, Any]) -> bytes:
        page = resellers.find_reseller_keys(reseller_id, query["limit"], query["cursor"], ports())
        return rendered(page_document(page, [reseller_key_document(each) for each in page.items]))

    @api.route(
        "POST", "/<uuid:reseller_id>/keys", who=ADMINISTRATORS, body=ResellerKeyIn, answer=NewResellerKeyOut,
        status=201, idempotency="accepted", problems=(*_UNKNOWN, "INVALID_API_KEY"), answer_suffix=with_key,
        summary="Make a key for a reseller; it is shown this once",
    )  # fmt: skip
    def create_key(
        reseller_id: UUID, body: dict[str, Any], caller: Caller, idempotency: Idempotency | None
    ) -> bytes:
        command = CreateResellerKey(
            **body,
            reseller_id=reseller_id,
            actor=caller.principal,
            idempotency=keyed(idempotency, _made),
        )
        return _made(resellers.create_reseller_key(command, ports()))

    @api.route(
        "DELETE", "/<uuid:reseller_id>/keys/<uuid:key_id>", who=ADMINISTRATORS, status=204,
        problems=("API_KEY_NOT_FOUND",), summary="Revoke a key; it opens nothing within seconds",
    )  # fmt: skip
    def revoke_key(reseller_id: UUID, key_id: UUID) -> None:
        resellers.revoke_reseller_key(reseller_id, key_id, ports())

    return api


def _written(reseller: Reseller) -> tuple[bytes, dict[str, str]]:
    return rendered(reseller_document(reseller)), {"ETag": etag(reseller.version)}


def _created(reseller: Reseller) -> tuple[bytes, dict[str, str]]:
    document, headers = _written(reseller)
    return document, {**headers, "Location": f"{PREFIX}/resellers/{reseller.id}"}


def _made(key: ResellerKey) -> bytes:
    return rendered(reseller_key_document(key))
