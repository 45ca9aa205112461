"""What a reseller may ask for beside the core, and how it says so."""

from __future__ import annotations

from enum import StrEnum

from ticketing_service.schemas.documents import Document

HEADER = "Octo-Capabilities"


class Capability(StrEnum):
    PRICING = "octo/pricing"
    CONTENT = "octo/content"
    WEBHOOKS = "octo/webhooks"


_REVISIONS = dict.fromkeys(Capability, 1)


def asked_for(header: str) -> frozenset[Capability]:
    """Those of the `header` that are served here; of others nothing is said."""
    names = {name.strip().lower() for name in header.split(",")}
    return frozenset(each for each in Capability if each.value in names)


def header_of(used: frozenset[Capability]) -> str:
    """What the answer says of itself: those `used`, in the order in which they are announced."""
    return ", ".join(each.value for each in Capability if each in used)


def capability_documents() -> list[Document]:
    """All that are served."""
    return [
        {"id": each, "revision": revision, "required": False, "dependencies": [], "docs": None}
        for each, revision in _REVISIONS.items()
    ]
