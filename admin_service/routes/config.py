"""The platform's configuration: for who sets it, for everybody, and for ticketing, which follows it."""

from __future__ import annotations

from typing import Any

from flask import request

from admin_service.actions import config
from admin_service.actions.config import ChangeConfig, RollBack
from admin_service.domain.configuration import Revision
from admin_service.invalidation import CONFIG
from admin_service.routes.calling import (
    PLATFORM,
    PREFIX,
    PUBLIC_CACHE,
    PortsSource,
    allowed,
    keyed,
    origin_of,
)
from admin_service.schemas.config import (
    ConfigOut,
    ConfigPatch,
    FollowedOut,
    HistoryFilter,
    PublicConfigOut,
    RevisionOut,
    RollbackIn,
    config_document,
    followed_document,
    public_document,
    told_document,
)
from common.auth.policy import SERVICE_KIND, Caller, anyone, bearer
from common.caching.reads import CachedRead, Shown
from common.web.api import Api
from common.web.documents import page_document, rendered
from common.web.etag import etag, require_if_match
from common.web.idempotency import Idempotency
from common.web.paging import page_of

READERS, WRITERS = allowed("config:read"), allowed("config:write")
_WRITING = ("VERSION_CONFLICT", "CONFIG_CONTRADICTION", "UNKNOWN_MEDIA")


def config_api(ports: PortsSource) -> Api:
    api = Api("config", PREFIX)

    @api.route("GET", "/config", who=READERS, answer=ConfigOut, summary="Every key with its value and limits")
    def show() -> Any:
        return _written(config.show_config(ports()))

    @api.route(
        "PATCH", "/config", who=WRITERS, body=ConfigPatch, answer=ConfigOut, if_match=True,
        idempotency="accepted", problems=_WRITING, summary="Change some keys, all or none",
    )  # fmt: skip
    def change(body: dict[str, Any], caller: Caller, idempotency: Idempotency | None) -> Any:
        command = ChangeConfig(
            expected_revision=require_if_match(request.headers),
            values=body["values"],
            reason=body["reason"],
            origin=origin_of(caller),
            idempotency=keyed(idempotency, _written),
        )
        return _written(config.change_config(command, ports()))

    @api.route(
        "GET", "/config/history", who=READERS, query=HistoryFilter, answer=page_of(RevisionOut),
        summary="Every change: who, when, why, what it was and is",
    )  # fmt: skip
    def history(query: dict[str, Any]) -> bytes:
        page = config.show_history(query["limit"], query["cursor"], ports())
        return rendered(page_document(page, [told_document(each) for each in page.items]))

    @api.route(
        "POST", "/config/rollback", who=WRITERS, body=RollbackIn, answer=ConfigOut, if_match=True,
        idempotency="accepted", problems=("REVISION_NOT_FOUND", *_WRITING),
        summary="Have again what an earlier revision said",
    )  # fmt: skip
    def roll_back(body: dict[str, Any], caller: Caller, idempotency: Idempotency | None) -> Any:
        command = RollBack(
            expected_revision=require_if_match(request.headers),
            to=body["revision"],
            reason=body["reason"],
            origin=origin_of(caller),
            idempotency=keyed(idempotency, _written),
        )
        return _written(config.roll_back(command, ports()))

    @api.route(
        "GET", "/internal/configuration", who=bearer(SERVICE_KIND), answer=FollowedOut,
        summary="What ticketing follows",
    )  # fmt: skip
    def followed() -> bytes:
        store = ports().store
        return rendered(followed_document(store.config.current(), store.config.mode()))

    return api


def platform_config_api(ports: PortsSource) -> Api:
    api = Api("platform_config", PLATFORM, tag="config")

    @api.route(
        "GET", "/config", who=anyone(), answer=PublicConfigOut, cache=PUBLIC_CACHE,
        cached=CachedRead(region="config", tags=lambda _: (CONFIG,)),
        summary="What everybody may know: fees, limits, brand, languages",
    )  # fmt: skip
    def show() -> Shown:
        revision = config.show_config(ports())
        return Shown(result=rendered(public_document(revision)), modified=revision.changed_at)

    return api


def _written(revision: Revision) -> tuple[bytes, dict[str, str]]:
    return rendered(config_document(revision)), {"ETag": etag(revision.number)}
