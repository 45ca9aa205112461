"""Both services on one folder: the admin service is served over HTTP, ticketing follows it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from werkzeug.serving import BaseWSGIServer, make_server

from common.auth.followed_standing import FollowedStanding
from common.clock import system_clock
from tests.http.admin.desk import Clock, Desk
from tests.http.ticketing.shop import Shop

NO_PAYMENTS = "http://127.0.0.1:9"


class Served:
    """An app behind an address; it can be away for a while."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._server: BaseWSGIServer | None = None
        self.port = 0
        self.back()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def back(self) -> None:
        """Answer, always at the same address."""
        self._server = make_server("127.0.0.1", self.port, self._desk.app, threaded=True)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def away(self) -> None:
        """Answer nobody."""
        if self._server is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None


@dataclass
class Both:
    """The two services, and the clock that both go by."""

    desk: Desk
    shop: Shop
    served: Served
    clock: Clock
    folder: Path

    @property
    def followed(self) -> FollowedStanding:
        """What ticketing knows of credentials."""
        standing = self.shop.ports.standing
        assert isinstance(standing, FollowedStanding)
        return standing

    def new_shop(self) -> Shop:
        """Another process of ticketing."""
        return open_shop(self.folder, self.served.url, self.desk, self.clock)


def open_shop(folder: Path, admin_url: str, desk: Desk, clock: Clock) -> Shop:
    return Shop(
        folder, f"sqlite:///{folder / 'ticketing.db'}", NO_PAYMENTS, clock,
        ADMIN_API_URL=admin_url, JWKS_SOURCE=f"{admin_url}/.well-known/jwks.json",
        TOKEN_ISSUER=desk.settings.token_issuer,
    )  # fmt: skip


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    # The services sign their calls by the machine's clock.
    clock = Clock(system_clock())
    desk = Desk(tmp_path, f"sqlite:///{tmp_path / 'admin.db'}", clock)
    served = Served(desk)
    shop = open_shop(tmp_path, served.url, desk, clock)
    yield Both(desk, shop, served, clock, tmp_path)
    served.away()
    shop.close()
    desk.close()
