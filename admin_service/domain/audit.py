"""The audit trail: what was done, by whom, from where, and what it was before and after. Each entry holds the
hash of the one before it, so that none can be changed or taken out unseen."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

FIRST_HASH = b"\x00" * 32
"""What the first entry holds as the hash of the one before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Who does something, and from where. `actor`: a caller's principal, such as `access:018f...`."""

    actor: str
    address: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One thing that was done. `action` is `resource.verb`, such as `users.update`; `subject` is the id of
    what it was done to. `before` and `after` are what changed of it, JSON; never a secret.
    """

    at: datetime
    origin: Origin
    action: str
    subject: str
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """An event in its place in the chain; `number` counts from 1 without a gap."""

    number: int
    event: AuditEvent
    previous_hash: bytes
    hash: bytes


def entry_hash(number: int, event: AuditEvent, previous_hash: bytes) -> bytes:
    """The 32 bytes that stand for the entry and for all before it (SHA-256 over a canonical JSON)."""
    document = {
        "number": number,
        "at": event.at.isoformat(timespec="milliseconds"),
        "actor": event.origin.actor,
        "address": event.origin.address,
        "requestId": event.origin.request_id,
        "action": event.action,
        "subject": event.subject,
        "before": dict(event.before),
        "after": dict(event.after),
    }
    return hashlib.sha256(previous_hash + orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).digest()
