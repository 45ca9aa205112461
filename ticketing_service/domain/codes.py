"""Admission codes: what the QR says, signed so that a gate can check it without a network.

The text is `TA1:` and upper-case base32 (RFC 4648, no padding) of a payload and its Ed25519 signature
(RFC 8032), so that a QR code takes it in its alphanumeric mode. Big-endian, in this order:

    bytes  what
    1      version, 1
    4      key id: the first bytes of SHA-256 of the raw public key
    16     admission id
    4 + 4  valid from, valid until: seconds since 1970
    2      first local day: days since 1970-01-01
    2      number of valid days
    2      people
    1      entry mode: 0 once, 1 once each local day, 2 once at each POI, 3 a test, which lets nobody in
    1      number of POIs, at most 8
    4 each POI fingerprints, ascending: the first bytes of SHA-256 of the POI id's 16 bytes
    64     signature of the prefix and all of the above
"""

from __future__ import annotations

import struct
from base64 import b32decode, b32encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.entry import EntryMode, entry_mode
from ticketing_service.domain.errors import Code, Refused

PREFIX = "TA1:"
MAX_POIS = 8
SIGNATURE_SIZE = 64
FINGERPRINT_SIZE = 4

_VERSION = 1
_HEAD = struct.Struct(">B4s16sIIHHHBB")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What a code says; instants are whole seconds, UTC. `pois` are fingerprints, ascending."""

    admission_id: UUID
    valid_from: datetime
    valid_until: datetime
    first_day: date
    valid_days: int
    pax_count: int
    entry_mode: EntryMode
    pois: tuple[bytes, ...]
    kid: str = ""


def key_id(public_key: Ed25519PublicKey) -> str:
    """The short name of a key in codes and in the published list: 8 hexadecimal characters."""
    return sha256(public_key.public_bytes_raw()).digest()[:FINGERPRINT_SIZE].hex()


def poi_fingerprint(poi_id: UUID) -> bytes:
    """Enough of a POI's identity for a gate to know its own among at most eight."""
    return sha256(poi_id.bytes).digest()[:FINGERPRINT_SIZE]


def payload_of(admission: Admission) -> Payload:
    """What the code of `admission` says. Raises ValueError when it has more than eight POIs."""
    if not 1 <= len(admission.poi_ids) <= MAX_POIS:
        raise ValueError(f"an admission code names 1 to {MAX_POIS} POIs")
    return Payload(
        admission_id=admission.id,
        valid_from=admission.valid_from.replace(microsecond=0),
        valid_until=admission.valid_until.replace(microsecond=0),
        first_day=admission.first_day,
        valid_days=admission.valid_days,
        pax_count=admission.pax_count,
        entry_mode=entry_mode(admission.ticket_type),
        pois=tuple(sorted({poi_fingerprint(poi_id) for poi_id in admission.poi_ids})),
    )


def sign(payload: Payload, private_key: Ed25519PrivateKey, kid: str) -> str:
    """The code for `payload`, signed with the key that is published as `kid`."""
    body = _HEAD.pack(
        _VERSION,
        bytes.fromhex(kid),
        payload.admission_id.bytes,
        _seconds(payload.valid_from),
        _seconds(payload.valid_until),
        (payload.first_day - _FIRST_DAY).days,
        payload.valid_days,
        payload.pax_count,
        payload.entry_mode,
        len(payload.pois),
    ) + b"".join(payload.pois)
    return _text(body + private_key.sign(PREFIX.encode() + body))


def read(code: str) -> Payload:
    """What `code` says, unverified. Raises CODE_UNREADABLE.

    Letter case and surrounding white space do not matter; apart from that each code has one spelling.
    """
    return _payload(_bytes(code))


def verify(code: str, keys: Mapping[str, Ed25519PublicKey]) -> Payload:
    """What `code` says, if one of our `keys` (by key id) signed it. Raises CODE_UNREADABLE, CODE_FORGED."""
    content = _bytes(code)
    payload = _payload(content)
    key = keys.get(payload.kid)
    if key is None:
        raise Refused(Code.CODE_FORGED, "The code is signed with a key that is not ours.", "/code")
    body, signature = content[:-SIGNATURE_SIZE], content[-SIGNATURE_SIZE:]
    try:
        key.verify(signature, PREFIX.encode() + body)
    except InvalidSignature as error:
        raise Refused(Code.CODE_FORGED, "The signature is not ours.", "/code") from error
    return payload


def _text(content: bytes) -> str:
    return PREFIX + b32encode(content).decode().rstrip("=")


def _bytes(code: str) -> bytes:
    text = code.strip()
    longest = len(PREFIX) + (_HEAD.size + MAX_POIS * FINGERPRINT_SIZE + SIGNATURE_SIZE) * 8 // 5 + 1
    # Before upper(): some letters outside ASCII have an upper case inside.
    if len(text) > longest or not text.isascii():
        raise _unreadable()
    text = text.upper()
    if not text.startswith(PREFIX):
        raise _unreadable()
    digits = text.removeprefix(PREFIX)
    try:
        content = b32decode(digits + "=" * (-len(digits) % 8))
    except ValueError as error:
        raise _unreadable() from error
    # The last digit may carry bits that decode to nothing; only zero bits are ours.
    if _text(content) != text:
        raise _unreadable()
    return content


def _payload(content: bytes) -> Payload:
    body = content[:-SIGNATURE_SIZE]
    if len(body) < _HEAD.size:
        raise _unreadable()
    version, kid, admission_id, start, end, day, days, pax, mode, count = _HEAD.unpack_from(body)
    rest = body[_HEAD.size :]
    pois = tuple(rest[i : i + FINGERPRINT_SIZE] for i in range(0, len(rest), FINGERPRINT_SIZE))
    well_formed = version == _VERSION and mode in iter(EntryMode) and start <= end and days and pax
    if not well_formed or not 1 <= count <= MAX_POIS or len(rest) != count * FINGERPRINT_SIZE:
        raise _unreadable()
    if pois != tuple(sorted(set(pois))):
        raise _unreadable()
    return Payload(
        admission_id=UUID(bytes=admission_id),
        valid_from=_EPOCH + timedelta(seconds=start),
        valid_until=_EPOCH + timedelta(seconds=end),
        first_day=_FIRST_DAY + timedelta(days=day),
        valid_days=days,
        pax_count=pax,
        entry_mode=EntryMode(mode),
        pois=pois,
        kid=kid.hex(),
    )


def _seconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(seconds=1)


def _unreadable() -> Refused:
    return Refused(Code.CODE_UNREADABLE, "This is not one of our admission codes.", "/code")
