"""Media: what comes in and what goes out."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from admin_service.actions.media import Uploaded
from admin_service.domain.media import Licence, Media, Rights, Use, storage_key
from admin_service.schemas.values import no_markup
from admin_service.storage.ports.media import MediaQuery, Taken
from common.web.documents import Document
from common.web.schemas import ApiSchema, Instant, YesNo, instant_text
from common.web.values import Paged, TextMap

MAX_ALT, MAX_AUTHOR, MAX_SOURCE, MAX_SEARCH = 300, 200, 500, 100
_LICENCES = validate.OneOf([licence.value for licence in Licence])


class SourceAddress(fields.String):
    """Where a medium came from: an address that begins with http:// or https://, or nothing."""

    def __init__(self, **options: Any) -> None:
        checks = [
            validate.Length(max=MAX_SOURCE),
            validate.Regexp(r"(https?://[A-Za-z0-9][!#-;=?-Z\[\]_a-z~]*)?\Z", error="Not a web address."),
        ]
        super().__init__(validate=checks, **options)


class RightsIn(ApiSchema):
    """Beside the files of an upload: what holds for all of them."""

    licence = fields.String(load_default=Licence.OWN_WORK.value, validate=_LICENCES)
    author = fields.String(load_default="", validate=[validate.Length(max=MAX_AUTHOR), no_markup])
    source = SourceAddress(load_default="")

    @post_load
    def rights(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        licence = Licence(values["licence"])
        author, source = values["author"].strip(), values["source"]
        return {"rights": Rights(licence=licence, author=author, source=source)}


class MediaPatch(ApiSchema):
    """What is named changes; `alt` is replaced whole. The file itself never changes."""

    alt = TextMap(MAX_ALT, may_be_empty=True, each=no_markup)
    licence = fields.String(validate=_LICENCES)
    author = fields.String(validate=[validate.Length(max=MAX_AUTHOR), no_markup])
    source = SourceAddress()

    @post_load
    def changes(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        if "licence" in values:
            values["licence"] = Licence(values["licence"])
        return values


class MediaFilter(Paged):
    """The query of the list. `q`: a part of the file's name."""

    q = fields.String(validate=validate.Length(1, MAX_SEARCH))
    type = fields.String(validate=validate.OneOf(["picture", "document"]))
    used = fields.Boolean()
    mine = fields.Boolean(load_default=False)


class RenditionOut(ApiSchema):
    url = fields.String(required=True)
    media_type = fields.String(required=True)
    bytes = fields.Integer(required=True)
    width = fields.Integer(required=True, allow_none=True)
    height = fields.Integer(required=True, allow_none=True)


class MediaOut(ApiSchema):
    """`sizes`: small, medium and large of a picture; `document` of a document."""

    id = fields.UUID(required=True)
    type = fields.String(required=True)
    media_type = fields.String(required=True)
    file_name = fields.String(required=True)
    uploaded_bytes = fields.Integer(required=True)
    stored_bytes = fields.Integer(required=True)
    digest = fields.String(required=True)
    sizes = fields.Dict(fields.String(), fields.Nested(RenditionOut), required=True)
    alt = TextMap(MAX_ALT, may_be_empty=True, required=True)
    licence = fields.String(required=True)
    author = fields.String(required=True)
    source = fields.String(required=True)
    uses = fields.Integer(required=True)
    uploaded_by = fields.String(required=True)
    created_at = Instant(required=True)
    changed_at = Instant(required=True)
    version = fields.Integer(required=True)


class UploadedOut(MediaOut):
    """`created` is false where the same file was there before."""

    created = YesNo(required=True)


class UploadsOut(ApiSchema):
    data = fields.List(fields.Nested(UploadedOut), required=True)


class UseOut(ApiSchema):
    kind = fields.String(required=True)
    id = fields.String(required=True)


class UsesOut(ApiSchema):
    data = fields.List(fields.Nested(UseOut), required=True)


class QuotaOut(ApiSchema):
    """Bytes, and how many media there are."""

    used_bytes = fields.Integer(required=True)
    quota_bytes = fields.Integer(required=True)
    files = fields.Integer(required=True)


def media_query(query: dict[str, Any], principal: str) -> MediaQuery:
    """The filters; `principal` is who asks."""
    kind = query.get("type")
    return MediaQuery(
        text=query.get("q"),
        pictures=None if kind is None else kind == "picture",
        used=query.get("used"),
        uploaded_by=principal if query["mine"] else None,
        limit=query["limit"],
        cursor=query["cursor"],
    )


def media_document(media: Media, media_url: str) -> Document:
    """As `MediaOut` says."""
    return {
        "id": media.id,
        "type": "picture" if media.media_type.is_picture else "document",
        "mediaType": media.media_type.value,
        "fileName": media.file_name,
        "uploadedBytes": media.uploaded_bytes,
        "storedBytes": media.stored_bytes,
        "digest": media.digest,
        "sizes": {
            each.name: {
                "url": f"{media_url}/{storage_key(media.id, each)}",
                "mediaType": each.media_type,
                "bytes": each.bytes,
                "width": each.width,
                "height": each.height,
            }
            for each in media.renditions
        },
        "alt": media.alt,
        "licence": media.rights.licence.value,
        "author": media.rights.author,
        "source": media.rights.source,
        "uses": media.uses,
        "uploadedBy": media.uploaded_by,
        "createdAt": instant_text(media.created_at),
        "changedAt": instant_text(media.changed_at),
        "version": media.version,
    }


def uploads_document(uploaded: Uploaded, media_url: str) -> Document:
    """As `UploadsOut` says."""
    rows = [
        {**media_document(media, media_url), "created": media.id in uploaded.new} for media in uploaded.media
    ]
    return {"data": rows}


def uses_document(uses: tuple[Use, ...]) -> Document:
    return {"data": [{"kind": use.kind, "id": use.object_id} for use in uses]}


def quota_document(taken: Taken, quota_bytes: int) -> Document:
    return {"usedBytes": taken.bytes, "quotaBytes": quota_bytes, "files": taken.files}
