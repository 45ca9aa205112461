"""Media: uploads, their texts and rights, where they are used."""

from __future__ import annotations

from typing import Any, Protocol
from uuid import UUID

from flask import request

from admin_service.actions import media
from admin_service.actions.media import (
    ChangeMedia,
    FilesRefused,
    RemoveMedia,
    SentFile,
    Uploaded,
    UploadMedia,
)
from admin_service.domain.media import MAX_FILE_BYTES, MAX_FILES, Media
from admin_service.domain.permissions import EDITOR
from admin_service.routes.calling import PREFIX, PortsSource, allowed, keyed, origin_of
from admin_service.schemas.media import (
    MediaFilter,
    MediaOut,
    MediaPatch,
    QuotaOut,
    RightsIn,
    UploadsOut,
    UsesOut,
    media_document,
    media_query,
    quota_document,
    uploads_document,
    uses_document,
)
from common.auth.policy import Caller
from common.resilience import deadline
from common.web.api import Api
from common.web.documents import page_document, rendered
from common.web.etag import etag, require_if_match
from common.web.field_errors import FieldError
from common.web.idempotency import Idempotency
from common.web.multipart import Multipart, Uploads
from common.web.paging import page_of
from common.web.problems import Problem, invalid

UPLOAD_SECONDS = 55.0
"""Ten large pictures take longer than what any other request is given; the gateway waits for a minute."""

READERS = allowed("media:read")


class UploadMetrics(Protocol):
    """Who is told of uploads."""

    def upload(self, outcome: str, media_type: str, size: int = 0) -> None: ...


def media_api(ports: PortsSource, metrics: UploadMetrics) -> Api:
    api = Api("media", PREFIX)
    files = Multipart(
        folder=lambda: ports().upload_folder,
        max_files=MAX_FILES,
        max_file_bytes=MAX_FILE_BYTES,
        texts=RightsIn(),
    )

    @api.route(
        "POST", "/media", who=allowed("media:upload"), body=files, answer=UploadsOut, status=201,
        idempotency="accepted",
        problems=("ATTRIBUTION_MISSING", "QUOTA_EXCEEDED", "MEDIA_BUSY", "STORAGE_UNAVAILABLE"),
        summary="Upload pictures (JPEG, PNG, WebP, AVIF, GIF) and PDF documents, up to ten at a time",
    )  # fmt: skip
    def upload(body: Uploads, caller: Caller, idempotency: Idempotency | None) -> bytes:
        def shown(uploaded: Uploaded) -> bytes:
            return rendered(uploads_document(uploaded, ports().media_url))

        sent = [
            SentFile(name=each.name, file=each.file, size=each.size, digest=each.digest)
            for each in body.files
        ]
        command = UploadMedia(
            files=sent,
            origin=origin_of(caller),
            rights=body.texts["rights"],
            idempotency=keyed(idempotency, shown),
        )
        with deadline.anew(UPLOAD_SECONDS):
            try:
                uploaded = media.upload_media(command, ports())
            except FilesRefused as refused:
                _tell_refused(refused, metrics)
                raise _refused(refused) from refused
        _tell(uploaded, metrics)
        return shown(uploaded)

    @api.route("GET", "/media", who=READERS, query=MediaFilter, answer=page_of(MediaOut), summary="All media")
    def find(query: dict[str, Any], caller: Caller) -> bytes:
        page = media.find_media(media_query(query, caller.principal), ports())
        return rendered(page_document(page, [media_document(each, ports().media_url) for each in page.items]))

    @api.route("GET", "/media/quota", who=READERS, answer=QuotaOut, summary="How much room is left")
    def quota() -> bytes:
        return rendered(quota_document(*media.show_quota(ports())))

    @api.route(
        "GET", "/media/<uuid:media_id>", who=READERS, answer=MediaOut, problems=("MEDIA_NOT_FOUND",),
        summary="A medium",
    )  # fmt: skip
    def show(media_id: UUID) -> Any:
        return _written(media.show_media(media_id, ports()), ports().media_url)

    @api.route(
        "GET", "/media/<uuid:media_id>/uses", who=READERS, answer=UsesOut, problems=("MEDIA_NOT_FOUND",),
        summary="Where a medium is used",
    )  # fmt: skip
    def uses(media_id: UUID) -> bytes:
        return rendered(uses_document(media.show_uses(media_id, ports())))

    @api.route(
        "PATCH", "/media/<uuid:media_id>", who=allowed("media:update"), body=MediaPatch, answer=MediaOut,
        if_match=True,
        problems=("MEDIA_NOT_FOUND", "MEDIA_NOT_YOURS", "VERSION_CONFLICT", "ATTRIBUTION_MISSING"),
        summary="Change alt texts, licence, author, source",
    )  # fmt: skip
    def change(media_id: UUID, body: dict[str, Any], caller: Caller) -> Any:
        command = ChangeMedia(
            media_id=media_id,
            expected_version=require_if_match(request.headers),
            origin=origin_of(caller),
            changes=body,
            only_own=not caller.has(EDITOR),
        )
        return _written(media.change_media(command, ports()), ports().media_url)

    @api.route(
        "DELETE", "/media/<uuid:media_id>", who=allowed("media:delete"), status=204,
        problems=("MEDIA_NOT_FOUND", "MEDIA_NOT_YOURS", "MEDIA_IN_USE"),
        summary="Remove a medium that nothing uses",
    )  # fmt: skip
    def remove(media_id: UUID, caller: Caller) -> None:
        command = RemoveMedia(media_id=media_id, origin=origin_of(caller), only_own=not caller.has(EDITOR))
        media.remove_media(command, ports())

    return api


def _written(found: Media, media_url: str) -> tuple[bytes, dict[str, str]]:
    return rendered(media_document(found, media_url)), {"ETag": etag(found.version)}


def _tell(uploaded: Uploaded, metrics: UploadMetrics) -> None:
    for each in uploaded.media:
        if each.id in uploaded.new:
            metrics.upload("accepted", each.media_type.value, each.uploaded_bytes)
        else:
            metrics.upload("known", each.media_type.value)


def _tell_refused(refused: FilesRefused, metrics: UploadMetrics) -> None:
    for _ in refused.faults:
        metrics.upload("refused", "other")  # what it says it is may be anything


def _refused(refused: FilesRefused) -> Problem:
    errors = [FieldError(f"/files/{each.index}", each.code, each.detail) for each in refused.faults]
    return invalid(errors)
