"""From an uploaded file to what is stored of it."""

from __future__ import annotations

from typing import BinaryIO

from admin_service.documents.attachments import make_attachment
from admin_service.documents.detection import type_of
from admin_service.documents.pictures import make_renditions
from admin_service.domain.media import Made


def make_media(file: BinaryIO) -> Made:
    """What to store of `file`, whatever it calls itself. Raises FileRefused."""
    media_type = type_of(file)
    return make_renditions(file, media_type) if media_type.is_picture else make_attachment(file)
