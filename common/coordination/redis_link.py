"""The one way to Redis: nobody waits for it while it is known to be away, and nobody waits twice."""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from common.coordination.documents import Versioned
from common.coordination.trouble import Trouble

_log = logging.getLogger(__name__)


class Away(Exception):
    """Redis did not answer, refused, or is known to be away."""


class RedisLink:
    """Runs scripts. After a failure callers are refused at once, until `probe` (the syncer's) succeeds."""

    def __init__(self, client_factory: Callable[[], Redis], prefix: str) -> None:
        """`client_factory` makes the client, with short time-outs and without retry."""
        self._client = client_factory()
        self._prefix = prefix
        self._trouble = Trouble(_log, "Redis")
        self.is_up = False

    def ask(self, script: str, keys: Sequence[str], *arguments: str | int | bytes) -> Any:
        """Run a script. Raises Away."""
        if not self.is_up:
            raise Away
        return self._run(script, keys, arguments)

    def probe(self, script: str, keys: Sequence[str], *arguments: str | int | bytes) -> Any:
        """Run a script although Redis is away; it is back when this succeeds. Raises Away."""
        answer = self._run(script, keys, arguments)
        self.is_up = True
        self._trouble.off()
        return answer

    def lost(self, cause: BaseException) -> None:
        """It is away from now on."""
        self.is_up = False
        self._trouble.on(cause)

    def close(self) -> None:
        """Close the connections."""
        self.is_up = False
        self._client.close()

    def _run(self, script: str, keys: Sequence[str], arguments: Sequence[str | int | bytes]) -> Any:
        names = [self._prefix + key for key in keys]
        try:
            return self._client.eval(script, len(names), *names, *arguments)
        except (RedisError, OSError) as error:
            self.lost(error)
            raise Away from error


def stamp_of(document: Versioned) -> str:
    """Version, colon, and what tells documents of one version apart."""
    return f"{document.version}:{kind_of(document)}"


def kind_of(document: Versioned) -> str:
    """The second part of the stamp: whether there is a document, and its CRC-32."""
    return f"{'+' if document.there else '-'}{zlib.crc32(document.content):08x}"


def versioned_of(stamp: bytes, content: bytes) -> Versioned:
    """The reverse of `stamp_of`. Raises ValueError for anything else."""
    version, _, kind = stamp.partition(b":")
    return Versioned(int(version), kind.startswith(b"+"), content)


def packed_rows(rows: Mapping[str, bytes]) -> bytes:
    """All rows of a process, by table, as one text."""
    return b"".join(
        struct.pack("<HI", len(table.encode()), len(row)) + table.encode() + row
        for table, row in rows.items()
    )


def unpacked_rows(packed: bytes) -> dict[str, bytes]:
    """The reverse of `packed_rows`. Raises ValueError for anything else."""
    found: dict[str, bytes] = {}
    at = 0
    while at < len(packed):
        try:
            name, row = struct.unpack_from("<HI", packed, at)
        except struct.error as error:
            raise ValueError("not the rows of a process") from error
        at += 6 + name + row
        if at > len(packed):
            raise ValueError("not the rows of a process")
        found[packed[at - row - name : at - row].decode()] = packed[at - row : at]
    return found
