"""Media as documents."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from admin_service.domain.media import Licence, Media, MediaType, Rendition, Rights
from common.mongo.values import instant, ms


def media_document(media: Media) -> dict[str, Any]:
    """All fields but those that only the store sets: uses, state."""
    return {
        "_id": media.id,
        "digest": media.digest,
        "media_type": media.media_type.value,
        "file_name": media.file_name,
        "name_key": media.file_name.lower(),
        "uploaded_bytes": media.uploaded_bytes,
        "stored_bytes": media.stored_bytes,
        "renditions": [_rendition_document(each) for each in media.renditions],
        "uploaded_by": media.uploaded_by,
        "created_at": ms(media.created_at),
        **texts_fields(media, media.changed_at),
    }


def texts_fields(media: Media, now: datetime) -> dict[str, Any]:
    """The fields that can be changed later."""
    return {
        "alt": dict(media.alt),
        "licence": media.rights.licence.value,
        "author": media.rights.author,
        "source": media.rights.source,
        "changed_at": ms(now),
        "version": media.version,
    }


def media_of(found: Mapping[str, Any]) -> Media:
    """The medium that a document is of."""
    return Media(
        id=found["_id"],
        digest=found["digest"],
        media_type=MediaType(found["media_type"]),
        file_name=found["file_name"],
        uploaded_bytes=found["uploaded_bytes"],
        renditions=tuple(Rendition(**each) for each in found["renditions"]),
        alt=found["alt"],
        rights=Rights(licence=Licence(found["licence"]), author=found["author"], source=found["source"]),
        uses=found["uses"],
        uploaded_by=found["uploaded_by"],
        created_at=instant(found["created_at"]),
        changed_at=instant(found["changed_at"]),
        version=found["version"],
    )


def _rendition_document(rendition: Rendition) -> dict[str, Any]:
    return {
        "name": rendition.name,
        "media_type": rendition.media_type,
        "bytes": rendition.bytes,
        "width": rendition.width,
        "height": rendition.height,
    }
