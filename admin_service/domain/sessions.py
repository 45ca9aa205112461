"""Sessions: signed in on one device, kept alive by refresh tokens of which each is used once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

ACCESS_LIFETIME = timedelta(minutes=15)
REFRESH_LIFETIME = timedelta(days=7)
LONGEST_SESSION = timedelta(days=30)
"""However often it is refreshed: then the password is asked for again."""

GRACE = timedelta(seconds=10)
"""How long a browser's refresh token that has just been used still brings an access token: its other tabs may
have sent it before they had the next one.
"""

REMEMBERED = ACCESS_LIFETIME + timedelta(minutes=5)
"""How long the end of a session, or a change of privileges, is told to others: till no access token that
knows nothing of it can be good any more."""

MOST_FAILURES = 5
LOCKED_FOR = timedelta(hours=2)
RESET_LIFETIME, INVITE_LIFETIME = timedelta(hours=1), timedelta(days=7)
REFRESH_PREFIX, LINK_PREFIX = "rft_", "pwt_"
LINK_PAGE = "/admin/password"
"""Where links lead, below the address that people reach us at."""

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`expires_at`: when its last refresh token ends. `address` and `agent` are those of the sign-in."""

    id: UUID
    user_id: UUID
    address: str
    agent: str
    created_at: datetime
    used_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link in a mail that lets its holder choose a password, once. `purpose`: reset or invite."""

    hash: str
    user_id: UUID
    purpose: str
    expires_at: datetime


def new_refresh_token() -> str:
    """A refresh token; nothing can be read from it."""
    return REFRESH_PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


def token_hash(token: str) -> str:
    """What is stored of a token that is random enough: hexadecimal SHA-256."""
    return sha256(token.encode()).hexdigest()


def refreshed_until(created_at: datetime, now: datetime) -> datetime:
    """When a session ends that is refreshed now."""
    return min(now + REFRESH_LIFETIME, created_at + LONGEST_SESSION)
