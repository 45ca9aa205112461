"""The last copy of the platform's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol


class PlatformStore(Protocol):
    def kept(self) -> Mapping[str, Any] | None:
        """The document that was kept last."""
        ...

    def keep(self, document: Mapping[str, Any], now: datetime) -> None: ...
