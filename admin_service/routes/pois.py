"""Points of interest, for those who curate them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request

from admin_service.actions import pois
from admin_service.actions.pois import ChangePoi, CreatePoi, MovePoi, RestorePoi
from admin_service.domain.poi import PoiStatus
from admin_service.domain.workflow import Step
from admin_service.routes.calling import PREFIX, PortsSource, allowed, keyed
from admin_service.routes.curating import by_of, made, within_reach, written
from admin_service.schemas.poi_answers import HistoryOut, PoiOut, history_document, poi_document
from admin_service.schemas.pois import MULTILINE, PoiIn, PoiPatch, PoiSearch, RestoreIn, poi_query
from common.auth.policy import Caller
from common.web.api import Api
from common.web.documents import page_document, rendered
from common.web.etag import require_if_match
from common.web.idempotency import Idempotency
from common.web.paging import page_of
from common.web.values import Paged

_WRITING = ("UNKNOWN_CATEGORY", "UNKNOWN_COUNTRY", "COORDINATES_SWAPPED", "INVALID_POI", "UNKNOWN_MEDIA",
            "EXTERNAL_ID_TAKEN")  # fmt: skip
_REFUSALS = (*_WRITING, "POI_NOT_FOUND", "VERSION_CONFLICT", "POI_ARCHIVED")


def pois_api(ports: PortsSource) -> Api:
    api = Api("pois", PREFIX)

    @api.route(
        "GET", "/pois", who=allowed("pois:read"), query=PoiSearch, answer=page_of(PoiOut),
        summary="Search the points of interest; an owner's own",
    )  # fmt: skip
    def search(query: dict[str, Any], caller: Caller) -> bytes:
        statuses = (query["status"],) if "status" in query else tuple(PoiStatus)
        page = pois.search_pois(within_reach(poi_query(query, statuses), by_of(caller)), ports())
        return rendered(page_document(page, [poi_document(poi) for poi in page.items]))

    @api.route(
        "GET", "/pois/<uuid:poi_id>", who=allowed("pois:read"), answer=PoiOut, problems=("POI_NOT_FOUND",),
        summary="One, with what waits for review field by field",
    )  # fmt: skip
    def read(poi_id: UUID, caller: Caller) -> Any:
        return written(pois.managed_poi(poi_id, by_of(caller), ports()))

    @api.route(
        "POST", "/pois", who=allowed("pois:create"), body=PoiIn, answer=PoiOut, status=201,
        idempotency="accepted", multiline=MULTILINE, problems=_WRITING,
        summary="Create a draft; an owner's waits for review",
    )  # fmt: skip
    def create(body: dict[str, Any], caller: Caller, idempotency: Idempotency | None) -> Any:
        command = CreatePoi(by=by_of(caller), content=body, idempotency=keyed(idempotency, made))
        return made(pois.create_poi(command, ports()))

    @api.route(
        "PUT", "/pois/<uuid:poi_id>", who=allowed("pois:update"), body=PoiIn, answer=PoiOut, if_match=True,
        multiline=MULTILINE, problems=_REFUSALS, summary="Replace the content; an owner proposes it",
    )  # fmt: skip
    def replace(poi_id: UUID, body: dict[str, Any], caller: Caller) -> Any:
        return written(pois.change_poi(_change(poi_id, body, caller, whole=True), ports()))

    @api.route(
        "PATCH", "/pois/<uuid:poi_id>", who=allowed("pois:update"), body=PoiPatch, answer=PoiOut,
        if_match=True, multiline=MULTILINE, problems=_REFUSALS,
        summary="Replace some fields of the content; an owner proposes it",
    )  # fmt: skip
    def change(poi_id: UUID, body: dict[str, Any], caller: Caller) -> Any:
        return written(pois.change_poi(_change(poi_id, body, caller, whole=False), ports()))

    @api.route(
        "DELETE", "/pois/<uuid:poi_id>", who=allowed("pois:publish"), status=204, if_match=True,
        problems=("POI_NOT_FOUND", "VERSION_CONFLICT", "STEP_NOT_ALLOWED"),
        summary="Archive it; nothing is ever forgotten",
    )  # fmt: skip
    def remove(poi_id: UUID, caller: Caller) -> None:
        version = require_if_match(request.headers)
        command = MovePoi(by=by_of(caller), poi_id=poi_id, expected_version=version, step=Step.ARCHIVE)
        pois.move_poi(command, ports())

    @api.route(
        "GET", "/pois/<uuid:poi_id>/history", who=allowed("pois:read"), query=Paged,
        answer=page_of(HistoryOut), problems=("POI_NOT_FOUND",), summary="All its versions, the newest first",
    )  # fmt: skip
    def history(poi_id: UUID, query: dict[str, Any], caller: Caller) -> bytes:
        page = pois.history_of(poi_id, by_of(caller), query["limit"], query["cursor"], ports())
        return rendered(page_document(page, [history_document(entry) for entry in page.items]))

    @api.route(
        "POST", "/pois/<uuid:poi_id>/restore", who=allowed("pois:update"), body=RestoreIn, answer=PoiOut,
        if_match=True, problems=("NOTHING_TO_RESTORE", *_REFUSALS),
        summary="Make the content of an earlier version the content again; an owner proposes it",
    )  # fmt: skip
    def restore(poi_id: UUID, body: dict[str, Any], caller: Caller) -> Any:
        version = require_if_match(request.headers)
        command = RestorePoi(by=by_of(caller), poi_id=poi_id, expected_version=version, **body)
        return written(pois.restore_poi(command, ports()))

    return api


def _change(poi_id: UUID, body: dict[str, Any], caller: Caller, *, whole: bool) -> ChangePoi:
    return ChangePoi(
        by=by_of(caller),
        poi_id=poi_id,
        expected_version=require_if_match(request.headers),
        changes=body,
        whole=whole,
    )
