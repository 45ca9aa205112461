"""Media: what may be uploaded, what is made of it, and where it is used."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

MAX_FILE_BYTES = 10_000_000
MAX_FILES = 10
MAX_PIXELS = 50_000_000
MAX_NAME_LENGTH = 200

_UNFIT_FOR_NAMES = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069<>\"'&|:*?%]")


class MediaType(StrEnum):
    """What may be uploaded."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    WEBP = "image/webp"
    AVIF = "image/avif"
    GIF = "image/gif"
    PDF = "application/pdf"

    @property
    def is_picture(self) -> bool:
        return self is not MediaType.PDF


class Size(StrEnum):
    """The renditions of a picture; each has a longest side of so many pixels."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"

    @property
    def longest_side(self) -> int:
        return {Size.SMALL: 400, Size.MEDIUM: 1000, Size.LARGE: 2048}[self]


class Licence(StrEnum):
    """Under what terms a medium may be shown: the SPDX identifiers of what photographers use, or an
    agreement."""

    OWN_WORK = "own-work"
    AGREEMENT = "agreement"
    PUBLIC_DOMAIN = "CC-PDDC"
    CC0 = "CC0-1.0"
    CC_BY = "CC-BY-4.0"
    CC_BY_SA = "CC-BY-SA-4.0"
    CC_BY_ND = "CC-BY-ND-4.0"

    @property
    def needs_attribution(self) -> bool:
        """Whether the author has to be named where the medium is shown (CC BY 4.0, section 3a)."""
        return self in (Licence.CC_BY, Licence.CC_BY_SA, Licence.CC_BY_ND)


class Fault(StrEnum):
    """Why a file is refused; each is the code of the field that names the file."""

    EMPTY = "MEDIA_EMPTY"
    TYPE = "MEDIA_TYPE_REFUSED"
    POLYGLOT = "MEDIA_POLYGLOT"
    PIXELS = "MEDIA_TOO_MANY_PIXELS"
    UNREADABLE = "MEDIA_UNREADABLE"
    ACTIVE = "MEDIA_ACTIVE_CONTENT"


FAULTS: Mapping[Fault, str] = {
    Fault.EMPTY: "The file is empty",
    Fault.TYPE: "Its content is none of JPEG, PNG, WebP, AVIF, GIF, PDF, whatever its name says",
    Fault.POLYGLOT: "It can be read as something else as well: markup, a program, an archive",
    Fault.PIXELS: "It has, or claims to have, more pixels than are decoded",
    Fault.UNREADABLE: "It is cut off, damaged, or locked",
    Fault.ACTIVE: "The document would run, send or open something",
}
"""What each means, for people."""


class FileRefused(Exception):
    """A file that is not taken."""

    def __init__(self, fault: Fault, detail: str) -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault, self.detail = fault, detail


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """One stored form of a medium; a document has neither width nor height. `bytes`: its length."""

    name: str
    media_type: str
    bytes: int
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What is stored of a file: each rendition with its content."""

    media_type: MediaType
    renditions: tuple[tuple[Rendition, bytes], ...]

    @property
    def stored_bytes(self) -> int:
        """What it takes of the quota."""
        return sum(rendition.bytes for rendition, _ in self.renditions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Whose work it is. `source`: where it came from, an address."""

    licence: Licence = Licence.OWN_WORK
    author: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Something that shows a medium: `kind` such as `poi`, and its id."""

    kind: str
    object_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A medium that can be shown.

    `digest`: SHA-256 of the file as it was uploaded, hexadecimal. `alt`: text for who cannot see it, by
    language. `uses`: how many things show it.
    """

    id: UUID
    digest: str
    media_type: MediaType
    file_name: str
    uploaded_bytes: int
    renditions: tuple[Rendition, ...]
    alt: Mapping[str, str] = field(default_factory=dict)
    rights: Rights = Rights()
    uses: int = 0
    uploaded_by: str
    created_at: datetime
    changed_at: datetime
    version: int = 1

    @property
    def stored_bytes(self) -> int:
        """What it takes of the quota."""
        return sum(rendition.bytes for rendition in self.renditions)

    @property
    def keys(self) -> tuple[str, ...]:
        """Under which its renditions are stored."""
        return tuple(storage_key(self.id, rendition) for rendition in self.renditions)


def storage_key(media_id: UUID, rendition: Rendition) -> str:
    """Where a rendition is stored: made of our own id and name, never of anything that was sent."""
    ending = {"image/webp": "webp", "application/pdf": "pdf"}[rendition.media_type]
    return f"{media_id}/{rendition.name}.{ending}"


def shown_name(sent: str | None) -> str:
    """A file's name as it is shown: its last part, without what could mean something to a page, a shell or a
    file system. It never decides anything.
    """
    last = re.split(r"[/\\]", sent or "")[-1]
    return _UNFIT_FOR_NAMES.sub("", last).strip(". ")[:MAX_NAME_LENGTH] or "unnamed"
