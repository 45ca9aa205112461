"""The tokens of one booking: `bkt_...` for whoever holds it, and some that do less: one only
pays, one only fetches the document.

All are derived from secrets, so that nothing has to be stored, and the same booking has the same token.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from ticketing_service.domain.bookings import Booking

PREFIX = "bkt_"
LIFETIME_AFTER_LAST_SLOT = timedelta(days=30)
_ID_SIZE, _TIME_SIZE, _MAC_SIZE = 16, 5, 32


class Secrets(Protocol):
    """Secrets by id, oldest first; the newest signs."""

    def keys(self) -> Mapping[str, bytes]: ...

    def newest(self) -> tuple[str, bytes]: ...


@dataclass(frozen=True, slots=True)
class TokenContent:
    """What a good access token says: which booking, and until when (an instant) it is good."""

    booking_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class BookingTokens:
    """Makes and reads the tokens of bookings."""

    secrets: Secrets

    def __call__(self, booking: Booking) -> str:
        """The access token of `booking`, good until 30 days after its last slot."""
        return self.access(booking.id, max(item.ends_at for item in booking.items))

    def access(self, booking_id: UUID, last_slot_ends_at: datetime) -> str:
        """The same, for who knows the booking's id and the end of its last slot alone."""
        until = int((last_slot_ends_at + LIFETIME_AFTER_LAST_SLOT).timestamp())
        content = booking_id.bytes + until.to_bytes(_TIME_SIZE)
        return PREFIX + _text(content + self._newest_mac(b"booking", content))

    def read(self, token: str) -> TokenContent | None:
        """What an access token says, or None when it is not one of ours. It may have expired."""
        content = _bytes(token.removeprefix(PREFIX), _ID_SIZE + _TIME_SIZE + _MAC_SIZE)
        if content is None or not self._is_ours(b"booking", content):
            return None
        seconds = int.from_bytes(content[_ID_SIZE : _ID_SIZE + _TIME_SIZE])
        return TokenContent(UUID(bytes=content[:_ID_SIZE]), datetime.fromtimestamp(seconds, UTC))

    def pay(self, booking_id: UUID) -> str:
        """The token that pays for a booking. It says nothing about time: the hold itself ends it."""
        return _text(self._newest_mac(b"pay", booking_id.bytes))

    def may_pay(self, token: str, booking_id: UUID) -> bool:
        """Whether `token` is the one that `pay` made for this booking."""
        mac = _bytes(token, _MAC_SIZE)
        return mac is not None and self._is_ours(b"pay", booking_id.bytes + mac)

    def fetch(self, booking_id: UUID) -> str:
        """The token that fetches the document of a booking, and nothing else of it."""
        return _text(self._newest_mac(b"fetch", booking_id.bytes))

    def may_fetch(self, token: str, booking_id: UUID) -> bool:
        """Whether `token` is the one that `fetch` made for this booking."""
        mac = _bytes(token, _MAC_SIZE)
        return mac is not None and self._is_ours(b"fetch", booking_id.bytes + mac)

    def _newest_mac(self, purpose: bytes, content: bytes) -> bytes:
        return _mac(self.secrets.newest()[1], purpose, content)

    def _is_ours(self, purpose: bytes, content: bytes) -> bool:
        """Whether the end of `content` is the code of its beginning under one of the secrets."""
        begin, given = content[:-_MAC_SIZE], content[-_MAC_SIZE:]
        good = [hmac.compare_digest(_mac(s, purpose, begin), given) for s in self.secrets.keys().values()]
        return any(good)


def _mac(secret: bytes, purpose: bytes, content: bytes) -> bytes:
    return hmac.digest(secret, purpose + b"\x00" + content, sha256)


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def _bytes(text: str, size: int) -> bytes | None:
    """The `size` bytes that `text` stands for; None for anything but their one spelling."""
    try:
        content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    return content if len(content) == size and _text(content) == text else None
