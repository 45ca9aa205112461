"""What the audit trail calls an e-mail address: entries about the same one are known by it, and nobody is."""

from __future__ import annotations

import hmac
from hashlib import sha256

from admin_service.actions.ports import Ports
from admin_service.domain.users import email_hash, email_key


def subject_of(email: str, ports: Ports) -> str:
    """Keyed, as otherwise whoever reads the trail could try addresses out."""
    return _called(_keyed(ports.pseudonym_secrets.newest()[1], email))


def subjects_of(email: str, ports: Ports) -> frozenset[str]:
    """All that the address was ever called; at first that was its plain digest."""
    keyed = (_keyed(secret, email) for secret in ports.pseudonym_secrets.keys().values())
    return frozenset(map(_called, (email_hash(email), *keyed)))


def _keyed(secret: bytes, email: str) -> str:
    return hmac.digest(secret, email_key(email).encode(), sha256).hex()


def _called(digest: str) -> str:
    return f"email:{digest[:16]}"
