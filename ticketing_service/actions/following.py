"""The platform's configuration and mode, followed: as the admin service has them within seconds, as they were
last known while it is away, and by our own defaults before it was ever there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

from common.clock import Clock
from common.database.unavailable import StoreUnavailable
from ticketing_service.clients.port import AdminUnavailable, NoAdmin, PlatformSource
from ticketing_service.domain.platform import Malformed, Platform, platform_of
from ticketing_service.storage.ports.platform import PlatformStore

log = logging.getLogger(__name__)

EVERY_SECONDS = 2.0


class Followed:
    """What holds now, in this process. Nothing waits for anything when `platform` is read."""

    def __init__(self, platform: Platform | None = None) -> None:
        self.platform = platform or Platform()


class Follower:
    """Keeps `followed` up to date; `look` is called again and again, by one thread."""

    def __init__(
        self, followed: Followed, source: PlatformSource, store: PlatformStore, clock: Clock
    ) -> None:
        self._followed, self._source, self._store, self._clock = followed, source, store, clock
        self._lock = threading.Lock()
        self._kept: Mapping[str, Any] | None = None
        self._remembers = False
        self._is_away = False

    def look(self) -> None:
        """Follow what the admin service says now, and keep it; else what was kept last."""
        with self._lock:
            try:
                document = self._source.read()
                platform = platform_of(document)
            except NoAdmin:
                self._remember()
                return
            except (AdminUnavailable, Malformed) as error:
                self._say(f"{type(error).__name__}: {error}")
                self._remember()
                return
            self._say("")
            self._followed.platform = platform
            self._remembers = True
            self._keep(document)

    def _keep(self, document: Mapping[str, Any]) -> None:
        if document == self._kept:
            return
        try:
            self._store.keep(document, self._clock())
        except StoreUnavailable as error:
            # It holds all the same; it is kept when the store is back.
            log.warning("the platform's configuration could not be kept: %s", error)
        else:
            self._kept = dict(document)

    def _remember(self) -> None:
        """Once, after a start: what was kept by whoever was here before."""
        if self._remembers:
            return
        try:
            document = self._store.kept()
            if document is not None:
                self._followed.platform = platform_of(document)
                self._kept = document
            self._remembers = True
        except Malformed:
            log.warning("what was kept of the platform's configuration cannot be used")
            self._remembers = True
        except StoreUnavailable as error:
            log.warning("what was kept of the platform's configuration cannot be read: %s", error)

    def _say(self, trouble: str) -> None:
        """A line when it begins, and one when it is over."""
        if bool(trouble) != self._is_away:
            self._is_away = bool(trouble)
            if trouble:
                log.warning("the platform's last known configuration stands: %s", trouble)
            else:
                log.info("the platform's configuration is followed")
