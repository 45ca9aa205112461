"""The admin service with people and keys in it, and for every route a call that is meant well."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from admin_service.domain.permissions import ROLES
from admin_service.domain.users import User
from admin_service.storage.sql.store import METADATA
from common.auth.service_tokens import ServiceTokens
from common.auth.shared_key import service_secrets
from tests.http.admin.desk import API, Desk, Reply, later
from tests.http.admin.people import OTHER_PASSWORD, PASSWORD, Tokens, enrolled, person, signed_in
from tests.security.admin.calls import Call
from tests.security.admin.media_calls import media_calls
from tests.security.admin.poi_calls import poi_calls
from tests.security.digest import Watch

PLACE = uuid.UUID(int=1)
KEY_OF_OPERATORS = "an operator's key of 32 characters"


class Stage:
    """A desk with a person of each role, sessions, and two keys. `root` administers the platform."""

    def __init__(self, desk: Desk, url: str) -> None:
        self.desk, self.watch = desk, Watch(url, METADATA)
        self.people: dict[str, User] = {
            role: person(desk, role, email=f"{role}@example.org", poi_ids=(PLACE,)) for role in ROLES
        }
        self.stranger = person(desk, email="stranger@example.org")
        self.subject = person(desk, email="subject@example.org")
        self.root = signed_in(desk, "platform_admin@example.org").access
        self.other = self.fresh()
        self.keys = {role: self._key(role) for role in ROLES if role != "platform_admin"}
        self.spare_key = self._key("finance")
        self.calls = _calls(self)

    def _key(self, role: str) -> dict[str, Any]:
        body = {
            "name": role, "roles": [role], "poiIds": [str(PLACE)],
            "expiresAt": later(self.desk.clock.now, days=300),
        }  # fmt: skip
        answer = self.desk.call("POST", "/api-keys", body, token=self.root)
        assert answer.status_code == 201, answer.json
        return dict(answer.json)

    def access(self, user: User, session_id: uuid.UUID | None = None) -> str:
        """An access token of the user, of a session that is nowhere."""
        stored = self.desk.ports.store.users.get(user.id)
        assert stored is not None
        return self.desk.ports.access_tokens.issue(stored, session_id or uuid.uuid4(), self.desk.clock.now)

    def service(self) -> str:
        """A token of ticketing."""
        tokens = ServiceTokens(service_secrets(self.desk.settings), self.desk.clock)
        return tokens.issue("ticketing", "admin")

    def fresh(self) -> Tokens:
        """A session of a person whom no other test knows."""
        email = f"p{uuid.uuid4().hex}@example.org"
        person(self.desk, "editor", email=email)
        return signed_in(self.desk, email)

    def send(self, call: Call, **how: Any) -> Reply:
        """The call as it is; `how` goes to the client, in the place of the body if it brings one."""
        if not how.keys() & {"data", "json"}:
            how |= body_of(call)
        if call.query:
            how["query_string"] = dict(call.query)
        return self.desk.call(call.method, call.path, headers=dict(call.headers), token=call.token, **how)

    def call(self, name: str) -> Call:
        """The call of the route `name`, such as `GET /users`, for its present state."""
        return self.calls[name]()


def body_of(call: Call) -> dict[str, Any]:
    """What the client is given for the call's body."""
    if call.data is not None:
        return {"data": call.data}
    return {} if call.body is None else {"json": call.body}


def route_name(method: str, rule: str) -> str:
    """As `Stage.calls` has it: `GET /users`."""
    return f"{method} {rule.removeprefix(API)}"


def _calls(stage: Stage) -> dict[str, Callable[[], Call]]:
    return {
        **_auth_calls(stage),
        **_own_calls(stage),
        **_govern_calls(stage),
        **poi_calls(stage),
        **media_calls(stage),
        **_plain_calls(stage),
    }


def _auth_calls(stage: Stage) -> dict[str, Callable[[], Call]]:
    def post(path: str, make: Callable[[], Any]) -> Callable[[], Call]:
        return lambda: Call(method="POST", path=f"/auth/{path}", body=make())

    def step(kind: str) -> str:
        person_ = person(stage.desk, email=f"s{uuid.uuid4().hex}@example.org")
        return stage.desk.ports.access_tokens.step(person_.id, kind, stage.desk.clock.now)

    email = "stranger@example.org"
    return {
        "POST /auth/login": post(
            "login", lambda: {"email": email, "password": PASSWORD, "refreshTokenIn": "body"}
        ),
        "POST /auth/mfa": post(
            "mfa", lambda: {"stepToken": step("code"), "code": "123456", "refreshTokenIn": "body"}
        ),
        "POST /auth/mfa/enrol": post("mfa/enrol", lambda: {"stepToken": step("enrolment")}),
        "POST /auth/mfa/confirm": post(
            "mfa/confirm",
            lambda: {"stepToken": step("enrolment"), "code": "123456", "refreshTokenIn": "body"},
        ),
        "POST /auth/refresh": post("refresh", lambda: {"refreshToken": stage.fresh().refresh}),
        "POST /auth/forgot": post("forgot", lambda: {"email": email}),
        "POST /auth/reset": post("reset", lambda: {"token": "pwt_x", "newPassword": OTHER_PASSWORD}),
    }


def _own_calls(stage: Stage) -> dict[str, Callable[[], Call]]:
    def mine(method: str, path: str, body: Any = None) -> Callable[[], Call]:
        return lambda: Call(method=method, path=f"/auth/{path}", body=body, token=stage.fresh().access)

    def with_factor(path: str) -> Callable[[], Call]:
        def make() -> Call:
            token = stage.fresh().access
            enrolled(stage.desk, token)
            return Call(method="POST", path=f"/auth/mfa/{path}", body={"password": PASSWORD}, token=token)

        return make

    def end_own() -> Call:
        tokens = stage.fresh()
        return Call(method="DELETE", path=f"/auth/sessions/{tokens.session_id}", token=tokens.access)

    change = {"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD}
    return {
        "POST /auth/logout": mine("POST", "logout"),
        "GET /auth/me": mine("GET", "me"),
        "POST /auth/password": mine("POST", "password", change),
        "POST /auth/mfa/recovery-codes": with_factor("recovery-codes"),
        "POST /auth/mfa/disable": with_factor("disable"),
        "GET /auth/sessions": mine("GET", "sessions"),
        "DELETE /auth/sessions": mine("DELETE", "sessions"),
        "DELETE /auth/sessions/<uuid:session_id>": end_own,
    }


def _govern_calls(stage: Stage) -> dict[str, Callable[[], Call]]:
    def root(method: str, path: str, **more: Any) -> Call:
        return Call(method=method, path=path, **{"token": stage.root, **more})

    def tag(user: User) -> dict[str, str]:
        stored = stage.desk.ports.store.users.get(user.id)
        assert stored is not None
        return {"If-Match": f'"{stored.version}"'}

    def new_user() -> dict[str, Any]:
        return {
            "email": f"n{uuid.uuid4().hex}@example.org", "name": "Nia", "language": "nl",
            "roles": ["editor"], "poiIds": [str(PLACE)],
        }  # fmt: skip

    def new_key() -> dict[str, Any]:
        return {
            "name": "North", "roles": ["gate"], "poiIds": [str(PLACE)],
            "expiresAt": later(stage.desk.clock.now, days=3),
        }  # fmt: skip

    user, key = f"/users/{stage.subject.id}", f"/api-keys/{stage.spare_key['id']}"
    search = {"limit": "5", "q": "a", "role": "editor", "status": "active"}
    patch = {"name": "Other", "status": "active", "language": "de", "roles": ["editor"]}
    return {
        "GET /users": lambda: root("GET", "/users", query=search),
        "POST /users": lambda: root("POST", "/users", body=new_user()),
        "GET /users/<uuid:user_id>": lambda: root("GET", user),
        "PATCH /users/<uuid:user_id>": lambda: root("PATCH", user, body=patch, headers=tag(stage.subject)),
        "DELETE /users/<uuid:user_id>": lambda: root("DELETE", user, headers=tag(stage.subject)),
        "POST /users/<uuid:user_id>/unlock": lambda: root("POST", f"{user}/unlock"),
        "DELETE /users/<uuid:user_id>/mfa": lambda: root("DELETE", f"{user}/mfa"),
        "GET /users/<uuid:user_id>/sessions": lambda: root("GET", f"{user}/sessions"),
        "DELETE /users/<uuid:user_id>/sessions": lambda: root("DELETE", f"{user}/sessions"),
        "GET /api-keys": lambda: root("GET", "/api-keys", query={"limit": "5"}),
        "POST /api-keys": lambda: root("POST", "/api-keys", body=new_key()),
        "GET /api-keys/<uuid:key_id>": lambda: root("GET", key),
        "DELETE /api-keys/<uuid:key_id>": lambda: root("DELETE", key),
        "GET /auth/changes": lambda: Call(method="GET", path="/auth/changes", token=stage.service()),
        "POST /auth/key-uses": lambda: Call(
            method="POST", path="/auth/key-uses", token=stage.service(),
            body={"uses": [{"id": stage.keys["gate"]["id"], "at": later(stage.desk.clock.now)}]},
        ),
    }  # fmt: skip


def _plain_calls(stage: Stage) -> dict[str, Callable[[], Call]]:
    token = stage.access(stage.people["operator"])

    def call(method: str, path: str, **more: Any) -> Callable[[], Call]:
        return lambda: Call(method=method, path=path, **more)

    names = "health ready live info metrics metrics/prometheus circuit-breakers cache/stats"
    mode = {"mode": "automatic", "reason": "a test", "until": "2100-01-01T00:00:00Z"}
    breaker = "/monitoring/circuit-breakers"
    return {
        **{f"GET /monitoring/{name}": call("GET", f"/monitoring/{name}") for name in names.split()},
        "GET /openapi.json": call("GET", "/openapi.json"),
        "GET /docs": call("GET", "/docs"),
        "GET /.well-known/jwks.json": call("GET", "/.well-known/jwks.json"),
        "GET /admin/password": call("GET", "/admin/password", query={"lang": "nl"}),
        "POST /monitoring/metrics/reset": call("POST", "/monitoring/metrics/reset", token=token),
        f"PUT {breaker}/<name>": call("PUT", f"{breaker}/mail", body=mode, token=token),
        f"POST {breaker}/<name>/reset": call("POST", f"{breaker}/mail/reset", token=token),
        f"POST {breaker}/reset-all": call("POST", f"{breaker}/reset-all", token=token),
        "POST /monitoring/cache/flush": call(
            "POST", "/monitoring/cache/flush", body={"region": "pois"}, token=token
        ),
    }
