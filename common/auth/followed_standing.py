"""The present standing of credentials, followed from the service that decides it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson

from common.auth.keyfiles import write_private
from common.auth.standing import KeyUses, Standing, read_standing, standing_document
from common.coordination.trouble import Trouble
from common.monitoring import tracing
from common.tls import trusted
from common.web.schemas import instant_text

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
TIMEOUT_SECONDS = 2.0
MAX_BYTES = 8 * 1024 * 1024
CHANGES, USES = "/api/admin/auth/changes", "/api/admin/auth/key-uses"
MOST_USES = 1000


class FollowedStanding:
    """`StandingSource` that looks at `url`, an admin service, whenever `look` is called. While that gives no
    answer the last standing stands; it is kept in `file`, so that a process that starts then has it too.

    `token` makes a service token; `uses` are told to the admin service with each look. `is_back` is called at
    the first answer after it was away.
    """

    def __init__(
        self,
        url: str,
        token: Callable[[], str],
        file: Path,
        uses: KeyUses,
        is_back: Callable[[], object] = lambda: None,
    ) -> None:
        self._url, self._token, self._file, self._uses = url.rstrip("/"), token, file, uses
        self._is_back = is_back
        self._client = httpx.Client(verify=trusted(), timeout=TIMEOUT_SECONDS, follow_redirects=False)
        self._trouble = Trouble(log, f"the admin service at {url}")
        self._one_look = threading.Lock()
        self._tag = ""
        self._standing = _kept(file)

    def current(self) -> Standing:
        """See StandingSource."""
        return self._standing

    def look(self) -> None:
        """Ask what has changed, and tell what was used. Raises nothing for an admin service that is away."""
        with self._one_look:
            try:
                self._follow()
                self._tell()
                if self._trouble.is_on:
                    self._is_back()
                self._trouble.off()
            except (httpx.HTTPError, ValueError) as error:
                self._trouble.on(error)

    def _follow(self) -> None:
        headers = {**self._headers(), "If-None-Match": self._tag}
        with self._client.stream("GET", self._url + CHANGES, headers=headers) as answer:
            if answer.status_code == 304:
                return
            answer.raise_for_status()
            content = b""
            for part in answer.iter_bytes():
                content += part
                if len(content) > MAX_BYTES:
                    raise ValueError("more than 8 MiB")
        self._standing = read_standing(orjson.loads(content))
        self._tag = answer.headers.get("ETag", "")
        self._keep()

    def _tell(self) -> None:
        uses = self._uses.taken()
        if not uses:
            return
        told = sorted(uses.items())[:MOST_USES]
        body: dict[str, Any] = {"uses": [{"id": str(key), "at": instant_text(at)} for key, at in told]}
        try:
            self._client.post(self._url + USES, json=body, headers=self._headers()).raise_for_status()
        except httpx.HTTPError:
            self._uses.give_back(uses)
            raise

    def _headers(self) -> dict[str, str]:
        return {**tracing.outgoing(), "Authorization": f"Bearer {self._token()}"}

    def _keep(self) -> None:
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._file, orjson.dumps(standing_document(self._standing)))
        except OSError as error:
            log.warning("the standing of credentials cannot be kept: %s", type(error).__name__)


def _kept(file: Path) -> Standing:
    """What an earlier process has kept; nothing where that cannot be read."""
    try:
        return read_standing(orjson.loads(file.read_bytes()))
    except (OSError, ValueError):
        return Standing()
