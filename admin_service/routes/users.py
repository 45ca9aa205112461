"""People who sign in, for those who govern."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request

from admin_service.actions import second_factor, sign_in, users
from admin_service.actions.users import ChangeUser, CreateUser
from admin_service.domain.users import User, email_hash
from admin_service.routes.calling import PREFIX, PortsSource, allowed, keyed, origin_of
from admin_service.schemas.auth import SessionList, session_document
from admin_service.schemas.users import (
    UserDetailOut,
    UserIn,
    UserOut,
    UserPatch,
    UserSearch,
    user_document,
)
from admin_service.storage.ports.users import UserQuery
from common.auth.policy import Caller
from common.web.api import Api
from common.web.documents import page_document, rendered
from common.web.etag import etag, require_if_match
from common.web.idempotency import Idempotency
from common.web.paging import page_of
from common.web.schemas import instant_text

_READ, _WRITE = allowed("users:read"), allowed("users:write")
_UNKNOWN = ("USER_NOT_FOUND",)
_CHANGE = ("USER_NOT_FOUND", "VERSION_CONFLICT", "EMAIL_TAKEN", "LAST_ADMINISTRATOR")


def users_api(ports: PortsSource) -> Api:
    api = Api("users", f"{PREFIX}/users")

    @api.route(
        "GET", "", who=_READ, query=UserSearch, answer=page_of(UserOut), summary="All users, by address"
    )
    def find(query: dict[str, Any]) -> bytes:
        text = query.pop("q", None)
        page = users.find_users(UserQuery(text=text, **query), ports())
        return rendered(page_document(page, [user_document(each) for each in page.items]))

    @api.route(
        "POST", "", who=_WRITE, body=UserIn, answer=UserOut, status=201, idempotency="accepted",
        problems=("EMAIL_TAKEN",), summary="Invite somebody, who chooses a password by mail",
    )  # fmt: skip
    def create(body: dict[str, Any], caller: Caller, idempotency: Idempotency | None) -> Any:
        command = CreateUser(**body, origin=origin_of(caller), idempotency=keyed(idempotency, _created))
        return _created(users.create_user(command, ports()))

    @api.route(
        "GET", "/<uuid:user_id>", who=_READ, answer=UserDetailOut, problems=_UNKNOWN, summary="One user"
    )
    def read(user_id: UUID) -> Any:
        user = users.find_user(user_id, ports())
        locked = ports().store.sessions.locked_until(email_hash(user.email), ports().clock())
        shown = {**user_document(user), "lockedUntil": None if locked is None else instant_text(locked)}
        return rendered(shown), {"ETag": etag(user.version)}

    @api.route(
        "PATCH", "/<uuid:user_id>", who=_WRITE, body=UserPatch, answer=UserOut, if_match=True,
        problems=_CHANGE, summary="Change a user; other privileges hold within seconds",
    )  # fmt: skip
    def change(user_id: UUID, body: dict[str, Any], caller: Caller) -> Any:
        command = ChangeUser(
            user_id=user_id,
            expected_version=require_if_match(request.headers),
            changes=body,
            origin=origin_of(caller),
        )
        return _written(users.change_user(command, ports()))

    @api.route(
        "DELETE", "/<uuid:user_id>", who=_WRITE, status=204, if_match=True, problems=_CHANGE,
        summary="Disable a user, for good or until the status is changed again",
    )  # fmt: skip
    def disable(user_id: UUID, caller: Caller) -> None:
        version = require_if_match(request.headers)
        users.disable_user(user_id, version, origin_of(caller), ports())

    _add_help(api, ports)
    return api


def _add_help(api: Api, ports: PortsSource) -> None:
    """What is done for a user in need."""

    @api.route(
        "POST", "/<uuid:user_id>/unlock", who=_WRITE, status=204, problems=_UNKNOWN,
        summary="Let a user sign in again after too many failures",
    )  # fmt: skip
    def unlock(user_id: UUID, caller: Caller) -> None:
        users.unlock_user(user_id, origin_of(caller), ports())

    @api.route(
        "DELETE", "/<uuid:user_id>/mfa", who=_WRITE, status=204, problems=_UNKNOWN,
        summary="Take a lost second factor away",
    )  # fmt: skip
    def take_factor(user_id: UUID, caller: Caller) -> None:
        second_factor.reset_for(user_id, origin_of(caller), ports())

    @api.route(
        "GET", "/<uuid:user_id>/sessions", who=_READ, answer=SessionList, problems=_UNKNOWN,
        summary="Where a user is signed in",
    )  # fmt: skip
    def find_sessions(user_id: UUID, caller: Caller) -> bytes:
        users.find_user(user_id, ports())
        found = sign_in.find_sessions(user_id, ports())
        current = caller.claims.get("sid")
        return rendered({"data": [session_document(each, current) for each in found]})

    @api.route(
        "DELETE", "/<uuid:user_id>/sessions", who=_WRITE, status=204, problems=_UNKNOWN,
        summary="End every session of a user",
    )  # fmt: skip
    def end_sessions(user_id: UUID, caller: Caller) -> None:
        users.find_user(user_id, ports())
        sign_in.end_sessions(user_id, None, origin_of(caller), ports())


def _written(user: User) -> tuple[bytes, dict[str, str]]:
    return rendered(user_document(user)), {"ETag": etag(user.version)}


def _created(user: User) -> tuple[bytes, dict[str, str]]:
    body, headers = _written(user)
    return body, {**headers, "Location": f"{PREFIX}/users/{user.id}"}
