"""Codes by time (TOTP, RFC 6238), and the codes that help when the telephone is lost."""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from hashlib import sha256

import pyotp

STEP_SECONDS = 30
DRIFT_STEPS = 1
"""How many steps a clock may be off."""

RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUP, _GROUPS = 5, 3


def new_secret() -> str:
    """A secret of 160 bits, as authenticator apps take it (base32)."""
    return pyotp.random_base32()


def enrolment_uri(secret: str, email: str, issuer: str) -> str:
    """What is shown as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer)


def step_of(secret: str, code: str, now: datetime, last_step: int) -> int | None:
    """The number of the 30 seconds that `code` is of; None when it is wrong, too old, or used already: no
    code of a step up to `last_step` is good.
    """
    totp, present = pyotp.TOTP(secret), int(now.timestamp()) // STEP_SECONDS
    found = None
    for step in range(present - DRIFT_STEPS, present + DRIFT_STEPS + 1):
        # No early end: the time must not tell which of the steps was right.
        if hmac.compare_digest(totp.at(step * STEP_SECONDS), code) and step > last_step:
            found = step
    return found


def code_at(secret: str, now: datetime) -> str:
    """The code of that instant, for who holds the secret."""
    return pyotp.TOTP(secret).at(now)


def new_recovery_codes() -> tuple[str, ...]:
    """Codes of 74 bits, each good once."""
    return tuple(
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    )


def recovery_hash(code: str) -> str:
    """What is stored of a recovery code: hexadecimal SHA-256 of it, however it is typed."""
    return sha256(code.strip().lower().replace(" ", "").encode()).hexdigest()
