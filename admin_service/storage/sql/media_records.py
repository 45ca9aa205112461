"""Media as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from admin_service.domain.media import Licence, Media, MediaType, Rendition, Rights


def media_row(media: Media) -> dict[str, Any]:
    """All columns but those that only the store sets: uses, state."""
    return {
        "id": media.id,
        "digest": media.digest,
        "media_type": media.media_type.value,
        "file_name": media.file_name,
        "uploaded_bytes": media.uploaded_bytes,
        "stored_bytes": media.stored_bytes,
        "renditions": [_rendition_document(each) for each in media.renditions],
        "uploaded_by": media.uploaded_by,
        "created_at": media.created_at,
        **texts_row(media, media.changed_at),
    }


def texts_row(media: Media, now: datetime) -> dict[str, Any]:
    """The columns that can be changed later."""
    return {
        "alt": dict(media.alt),
        "licence": media.rights.licence.value,
        "author": media.rights.author,
        "source": media.rights.source,
        "changed_at": now,
        "version": media.version,
    }


def media_of(row: Row[Any]) -> Media:
    return Media(
        id=row.id,
        digest=row.digest,
        media_type=MediaType(row.media_type),
        file_name=row.file_name,
        uploaded_bytes=row.uploaded_bytes,
        renditions=tuple(Rendition(**each) for each in row.renditions),
        alt=row.alt,
        rights=Rights(licence=Licence(row.licence), author=row.author, source=row.source),
        uses=row.uses,
        uploaded_by=row.uploaded_by,
        created_at=row.created_at,
        changed_at=row.changed_at,
        version=row.version,
    )


def _rendition_document(rendition: Rendition) -> dict[str, Any]:
    return {
        "name": rendition.name,
        "media_type": rendition.media_type,
        "bytes": rendition.bytes,
        "width": rendition.width,
        "height": rendition.height,
    }
