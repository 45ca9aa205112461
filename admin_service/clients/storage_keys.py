"""Keys of stored objects: what both storages take, so that no key leads out of either."""

from __future__ import annotations

import re

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}/[a-z0-9][a-z0-9_-]{0,31}\.[a-z0-9]{1,8}")


def checked(key: str) -> str:
    """The key. Raises ValueError for anything but `name/name.ending`: no dots before the ending, no third
    part."""
    if _KEY.fullmatch(key) is None:
        raise ValueError(f"not a key of stored media: {key!r}")
    return key
