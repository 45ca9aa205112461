"""Points of interest: what the destination's staff curate and visitors see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from admin_service.domain.geo import Point
from common.texts import LANGUAGES, Texts


class PoiStatus(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    CLOSED_TEMPORARILY = "closed_temporarily"
    ARCHIVED = "archived"


SHOWN = (PoiStatus.PUBLISHED,)
"""What visitors see."""

APPROVED = (*SHOWN, PoiStatus.CLOSED_TEMPORARILY)
"""What a reviewer has let pass: an owner's change of it waits for review."""


class Accessible(StrEnum):
    """As `wheelchair=*` of OpenStreetMap."""

    YES = "yes"
    LIMITED = "limited"
    NO = "no"
    UNKNOWN = "unknown"


class AccessFeature(StrEnum):
    """What is there for people who need it."""

    STEP_FREE = "step_free"
    LIFT = "lift"
    RAMP = "ramp"
    ACCESSIBLE_TOILET = "accessible_toilet"
    ACCESSIBLE_PARKING = "accessible_parking"
    HEARING_LOOP = "hearing_loop"
    SIGN_LANGUAGE = "sign_language"
    BRAILLE = "braille"
    AUDIO_GUIDE = "audio_guide"
    TACTILE_PAVING = "tactile_paving"
    ASSISTANCE_DOGS = "assistance_dogs"
    QUIET_ROOM = "quiet_room"


class PriceLevel(StrEnum):
    FREE = "free"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """`country` is ISO 3166-1 alpha-2."""

    city: str
    street: str | None = None
    postal_code: str | None = None
    region: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    phone: str | None = None
    email: str | None = None
    website: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accessibility:
    wheelchair: Accessible = Accessible.UNKNOWN
    features: tuple[AccessFeature, ...] = ()
    notes: Texts = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRange:
    """What a visit costs an adult; amounts in minor units of `currency` (ISO 4217)."""

    level: PriceLevel
    lowest: int | None = None
    highest: int | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture of the media library as it is shown here, and the terms on which it may be."""

    media_id: UUID
    alt: Texts
    source: str
    licence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PoiContent:
    """All that is edited, reviewed, imported and restored: everything of a POI but its course through the
    workflow.

    `descriptions` are sanitised HTML, all other texts plain. `opening_hours` is in the syntax of
    OpenStreetMap, normalised. `external_id` is the id in the system that the POI is imported from.
    """

    names: Texts
    category: str
    point: Point
    time_zone: str
    address: Address
    summaries: Texts = field(default_factory=dict)
    descriptions: Texts = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    contact: Contact = Contact()
    opening_hours: str | None = None
    accessibility: Accessibility = field(default_factory=Accessibility)
    price_range: PriceRange | None = None
    images: tuple[Image, ...] = ()
    external_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Somebody has made sure that what is said is true."""

    by: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A change of a published POI that waits for review. `changes` has the fields that would be other, as
    `domain.snapshots` writes them.
    """

    changes: Mapping[str, Any]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Poi:
    """`version` grows with every write, a proposal's too; `changed_at` is when what visitors see last
    changed. `owner` is the id of the account whose POI it is; `merged_into` names the POI that took its
    place.
    """

    id: UUID
    content: PoiContent
    status: PoiStatus
    owner: str | None
    version: int
    created_at: datetime
    updated_at: datetime
    changed_at: datetime
    verification: Verification | None = None
    proposal: Proposal | None = None
    merged_into: UUID | None = None

    @property
    def shown(self) -> bool:
        """Whether visitors see it."""
        return self.status in SHOWN

    @property
    def approved(self) -> bool:
        """Whether its content is that of a review, and changes as such alone."""
        return self.status in APPROVED


@dataclass(frozen=True, slots=True)
class Completeness:
    """How much of what can be said is said in a language: percent (0 to 100), and what is missing."""

    percent: int
    missing: tuple[str, ...]


def completeness(content: PoiContent) -> dict[str, Completeness]:
    """By language. An image counts by its alternative text; a POI without images needs none."""
    return {language: _complete_in(content, language) for language in LANGUAGES}


def _complete_in(content: PoiContent, language: str) -> Completeness:
    wanted = {
        "/name": bool(content.names.get(language)),
        "/summary": bool(content.summaries.get(language)),
        "/description": bool(content.descriptions.get(language)),
        **{
            f"/images/{index}/alt": bool(image.alt.get(language))
            for index, image in enumerate(content.images)
        },
    }
    missing = tuple(name for name, there in wanted.items() if not there)
    return Completeness(100 * (len(wanted) - len(missing)) // len(wanted), missing)
