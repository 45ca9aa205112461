"""How values become bytes: JSON or bytes, and nothing else. What cannot be read back is no value."""

from __future__ import annotations

from typing import IO, Any, Protocol

import orjson
from cachelib.serializers import BaseSerializer

_JSON, _BYTES = b"J", b"B"


class UnreadableValue(ValueError):
    """Bytes that are none of ours; whoever finds them treats them as absent."""


class Codec(Protocol):
    """Turns values into bytes and back. `shareable`: what `loads` gives cannot be changed by its holder, so
    one copy may serve many readers.
    """

    @property
    def shareable(self) -> bool: ...

    def dumps(self, value: Any) -> bytes:
        """Raises TypeError for a value that it cannot carry."""
        ...

    def loads(self, data: bytes) -> Any:
        """Raises UnreadableValue."""
        ...


class _JsonOrBytes:
    shareable = False

    def dumps(self, value: Any) -> bytes:
        return _BYTES + value if isinstance(value, bytes) else _JSON + orjson.dumps(value)

    def loads(self, data: bytes) -> Any:
        if data[:1] == _BYTES:
            return data[1:]
        if data[:1] != _JSON:
            raise UnreadableValue("neither JSON nor bytes")
        try:
            return orjson.loads(data[1:])
        except orjson.JSONDecodeError as error:
            raise UnreadableValue(str(error)) from error


JSON_OR_BYTES: Codec = _JsonOrBytes()


class PlainSerializer(BaseSerializer):
    """For flask-caching's own verbs. Every method of its base is replaced: those would pickle."""

    def dumps(self, value: Any, protocol: int = 0) -> bytes:
        return JSON_OR_BYTES.dumps(value)

    def loads(self, bvalue: bytes | None) -> Any:
        if bvalue is None:
            return None
        try:
            return JSON_OR_BYTES.loads(bvalue)
        except UnreadableValue:
            return None

    def dump(self, value: Any, f: IO[bytes], protocol: int = 0) -> None:
        f.write(self.dumps(value))

    def load(self, f: IO[bytes]) -> Any:
        return self.loads(f.read())
