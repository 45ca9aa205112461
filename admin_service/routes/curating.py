"""What the resources of POIs need of a call: who acts, and which POIs are within reach."""

from __future__ import annotations

from dataclasses import replace

from admin_service.actions.pois import By
from admin_service.domain.errors import Code, Refused
from admin_service.domain.permissions import EDITOR, REVIEWER
from admin_service.domain.poi import Poi
from admin_service.domain.searching import PoiQuery
from admin_service.domain.workflow import Actor
from admin_service.routes.calling import PREFIX, origin_of
from admin_service.schemas.poi_answers import poi_document
from common.auth.policy import Caller
from common.caching.reads import Absence
from common.web.documents import rendered
from common.web.etag import etag

NO_POI = Absence(
    means=lambda error: isinstance(error, Refused) and error.code is Code.POI_NOT_FOUND,
    error=lambda: Refused(Code.POI_NOT_FOUND),
)
"""How a view says that there is no such POI."""


def by_of(caller: Caller) -> By:
    """Who acts. Whoever is no editor is an owner whose changes of what is published are reviewed."""
    actor = Actor(
        name=caller.principal,
        account=caller.subject,
        reviewed=not caller.has(EDITOR),
        places=caller.poi_ids or frozenset(),
    )
    return By(actor=actor, origin=origin_of(caller), sees_all=caller.has(EDITOR, REVIEWER))


def within_reach(query: PoiQuery, by: By) -> PoiQuery:
    """The same search among what the caller may see."""
    if by.sees_all:
        return query
    return replace(query, owner=by.actor.account, places=by.actor.places)


def written(poi: Poi) -> tuple[bytes, dict[str, str]]:
    """The answer to a write."""
    return rendered(poi_document(poi)), {"ETag": etag(poi.version)}


def made(poi: Poi) -> tuple[bytes, dict[str, str]]:
    """The answer to a new one."""
    document, headers = written(poi)
    return document, {**headers, "Location": f"{PREFIX}/pois/{poi.id}"}
