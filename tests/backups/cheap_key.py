"""A key of a restic repository that costs nothing to make of its password.

Restic makes that as slow as half a second, at each of its calls: right against those who guess, and most of
what a test of backups would wait for. The form is that of restic's design document ("Keys, Encryption and
MAC"): scrypt, AES-256-CTR, Poly1305-AES.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.poly1305 import Poly1305

_BLOCK = 16


def cheapen(repository: Path, password: str) -> None:
    """Give the only key of the repository in a folder the least cost there is."""
    (path,) = (repository / "keys").iterdir()
    key = json.loads(path.read_bytes())
    sealed = base64.b64decode(key["data"])
    nonce, secret, tag = sealed[:_BLOCK], sealed[_BLOCK:-_BLOCK], sealed[-_BLOCK:]
    encrypting, authenticating = _derived(password, key)
    assert _tag(authenticating, nonce, secret) == tag, "restic seals its keys in another way"
    opened = _crypted(encrypting, nonce, secret)
    key |= {"N": 2, "r": 1, "p": 1}
    encrypting, authenticating = _derived(password, key)
    nonce = os.urandom(_BLOCK)
    secret = _crypted(encrypting, nonce, opened)
    sealed = nonce + secret + _tag(authenticating, nonce, secret)
    content = json.dumps({**key, "data": base64.b64encode(sealed).decode()}).encode()
    path.chmod(0o600)
    path.unlink()
    path.with_name(hashlib.sha256(content).hexdigest()).write_bytes(content)


def _derived(password: str, key: dict[str, int | str]) -> tuple[bytes, bytes]:
    """What encrypts, and what authenticates."""
    made = hashlib.scrypt(
        password.encode(),
        salt=base64.b64decode(str(key["salt"])),
        n=int(key["N"]),
        r=int(key["r"]),
        p=int(key["p"]),
        maxmem=1 << 30,
        dklen=64,
    )
    return made[:32], made[32:]


def _crypted(key: bytes, nonce: bytes, content: bytes) -> bytes:
    """Both ways, as it is a stream."""
    return Cipher(algorithms.AES(key), modes.CTR(nonce)).encryptor().update(content)


def _tag(key: bytes, nonce: bytes, content: bytes) -> bytes:
    # The cipher's one block as Poly1305-AES (Bernstein, 2005) has it; nothing is kept secret by it.
    block = Cipher(algorithms.AES(key[:_BLOCK]), modes.ECB()).encryptor().update(nonce)
    return Poly1305.generate_tag(key[_BLOCK:] + block, content)
