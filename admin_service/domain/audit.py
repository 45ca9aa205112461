"""The audit trail: what was done, by whom, from where, and what it was before and after. Each entry holds the
hash of the one before it, so that none can be changed or taken out unseen.

What names somebody is no part of the chain: it stands beside it, and the chain has a seal of it. So it can be
erased, and the chain still holds."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

FIRST_HASH = b"\x00" * 32
"""What the first entry holds as the hash of the one before it."""

SALT_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who does something, and from where. `actor`: a caller's principal, such as `access:018f...`."""

    actor: str
    address: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One thing that was done. `action` is `resource.verb`, such as `users.update`; `subject` is the id of
    what it was done to. `before` and `after` are what changed of it, JSON; never a secret, and nothing that
    names somebody: that is in `personal_before` and `personal_after`, which can be erased like the origin's
    address.
    """

    at: datetime
    origin: Origin
    action: str
    subject: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    personal_before: Mapping[str, Any] = field(default_factory=dict)
    personal_after: Mapping[str, Any] = field(default_factory=dict)

    def personal(self) -> Mapping[str, Any]:
        """What names somebody before and after; empty when nothing does."""
        if not self.personal_before and not self.personal_after:
            return {}
        return {"before": dict(self.personal_before), "after": dict(self.personal_after)}


@dataclass(frozen=True, slots=True)
class Seal:
    """What the chain has of a value that can be erased. `salt` goes with the value, as without it nobody can
    find an address by trying all there are; None: the value was erased.
    """

    digest: bytes
    salt: bytes | None

    def fits(self, value: Any) -> bool:
        """Whether `value` is what was sealed, or was erased."""
        if self.salt is None:
            return not value
        return hmac.compare_digest(self.digest, _digest(self.salt, value))


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """An event in its place in the chain; `number` counts from 1 without a gap. The seals are of the origin's
    address and of `event.personal()`; None where there was nothing to seal.
    """

    number: int
    event: AuditEvent
    previous_hash: bytes
    hash: bytes
    address_seal: Seal | None = None
    personal_seal: Seal | None = None

    @property
    def erased(self) -> bool:
        """Whether something that named somebody was taken out."""
        return any(seal is not None and seal.salt is None for seal in (self.address_seal, self.personal_seal))

    @property
    def holds(self) -> bool:
        """Whether all of it is what was written, apart from what was erased."""
        own = entry_hash(self.number, self.event, self.previous_hash, self.address_seal, self.personal_seal)
        sealed = ((self.address_seal, self.event.origin.address), (self.personal_seal, self.event.personal()))
        return hmac.compare_digest(self.hash, own) and all(
            not value if seal is None else seal.fits(value) for seal, value in sealed
        )


def chained(number: int, event: AuditEvent, previous_hash: bytes) -> AuditEntry:
    """The entry that follows the one whose hash is `previous_hash`."""
    address, personal = _sealed(event.origin.address), _sealed(event.personal())
    return AuditEntry(
        number=number,
        event=event,
        previous_hash=previous_hash,
        hash=entry_hash(number, event, previous_hash, address, personal),
        address_seal=address,
        personal_seal=personal,
    )


def entry_hash(
    number: int, event: AuditEvent, previous_hash: bytes, address: Seal | None, personal: Seal | None
) -> bytes:
    """The 32 bytes that stand for the entry and for all before it (SHA-256 over a canonical JSON)."""
    document = {
        "number": number,
        "at": event.at.isoformat(timespec="milliseconds"),
        "actor": event.origin.actor,
        "address": None if address is None else address.digest.hex(),
        "requestId": event.origin.request_id,
        "action": event.action,
        "subject": event.subject,
        "before": dict(event.before),
        "after": dict(event.after),
        "personal": None if personal is None else personal.digest.hex(),
    }
    return hashlib.sha256(previous_hash + orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).digest()


def _sealed(value: Any) -> Seal | None:
    if not value:
        return None
    salt = secrets.token_bytes(SALT_BYTES)
    return Seal(_digest(salt, value), salt)


def _digest(salt: bytes, value: Any) -> bytes:
    return hmac.digest(salt, orjson.dumps(value, option=orjson.OPT_SORT_KEYS), hashlib.sha256)
