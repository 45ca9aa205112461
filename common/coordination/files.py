"""Small files that are known to be whole: a reader never takes half of one for it."""

from __future__ import annotations

import os
import struct
import time
import zlib
from pathlib import Path
from urllib.parse import quote, unquote

MOST_BYTES = 64 * 1024
_HEAD = struct.Struct("<4sII")  # magic, CRC-32 and length of what follows
_MAGIC = b"CRD1"
_LOOKS = 50
_LOOK_SECONDS = 0.0002
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


def check_size(content: bytes) -> None:
    """Raises ValueError for more than MOST_BYTES."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"{len(content)} bytes are more than the {MOST_BYTES} that can be shared")


def file_name(name: str) -> str:
    """A file's name for any text of up to about 80 characters."""
    return quote(name, safe="").replace(".", "%2E")


def name_of(file: str) -> str:
    """The text that `file_name` was made from."""
    return unquote(file)


def replace(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Put `content` in the place of the file, mode 0600; one caller at a time for each file. Raises OSError.

    `durable`: it is on the disk on return.
    """
    # Always the same name: what a killed process leaves is overwritten by the next.
    temporary = path.with_name(f".{path.name}")
    with os.fdopen(os.open(temporary, _WRITE | os.O_TRUNC, 0o600), "wb") as file:
        file.write(_sealed(content))
        if durable:
            file.flush()
            os.fsync(file.fileno())
    temporary.replace(path)


def overwrite(path: Path, content: bytes) -> None:
    """Write over the file, mode 0600; one caller at a time for each file. Raises OSError.

    A file system writes a replaced file to the disk at once, which takes milliseconds; this does not.
    """
    fd = os.open(path, _WRITE, 0o600)
    try:
        whole = _sealed(content)
        if os.pwrite(fd, whole, 0) != len(whole):
            raise OSError(f"{path.name} could not be written whole")
    finally:
        os.close(fd)


def read(path: Path) -> bytes | None:
    """What was put there last, or None: no such file, or a damaged one. Raises OSError for other reasons."""
    for _ in range(_LOOKS):
        try:
            whole = path.read_bytes()
        except FileNotFoundError:
            return None
        if len(whole) < _HEAD.size:
            magic, checksum, length = b"", 0, 0
        else:
            magic, checksum, length = _HEAD.unpack_from(whole)
        content = whole[_HEAD.size : _HEAD.size + length]
        if magic == _MAGIC and checksum == zlib.crc32(content):
            return content
        time.sleep(_LOOK_SECONDS)  # it may be in the middle of being written
    return None


def _sealed(content: bytes) -> bytes:
    return _HEAD.pack(_MAGIC, zlib.crc32(content), len(content)) + content
