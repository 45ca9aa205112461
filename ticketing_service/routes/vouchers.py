"""Vouchers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request

from common.auth.policy import Caller
from common.web.api import Api
from common.web.etag import etag, require_if_match
from common.web.idempotency import Idempotency
from common.web.paging import page_of
from ticketing_service.actions import vouchers
from ticketing_service.actions.vouchers import ChangeVoucher, CreateVoucher, VoucherDraft
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.routes.calling import PREFIX, PortsSource, keyed
from ticketing_service.routes.tickets import MANAGERS
from ticketing_service.schemas.documents import page_document, rendered
from ticketing_service.schemas.values import Paged
from ticketing_service.schemas.vouchers import VoucherIn, VoucherOut, VoucherPatch, voucher_document

_WRITING = ("INVALID_VOUCHER", "POI_NOT_ALLOWED", "TICKET_NOT_FOUND")


def vouchers_api(ports: PortsSource) -> Api:
    api = Api("vouchers", PREFIX)

    @api.route(
        "GET", "/vouchers", who=MANAGERS, query=Paged, answer=page_of(VoucherOut), summary="All vouchers"
    )
    def find(query: dict[str, Any]) -> bytes:
        page = vouchers.find_vouchers(query["limit"], query["cursor"], ports())
        return rendered(page_document(page, [voucher_document(each) for each in page.items]))

    @api.route(
        "POST", "/vouchers", who=MANAGERS, body=VoucherIn, answer=VoucherOut, status=201,
        idempotency="accepted", problems=(*_WRITING, "VOUCHER_CODE_TAKEN"), summary="Make a voucher",
    )  # fmt: skip
    def create(body: dict[str, Any], caller: Caller, idempotency: Idempotency | None) -> Any:
        key = keyed(idempotency, _written)
        command = CreateVoucher(draft=VoucherDraft(**body), allowed_pois=caller.poi_ids, idempotency=key)
        return _written(vouchers.create_voucher(command, ports()))

    @api.route(
        "PATCH", "/vouchers/<uuid:voucher_id>", who=MANAGERS, body=VoucherPatch, answer=VoucherOut,
        if_match=True, problems=(*_WRITING, "VOUCHER_NOT_FOUND", "VERSION_CONFLICT", "VOUCHER_BELOW_USED"),
        summary="Change a voucher; its code stays",
    )  # fmt: skip
    def change(voucher_id: UUID, body: dict[str, Any], caller: Caller) -> Any:
        command = ChangeVoucher(
            voucher_id=voucher_id,
            expected_version=require_if_match(request.headers),
            changes=body,
            allowed_pois=caller.poi_ids,
        )
        return _written(vouchers.change_voucher(command, ports()))

    return api


def _written(voucher: Voucher) -> tuple[bytes, dict[str, str]]:
    return rendered(voucher_document(voucher)), {"ETag": etag(voucher.version)}
