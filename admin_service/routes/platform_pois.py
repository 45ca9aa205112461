"""Points of interest, for visitors and for whoever keeps a copy of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response

from admin_service.actions import pois
from admin_service.domain.categories import CATEGORIES
from admin_service.domain.opening_hours import OpenState
from admin_service.domain.poi import APPROVED, SHOWN, Poi, PoiStatus
from admin_service.invalidation import POIS, poi_tags
from admin_service.routes.calling import PLATFORM, PUBLIC_CACHE, PortsSource
from admin_service.routes.curating import NO_POI
from admin_service.schemas.pois import ClusterQuery, PublicSearch, poi_query
from admin_service.schemas.public_pois import (
    GEOJSON,
    CategoryList,
    ClusterList,
    PublicPoiOut,
    PublicPoiPage,
    categories_document,
    cluster_collection,
    cluster_document,
    feature,
    feature_collection,
    open_state,
    public_document,
)
from common.auth.policy import anyone
from common.caching.reads import CachedRead, Shown
from common.pages import Page
from common.texts import LANGUAGES
from common.web.api import Api
from common.web.documents import Document, rendered
from common.web.etag import etag
from common.web.operations import JSON
from common.web.values import LanguageQuery

FORMATS = (JSON, GEOJSON)


def platform_pois_api(ports: PortsSource) -> Api:
    api = Api("platform_pois", PLATFORM, tag="platform")
    cached_list = CachedRead(region="pois", tags=lambda _: (POIS,))
    cached_poi = CachedRead(region="pois", tags=lambda given: poi_tags(given["poi_id"]), absent=NO_POI)

    @api.route(
        "GET", "/pois", who=anyone(), query=PublicSearch, answer=PublicPoiPage, languages=LANGUAGES,
        formats=FORMATS, cache=PUBLIC_CACHE, cached=cached_list, summary="Search what is published",
    )  # fmt: skip
    def search(query: dict[str, Any], language: str, media_type: str) -> Shown:
        feed = "updated_since" in query
        statuses = (*APPROVED, PoiStatus.ARCHIVED) if feed else SHOWN
        page = pois.search_pois(poi_query(query, statuses), ports())
        return _listed(page, language, media_type, ports, feed=feed)

    @api.route(
        "GET", "/pois/clusters", who=anyone(), query=ClusterQuery, answer=ClusterList, formats=FORMATS,
        cache=PUBLIC_CACHE, cached=cached_list, problems=("VIEW_TOO_WIDE",),
        summary="How many there are where, for maps",
    )  # fmt: skip
    def clusters(query: dict[str, Any], media_type: str) -> Response:
        found = ports().store.pois.clusters(query["bbox"], query["zoom"], query.get("category"))
        if media_type == GEOJSON:
            return _answer(cluster_collection(found), media_type)
        return _answer({"data": [cluster_document(cluster) for cluster in found]}, media_type)

    @api.route(
        "GET", "/pois/<uuid:poi_id>", who=anyone(), query=LanguageQuery, answer=PublicPoiOut,
        languages=LANGUAGES, formats=FORMATS, problems=("POI_NOT_FOUND",), cache=PUBLIC_CACHE,
        cached=cached_poi, summary="One that is published",
    )  # fmt: skip
    def read(poi_id: UUID, query: dict[str, Any], language: str, media_type: str) -> Shown:
        poi = pois.shown_poi(poi_id, ports())
        state = open_state(poi, ports().clock())
        document = public_document(poi, language, state)
        answer = _answer(feature(document) if media_type == GEOJSON else document, media_type)
        answer.headers["ETag"] = etag(poi.version)
        return Shown(result=answer, modified=poi.changed_at, fresh_until=_change_of([state]))

    @api.route(
        "GET", "/categories", who=anyone(), answer=CategoryList, cache="public, max-age=300",
        summary="The category tree",
    )  # fmt: skip
    def categories() -> bytes:
        return rendered(categories_document(CATEGORIES.values()))

    return api


def _listed(page: Page[Poi], language: str, media_type: str, ports: PortsSource, *, feed: bool) -> Shown:
    now = ports().clock()
    shown = [(poi, open_state(poi, now)) for poi in page.items if poi.shown]
    documents = [public_document(poi, language, state) for poi, state in shown]
    removed = [poi.id for poi in page.items if not poi.shown]
    more: Document = {**({"removed": removed} if feed else {}), "nextCursor": page.next_cursor}
    body = feature_collection(documents, **more) if media_type == GEOJSON else {"data": documents, **more}
    # what is asked since an instant is asked once
    return Shown(
        result=_answer(body, media_type), fresh_until=_change_of([state for _, state in shown]), keep=not feed
    )


def _change_of(states: Sequence[OpenState | None]) -> Any:
    """The next instant at which a place opens or closes."""
    changes = [state.next_change for state in states if state is not None and state.next_change is not None]
    return min(changes, default=None)


def _answer(document: Document, media_type: str) -> Response:
    return Response(rendered(document), mimetype=media_type)
