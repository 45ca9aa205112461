"""Keys in a folder, one file each: the newest signs, all verify; every process that shares the folder shares
them."""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Generic, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

KEY_ID_BYTES = 4
LOOK_SECONDS = 2.0
SECRET_BYTES = 32
K = TypeVar("K")


class KeyFolderError(Exception):
    """A folder of keys that cannot be used; the message is one line and names the file."""


class _Ring(Generic[K]):
    """The keys of `folder` by id, newest last. The first use makes the folder and a key, if there is none."""

    suffix = ""

    def __init__(
        self,
        folder: Path,
        *,
        settle_seconds: float = 0,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """`settle_seconds`: a new key signs only when it is that old: all who verify know it by then."""
        self.folder = folder
        self._monotonic, self._wall = monotonic, wall
        self._settle_milliseconds = settle_seconds * 1000
        self._lock = threading.Lock()
        self._keys: Mapping[str, K] = {}
        self._seen: list[Path] = []
        self._look_at = 0.0

    def keys(self) -> Mapping[str, K]:
        """Key id -> key, oldest first. Raises KeyFolderError."""
        now = self._monotonic()
        if now >= self._look_at or not self._keys:
            with self._lock:
                self._look(now)
        return self._keys

    def newest(self) -> tuple[str, K]:
        """The key that signs, with its id. Raises KeyFolderError."""
        keys = self.keys()
        key_id = _key_id((self._settled() or self._seen[:1])[-1])
        return key_id, keys[key_id]

    def _settled(self) -> list[Path]:
        if not self._settle_milliseconds:
            return self._seen  # whatever the clock says: of two keys of one millisecond one is of the next
        limit = self._wall() * 1000 - self._settle_milliseconds
        return [path for path in self._seen if _stamp(path) <= limit]

    def rotate(self) -> str:
        """Add a key that signs from now on (elsewhere within two seconds), or once it has settled; its id.
        Raises KeyFolderError.
        """
        with self._locked_folder():
            key_id = self._write()
        with self._lock:
            self._look(self._monotonic())
        return key_id

    def forget(self, *, superseded_before: datetime) -> tuple[str, ...]:
        """Remove the keys that were newest no more at that instant; their ids. The newest always stays."""
        limit = superseded_before.timestamp() * 1000
        removed = []
        with self._locked_folder():
            paths = self._paths()
            for path, next_path in pairwise(paths):
                if _stamp(next_path) + self._settle_milliseconds < limit:
                    path.unlink()
                    removed.append(_key_id(path))
        with self._lock:
            self._look(self._monotonic())
        return tuple(removed)

    def _look(self, now: float) -> None:
        paths = self._paths()
        if not paths:
            with self._locked_folder():
                if not self._paths():
                    self._write()
            paths = self._paths()
        if paths != self._seen:
            self._keys = {_key_id(path): self._read_checked(path) for path in paths}
            self._seen = paths
        self._look_at = now + LOOK_SECONDS

    def _paths(self) -> list[Path]:
        # The names begin with the time of making, so that their order is the keys' age.
        return sorted(self.folder.glob(f"*-*{self.suffix}")) if self.folder.is_dir() else []

    @contextmanager
    def _locked_folder(self) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self) -> str:
        key_id = secrets.token_hex(KEY_ID_BYTES)
        last = max(map(_stamp, self._paths()), default=0)
        stamp = max(int(self._wall() * 1000), last + 1)
        path = self.folder / f"{stamp:015d}-{key_id}{self.suffix}"
        write_private(path, self._new())
        return key_id

    def _read_checked(self, path: Path) -> K:
        try:
            if path.stat().st_mode & 0o077:
                raise KeyFolderError(f"{path} can be read by others: chmod 600")
            return self._read(path.read_bytes())
        except (OSError, ValueError) as error:
            raise KeyFolderError(f"{path} is not a key that can be used: {error}") from error

    def _new(self) -> bytes:
        raise NotImplementedError

    def _read(self, content: bytes) -> K:
        raise NotImplementedError


class KeyRing(_Ring[Ed25519PrivateKey]):
    """Ed25519 keys (RFC 8032), PEM files."""

    suffix = ".pem"

    def sign(self, message: bytes) -> tuple[str, bytes]:
        """The id of the newest key and its signature, 64 bytes."""
        key_id, key = self.newest()
        return key_id, key.sign(message)

    def public_keys(self) -> dict[str, Ed25519PublicKey]:
        """Key id -> public key, oldest first."""
        return {key_id: key.public_key() for key_id, key in self.keys().items()}

    def public_bytes(self) -> dict[str, bytes]:
        """Key id -> the 32 bytes of the public key, oldest first."""
        return {
            key_id: key.public_bytes(Encoding.Raw, PublicFormat.Raw)
            for key_id, key in self.public_keys().items()
        }

    def _new(self) -> bytes:
        return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def _read(self, content: bytes) -> Ed25519PrivateKey:
        key = load_pem_private_key(content, None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("not an Ed25519 key")
        return key


class SecretRing(_Ring[bytes]):
    """Secrets of 32 random bytes, for HMAC."""

    suffix = ".key"

    def _new(self) -> bytes:
        return secrets.token_hex(SECRET_BYTES).encode()

    def _read(self, content: bytes) -> bytes:
        secret = bytes.fromhex(content.decode("ascii").strip())
        if len(secret) < SECRET_BYTES:
            raise ValueError(f"shorter than {SECRET_BYTES} bytes")
        return secret


def _stamp(path: Path) -> int:
    """When a key was made, in milliseconds since 1970."""
    return int(path.stem.partition("-")[0])


def _key_id(path: Path) -> str:
    return path.stem.partition("-")[2]


def write_private(path: Path, content: bytes) -> None:
    """Write `path` with mode 0600, whole or not at all, and on disk before its name appears."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
