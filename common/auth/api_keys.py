"""Keys of machines, `apk_...` or with another prefix: what one looks like, and what is stored of it."""

from __future__ import annotations

import hmac
import zlib
from hashlib import sha256
from uuid import UUID

PREFIX = "apk_"
API_KEY_KIND = "api-key"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_LENGTH, _SUM_LENGTH = 43, 6
_SHOWN = 6


def made_key(secret: bytes, key_id: UUID, prefix: str = PREFIX) -> str:
    """The key of that id: derived from `secret`, so that it need not be stored to be shown to a repeated
    request. Ends in a checksum, by which a slip of the pen, or a leak, is recognised without asking anybody.
    """
    number = int.from_bytes(hmac.digest(secret, b"api-key\x00" + key_id.bytes, sha256))
    begin = prefix + _text(number, _SECRET_LENGTH)
    return begin + _checksum(begin)


def looks_right(key: str, prefix: str = PREFIX) -> bool:
    """Whether the checksum of `key` is its own."""
    begin, end = key[:-_SUM_LENGTH], key[-_SUM_LENGTH:]
    return len(begin) == len(prefix) + _SECRET_LENGTH and end == _checksum(begin)


def key_hash(key: str) -> str:
    """What is stored: hexadecimal SHA-256. A key is too random to be guessed, so no slow hash is needed."""
    return sha256(key.encode()).hexdigest()


def key_start(key: str) -> str:
    """The beginning by which its owner recognises a key."""
    return key[: key.index("_") + 1 + _SHOWN]


def _checksum(begin: str) -> str:
    return _text(zlib.crc32(begin.encode()), _SUM_LENGTH)


def _text(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
