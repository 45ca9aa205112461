"""Points of interest that may be one place: listed, merged, parted again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request

from admin_service.actions import duplicates
from admin_service.actions.duplicates import DismissPair, MergePois, UndoMerge
from admin_service.domain.merging import Merge
from admin_service.routes.calling import PREFIX, PortsSource, allowed, keyed
from admin_service.routes.curating import by_of
from admin_service.schemas.duplicates import (
    MergeList,
    MergeOut,
    ResemblanceList,
    ResemblanceOut,
    merge_document,
    resemblance_document,
)
from admin_service.schemas.pois import MergeIn
from common.auth.policy import Caller
from common.web.api import Api
from common.web.documents import page_document, rendered
from common.web.etag import require_if_match
from common.web.idempotency import Idempotency
from common.web.paging import page_of
from common.web.values import Paged

MERGERS = allowed("pois:merge")
MOST_MERGES = 100
_MERGING = ("POI_NOT_FOUND", "VERSION_CONFLICT", "NOT_A_DUPLICATE")


def duplicates_api(ports: PortsSource) -> Api:
    api = Api("duplicates", PREFIX, tag="pois")

    @api.route(
        "GET", "/pois/duplicates", who=MERGERS, query=Paged, answer=page_of(ResemblanceOut),
        summary="Likely duplicates, the likeliest first",
    )  # fmt: skip
    def find(query: dict[str, Any]) -> bytes:
        page = duplicates.all_duplicates(query["limit"], query["cursor"], ports())
        return rendered(page_document(page, [resemblance_document(pair) for pair in page.items]))

    @api.route(
        "GET", "/pois/<uuid:poi_id>/duplicates", who=MERGERS, answer=ResemblanceList,
        problems=("POI_NOT_FOUND",), summary="What it may be a duplicate of, looked for now",
    )  # fmt: skip
    def find_of(poi_id: UUID, caller: Caller) -> bytes:
        pairs = duplicates.duplicates_of(poi_id, by_of(caller), ports())
        return rendered({"data": [resemblance_document(pair, poi_id) for pair in pairs]})

    @api.route(
        "DELETE", "/pois/<uuid:poi_id>/duplicates/<uuid:other_id>", who=MERGERS, status=204,
        problems=("NOT_A_DUPLICATE",), summary="They are different places: list them no more",
    )  # fmt: skip
    def dismiss(poi_id: UUID, other_id: UUID, caller: Caller) -> None:
        duplicates.dismiss_pair(DismissPair(by=by_of(caller), one=poi_id, other=other_id), ports())

    @api.route(
        "POST", "/pois/<uuid:poi_id>/merge", who=MERGERS, body=MergeIn, answer=MergeOut, status=201,
        if_match=True, idempotency="accepted", problems=_MERGING,
        summary="Take in a duplicate: what is missing comes from it, and it is archived",
    )  # fmt: skip
    def merge(poi_id: UUID, body: dict[str, Any], caller: Caller, idempotency: Idempotency | None) -> Any:
        command = MergePois(
            by=by_of(caller),
            survivor_id=poi_id,
            survivor_version=require_if_match(request.headers),
            idempotency=keyed(idempotency, _answer),
            **body,
        )
        return _answer(duplicates.merge_pois(command, ports()))

    @api.route(
        "GET", "/pois/<uuid:poi_id>/merges", who=MERGERS, answer=MergeList, problems=("POI_NOT_FOUND",),
        summary="What it has taken in, the newest first",
    )  # fmt: skip
    def merges(poi_id: UUID, caller: Caller) -> bytes:
        found = duplicates.merges_of(poi_id, by_of(caller), MOST_MERGES, ports())
        return rendered({"data": [merge_document(each) for each in found]})

    @api.route(
        "POST", "/pois/merges/<uuid:merge_id>/undo", who=MERGERS, answer=MergeOut, idempotency="accepted",
        problems=("MERGE_NOT_FOUND", "MERGE_UNDONE", "EXTERNAL_ID_TAKEN", *_MERGING),
        summary="Part the two again; what was changed since stays changed",
    )  # fmt: skip
    def undo(merge_id: UUID, caller: Caller, idempotency: Idempotency | None) -> Any:
        key = keyed(idempotency, _answer)
        command = UndoMerge(by=by_of(caller), merge_id=merge_id, idempotency=key)
        return _answer(duplicates.undo_merge(command, ports()))

    return api


def _answer(merge: Merge) -> bytes:
    return rendered(merge_document(merge))
