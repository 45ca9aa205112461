"""Media: what was uploaded, and where it is used. The bytes themselves are in `clients.port.Storage`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from admin_service.domain.audit import AuditEvent
from admin_service.domain.media import Media, Use
from common.pages import Page
from common.web.idempotency import Idempotency


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """`media` as it is or will be; `is_new`: its bytes are still to be stored."""

    media: Media
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaQuery:
    """Filters of the list; None is no filter. Newest first. `text`: part of a file's name."""

    text: str | None = None
    pictures: bool | None = None
    used: bool | None = None
    uploaded_by: str | None = None
    limit: int = 20
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What all media take, and how many there are; those that are just coming in are among them."""

    bytes: int
    files: int


class MediaStore(Protocol):
    """An upload takes two steps round the storing of its bytes: `reserve`, which decides, and `finish`."""

    def reserve(self, media: Sequence[Media], quota_bytes: int, now: datetime) -> tuple[Reserved, ...]:
        """Room for each, all or none; one whose digest is there already is that one. Refuses QUOTA_EXCEEDED
        with what is taken, MEDIA_BUSY for one that is being removed."""
        ...

    def finish(
        self,
        media_ids: Sequence[UUID],
        events: Sequence[AuditEvent],
        now: datetime,
        *,
        idempotency: Idempotency | None = None,
    ) -> tuple[Media, ...]:
        """Their bytes are stored: from now on they can be seen. In the order of `media_ids`."""
        ...

    def get(self, media_id: UUID) -> Media | None: ...

    def page(self, query: MediaQuery) -> Page[Media]: ...

    def replace(
        self,
        media: Media,
        expected_version: int,
        event: AuditEvent,
        *,
        idempotency: Idempotency | None = None,
    ) -> Media:
        """Its texts and rights become those of `media`. Refuses MEDIA_NOT_FOUND, VERSION_CONFLICT."""
        ...

    def remove(self, media_id: UUID, event: AuditEvent, now: datetime) -> None:
        """It is gone for everybody; a `media-delete` task removes its bytes. Refuses MEDIA_NOT_FOUND,
        MEDIA_IN_USE with where."""
        ...

    def removed(self, media_id: UUID) -> Media | None:
        """One that was removed and whose bytes may still be there."""
        ...

    def forget(self, media_id: UUID) -> None:
        """The bytes of a removed one are gone: its room is free."""
        ...

    def give_up(self, before: datetime, now: datetime, limit: int) -> int:
        """Remove what was reserved before that instant and never finished; says how many."""
        ...

    def uses(self, media_id: UUID) -> tuple[Use, ...]: ...

    def taken(self) -> Taken: ...
