"""Users: what comes in and what goes out."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from admin_service.domain.permissions import ROLES
from admin_service.domain.users import User, UserStatus
from admin_service.schemas.values import MAX_NAME, no_markup, place_list, role_list
from common.texts import LANGUAGES
from common.web.documents import Document
from common.web.schemas import ApiSchema, Instant, instant_text
from common.web.values import MAX_EMAIL, EmailAddress, Paged


class UserIn(ApiSchema):
    """A person. The password is chosen by its owner, by a link in the invitation."""

    email = EmailAddress(required=True)
    name = fields.String(required=True, validate=[validate.Length(1, MAX_NAME), no_markup])
    language = fields.String(validate=validate.OneOf(LANGUAGES))
    roles = role_list(ROLES)
    poi_ids = place_list()

    @post_load
    def changes(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        for name in ("roles", "poi_ids"):
            if values.get(name) is not None:
                values[name] = tuple(dict.fromkeys(values[name]))
        return values


class UserPatch(UserIn):
    """What is named changes."""

    status = fields.Enum(UserStatus, by_value=True)

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"partial": True, **options})


class UserSearch(Paged):
    """The query of the list; `q` is a part of address or name."""

    q = fields.String(validate=validate.Length(1, MAX_EMAIL))
    role = fields.String(validate=validate.OneOf(tuple(ROLES)))
    status = fields.Enum(UserStatus, by_value=True)


class UserOut(ApiSchema):
    """Nothing of a password, nor of a second factor but whether there is one."""

    id = fields.UUID(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True)
    language = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)
    poi_ids = fields.List(fields.UUID(), required=True, allow_none=True)
    status = fields.String(required=True)
    second_factor = fields.Boolean(required=True)
    has_password = fields.Boolean(required=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)
    last_sign_in_at = Instant(required=True, allow_none=True)
    version = fields.Integer(required=True)


class UserDetailOut(UserOut):
    """`lockedUntil`: no sign-in before, after too many that failed."""

    locked_until = Instant(required=True, allow_none=True)


def user_document(user: User) -> Document:
    """As `UserOut` says."""
    last = user.last_sign_in_at
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "language": user.language,
        "roles": user.roles,
        "poiIds": user.poi_ids,
        "status": user.status.value,
        "secondFactor": user.factor.in_force,
        "hasPassword": user.password_hash is not None,
        "createdAt": instant_text(user.created_at),
        "updatedAt": instant_text(user.updated_at),
        "lastSignInAt": None if last is None else instant_text(last),
        "version": user.version,
    }
