"""The admin app over a real store, and a clock that the test owns."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import jwt
from marshmallow import Schema
from werkzeug.exceptions import HTTPException

from admin_service import wiring
from admin_service.app import create_app
from admin_service.storage.opening import migrate
from admin_service.tasks import handlers
from common.auth.passwords import Argon2Passwords
from common.outbox.port import Later
from common.settings import load
from common.web.api import operations_of
from common.web.operations import Operation
from tests.http.ticketing.shop import START, Clock, Reply, pointers, refusal
from tests.migrated import with_tables

__all__ = ["API", "START", "Clock", "Desk", "Reply", "pointers", "refusal"]

API = "/api/admin"
PLATFORM = "/api/platform"


class CountedPasswords(Argon2Passwords):
    """Cheap hashes; `computed` counts them."""

    def __init__(self) -> None:
        super().__init__(memory_kib=8, passes=1, lanes=1)
        self.computed = 0

    def hashed(self, password: str) -> str:
        self.computed += 1
        return super().hashed(password)

    def is_it(self, stored: str | None, password: str) -> bool:
        self.computed += 1
        return super().is_it(stored, password)


class Desk:
    """The app with a client. Every answer is held to what its route declares.

    Several on one folder and database are the processes of one service. `settings`: more of them.
    """

    def __init__(self, folder: Path, database_url: str, clock: Clock | None = None, **settings: str) -> None:
        self.clock = clock or Clock()
        environ = {
            "DATA_DIR": str(folder),
            "ADMIN_DATABASE_URL": database_url,
            "PUBLIC_URL": "http://desk.test:3001",
            # nobody: whatever else runs on this machine is not spoken to
            "TICKETING_API_URL": "http://127.0.0.1:9",
            **settings,
        }
        self.settings = load("admin", environ)
        with_tables(database_url, migrate)
        running = wiring.run_web(self.settings)
        self.passwords = CountedPasswords()
        store, coordination = running.ports.store, running.parts.coordination
        self.ports = replace(
            running.ports,
            clock=self.clock,
            passwords=self.passwords,
            standing=wiring.standing_of(store, coordination, self.clock),
        )
        # What is done beside the requests is done by those whom it concerns, when they want it.
        self.running = replace(running, ports=self.ports, beside=())
        running.parts.caches.use_clock(self.clock)
        self.app = create_app(self.settings, self.running)
        self.client = self.app.test_client(use_cookies=False)
        self._declared = {(each.name, each.method): each for each in operations_of(self.app)}

    def close(self) -> None:
        self.app.extensions["process"].end()

    def work(self) -> None:
        """Carry out what waits in the outbox, as the worker does, until there is nothing left."""
        known, outbox = handlers(self.ports), self.ports.store.outbox
        while tasks := outbox.claim(self.clock.now, self.clock.now + timedelta(seconds=30), 10):
            for task in tasks:
                try:
                    known[task.kind](task)
                    outbox.done(task.id)
                except Later:
                    outbox.failed(task.id, "later", self.clock.now)

    def token(
        self,
        *roles: str,
        subject: str | None = None,
        poi_ids: Iterable[uuid.UUID] | None = None,
        ttl: timedelta = timedelta(days=400),
        **claims: Any,
    ) -> str:
        """An access token with `roles` that outlives the test; that of a person who need not exist."""
        key_id, key = self.ports.token_keys.newest()
        now = self.clock.now
        content: dict[str, Any] = {
            "iss": self.settings.token_issuer,
            "aud": self.settings.token_audience,
            "sub": subject or str(uuid.uuid5(uuid.NAMESPACE_OID, " ".join(roles))),
            "iat": int(now.timestamp()),
            "exp": int((now + ttl).timestamp()),
            "roles": list(roles),
            "sid": str(uuid.uuid4()),
            "ver": 1,
            **claims,
        }
        if poi_ids is not None:
            content["poiIds"] = [str(poi_id) for poi_id in poi_ids]
        return jwt.encode(content, key, algorithm="EdDSA", headers={"kid": key_id, "typ": "at+jwt"})

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: str | None = None,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        **how: Any,
    ) -> Reply:
        """One request below /api/admin, or to a whole path of the service; `role` or `token` says who sends
        it.
        """
        sent = dict(headers or {})
        if role is not None:
            token = self.token(role)
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if body is not None:
            how["json"] = body
        whole = path if path.startswith(("/api/", "/.well-known/", "/admin/")) else API + path
        answer = cast(Reply, self.client.open(whole, method=method, headers=sent, **how))
        self._hold_to_declaration(answer)
        return answer

    def _hold_to_declaration(self, answer: Reply) -> None:
        operation = self._operation(answer.request.path, answer.request.method)
        assert answer.status_code < 500 or answer.status_code == 503, answer.get_data(as_text=True)
        if (
            operation is None
            or answer.status_code != operation.status
            or answer.mimetype != "application/json"
        ):
            return
        if isinstance(operation.answer, Schema):
            faults = operation.answer.validate(answer.json)
            assert not faults, f"{operation.method} {operation.rule} answers {faults}"

    def _operation(self, path: str, method: str) -> Operation | None:
        try:
            endpoint, _ = self.app.url_map.bind("desk.test").match(path, method)
        except HTTPException:
            return None
        return self._declared.get((endpoint, method))


def later(moment: datetime, **by: float) -> str:
    """`moment` moved on, as it is written in a body."""
    return (moment + timedelta(**by)).isoformat().replace("+00:00", "Z")
