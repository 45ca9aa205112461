"""Media: uploaded, described, removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, BinaryIO
from uuid import UUID

from admin_service.actions.ports import Ports
from admin_service.clients.port import StorageUnavailable, StoredObject
from admin_service.documents.media_files import make_media
from admin_service.domain.audit import AuditEvent, Origin
from admin_service.domain.errors import Code, Refused
from admin_service.domain.media import FileRefused, Made, Media, Rights, Use, shown_name, storage_key
from admin_service.storage.ports.media import MediaQuery, Reserved, Taken
from common.identifiers import uuid7
from common.pages import Page
from common.web.idempotency import Idempotency

BYTES_OF_MEGABYTE = 1_000_000
UNFINISHED = timedelta(hours=1)
"""After so long an upload that has begun to be stored has died on the way."""

CHUNK = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    """A file as it came. `digest`: its SHA-256, hexadecimal."""

    name: str
    file: BinaryIO
    size: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadMedia:
    files: Sequence[SentFile]
    origin: Origin
    rights: Rights
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMedia:
    """`changes`: `alt`, and members of `Rights`. `only_own`: the caller may change their own alone."""

    media_id: UUID
    expected_version: int
    origin: Origin
    changes: Mapping[str, Any]
    only_own: bool = False
    idempotency: Idempotency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveMedia:
    media_id: UUID
    origin: Origin
    only_own: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that is refused: its place in the request, the code and why."""

    index: int
    code: str
    detail: str


class FilesRefused(Exception):
    """Files of an upload that are not taken; nothing of it was stored."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(", ".join(f"{fault.index}: {fault.code}" for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """`is_new`: whether it was not there before."""

    media: tuple[Media, ...]
    new: frozenset[UUID] = field(default_factory=frozenset)


def upload_media(command: UploadMedia, ports: Ports) -> Uploaded:
    """All files, or none. A file that was uploaded before is that medium, as it is.

    Raises FilesRefused, ATTRIBUTION_MISSING, QUOTA_EXCEEDED, MEDIA_BUSY, STORAGE_UNAVAILABLE.
    """
    _check_rights(command.rights)
    made = _made(command.files)
    now = ports.clock()
    media = [_media(sent, each, command, now) for sent, each in zip(command.files, made, strict=True)]
    quota = ports.store.config.current().effective["media.quotaMegabytes"] * BYTES_OF_MEGABYTE
    reserved = ports.store.media.reserve(media, quota, now)
    _store_bytes(reserved, made, ports)
    new = tuple(dict.fromkeys(each.media.id for each in reserved if each.is_new))
    ids = tuple(dict.fromkeys(each.media.id for each in reserved))
    events = [
        _event(command.origin, "media.upload", each.media, now, after=_shown(each.media))
        for each in {each.media.id: each for each in reserved if each.is_new}.values()
    ]

    def uploaded(found: tuple[Media, ...]) -> Uploaded:
        return Uploaded(media=found, new=frozenset(new))

    key = None if command.idempotency is None else command.idempotency.presenting(uploaded)
    return uploaded(ports.store.media.finish(ids, events, now, idempotency=key))


def find_media(query: MediaQuery, ports: Ports) -> Page[Media]:
    return ports.store.media.page(query)


def show_media(media_id: UUID, ports: Ports) -> Media:
    """Raises MEDIA_NOT_FOUND."""
    media = ports.store.media.get(media_id)
    if media is None:
        raise Refused(Code.MEDIA_NOT_FOUND)
    return media


def show_uses(media_id: UUID, ports: Ports) -> tuple[Use, ...]:
    """Where it is used. Raises MEDIA_NOT_FOUND."""
    show_media(media_id, ports)
    return ports.store.media.uses(media_id)


def show_quota(ports: Ports) -> tuple[Taken, int]:
    """What is taken, and how many bytes there are."""
    megabytes = ports.store.config.current().effective["media.quotaMegabytes"]
    return ports.store.media.taken(), megabytes * BYTES_OF_MEGABYTE


def change_media(command: ChangeMedia, ports: Ports) -> Media:
    """Raises MEDIA_NOT_FOUND, VERSION_CONFLICT, ATTRIBUTION_MISSING."""
    current = _own(command.media_id, command.origin, command.only_own, ports)
    changes = dict(command.changes)
    alt = changes.pop("alt", current.alt)
    rights = replace(current.rights, **changes)
    _check_rights(rights)
    media = replace(current, alt=alt, rights=rights)
    event = _event(
        command.origin, "media.update", current, ports.clock(), before=_shown(current), after=_shown(media)
    )
    return ports.store.media.replace(media, command.expected_version, event, idempotency=command.idempotency)


def remove_media(command: RemoveMedia, ports: Ports) -> None:
    """Raises MEDIA_NOT_FOUND, MEDIA_IN_USE."""
    media = _own(command.media_id, command.origin, command.only_own, ports)
    now = ports.clock()
    event = _event(command.origin, "media.delete", media, now, before=_shown(media))
    ports.store.media.remove(media.id, event, now)


def delete_bytes(media_id: UUID, ports: Ports) -> None:
    """The worker's part of a removal; may be repeated. Raises StorageUnavailable."""
    media = ports.store.media.removed(media_id)
    if media is not None:
        ports.storage.delete(media.keys)
        ports.store.media.forget(media_id)


def give_up_unfinished(ports: Ports) -> None:
    """Remove what an upload that died has left."""
    now = ports.clock()
    while ports.store.media.give_up(now - UNFINISHED, now, CHUNK) >= CHUNK:
        pass


def _made(files: Sequence[SentFile]) -> list[Made]:
    """What is stored of each, before anything is decided. Raises FilesRefused, with all that are at fault."""
    made, faults = [], []
    for index, sent in enumerate(files):
        try:
            made.append(make_media(sent.file))
        except FileRefused as refused:
            faults.append(Fault(index, refused.fault.value, refused.detail))
    if faults:
        raise FilesRefused(faults)
    return made


def _store_bytes(reserved: Sequence[Reserved], made: Sequence[Made], ports: Ports) -> None:
    for each, what in zip(reserved, made, strict=True):
        if not each.is_new:
            continue
        for rendition, content in what.renditions:
            disposition = "inline" if what.media_type.is_picture else "attachment"
            stored = StoredObject(content=content, media_type=rendition.media_type, disposition=disposition)
            try:
                ports.storage.put(storage_key(each.media.id, rendition), stored)
            except StorageUnavailable as error:
                # What was stored so far is taken up when the file comes again, or given up by the worker.
                raise Refused(
                    Code.STORAGE_UNAVAILABLE, retry_after_seconds=error.retry_after_seconds
                ) from error


def _media(sent: SentFile, made: Made, command: UploadMedia, now: Any) -> Media:
    return Media(
        id=uuid7(),
        digest=sent.digest,
        media_type=made.media_type,
        file_name=shown_name(sent.name),
        uploaded_bytes=sent.size,
        renditions=tuple(rendition for rendition, _ in made.renditions),
        rights=command.rights,
        uploaded_by=command.origin.actor,
        created_at=now,
        changed_at=now,
    )


def _own(media_id: UUID, origin: Origin, only_own: bool, ports: Ports) -> Media:
    media = show_media(media_id, ports)
    if only_own and media.uploaded_by != origin.actor:
        raise Refused(Code.MEDIA_NOT_YOURS)
    return media


def _check_rights(rights: Rights) -> None:
    if rights.licence.needs_attribution and not rights.author:
        raise Refused(Code.ATTRIBUTION_MISSING, pointer="/author")


def _event(origin: Origin, action: str, media: Media, now: Any, **what: Mapping[str, Any]) -> AuditEvent:
    return AuditEvent(at=now, origin=origin, action=action, subject=str(media.id), **what)


def _shown(media: Media) -> dict[str, Any]:
    """What the audit trail says of a medium."""
    return {
        "fileName": media.file_name,
        "mediaType": media.media_type.value,
        "digest": media.digest,
        "alt": dict(media.alt),
        "licence": media.rights.licence.value,
        "author": media.rights.author,
        "source": media.rights.source,
    }
