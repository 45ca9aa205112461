"""The secret that the services sign their calls to each other with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from common.auth.keyfiles import SecretRing
from common.settings import Settings


def service_secrets(settings: Settings) -> Callable[[], Sequence[bytes]]:
    """Those of SERVICE_KEY, else those of a ring in DATA_DIR; the first signs, all verify."""
    if settings.service_keys:
        given = tuple(key.encode() for key in settings.service_keys)
        return lambda: given
    ring = SecretRing(settings.data_dir / "keys" / "services")
    return lambda: tuple(ring.keys().values())[::-1]
