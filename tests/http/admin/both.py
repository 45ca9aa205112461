"""Both services beside each other, as they run: each asks the other over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from admin_service.clients.ticketing import HttpTicketing
from common.auth.service_tokens import ServiceTokens
from common.auth.shared_key import service_secrets
from common.clock import system_clock
from tests.http.admin.desk import Desk
from tests.http.ticketing.shop import Clock, Shop
from ticketing_service.actions.following import Follower
from ticketing_service.clients.admin import HttpPlatformSource

UNHURRIED_SECONDS = 10.0
"""On a busy machine an answer takes longer than one service waits for the other."""
KEY = "the key that both services share: 32"


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The app behind a real server; its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Both:
    """`shop` is ticketing, `desk` is admin; both live by one clock."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock(system_clock())
        database = f"sqlite:///{folder / 'store.db'}"
        (folder / "shop").mkdir()
        (folder / "desk").mkdir()
        nobody = "http://127.0.0.1:9"
        self.shop = Shop(folder / "shop", database, nobody, self.clock, SERVICE_KEY=KEY)
        self._shop_served = served(self.shop.app)
        shop_url = self._shop_served.__enter__()
        self.desk = Desk(folder / "desk", database, self.clock, SERVICE_KEY=KEY, TICKETING_API_URL=shop_url)
        self._desk_served = served(self.desk.app)
        desk_url = self._desk_served.__enter__()
        tokens = ServiceTokens(service_secrets(self.shop.settings), self.clock)
        self.ticketing = HttpTicketing(shop_url, tokens)
        guarded: Any = self.desk.ports.ticketing
        guarded._ticketing = self.ticketing
        self.source = HttpPlatformSource(desk_url, tokens)
        for asking in (self.ticketing._client, self.source._client):
            asking._connect_seconds = asking._read_seconds = UNHURRIED_SECONDS
        ports = self.shop.ports
        self.follower = Follower(ports.followed, self.source, ports.store.platform, self.clock)

    def close(self) -> None:
        self.source.close()
        self.ticketing.close()
        self._desk_served.__exit__(None, None, None)
        self._shop_served.__exit__(None, None, None)
        self.desk.close()
        self.shop.close()
