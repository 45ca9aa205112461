"""Signing in: what comes in and what goes out."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from admin_service.actions.second_factor import Enrolment
from admin_service.actions.sign_in import SignedIn, StepNeeded
from admin_service.domain.permissions import PERMISSIONS, PLATFORM_ADMIN
from admin_service.domain.sessions import ACCESS_LIFETIME, Session
from admin_service.domain.users import User
from admin_service.schemas.users import UserOut, user_document
from admin_service.schemas.values import code_text, password_text, token_text
from common.web.documents import Document
from common.web.schemas import ApiSchema, Instant, instant_text
from common.web.values import EmailAddress

COOKIE, BODY = "cookie", "body"


class Transport(ApiSchema):
    """`refreshToken`: where the refresh token goes, into a cookie that scripts cannot read, or the body."""

    refresh_token_in = fields.String(load_default=COOKIE, validate=validate.OneOf((COOKIE, BODY)))


class SignInIn(Transport):
    """An address and its password."""

    email = EmailAddress(required=True)
    password = password_text()


class SecondStepIn(Transport):
    """The second step: a code of the app, or a recovery code."""

    step_token = token_text()
    code = code_text(required=False)
    recovery_code = fields.String(validate=validate.Length(1, 40))

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if len({"code", "recovery_code"} & data.keys()) != 1:
            raise ValidationError("A code or a recovery code.", "code")


class RefreshIn(ApiSchema):
    """Browsers send an empty object and the cookie; others the token, and get the next one in the body."""

    refresh_token = token_text(required=False)


class EnrolIn(ApiSchema):
    """`password`: of who has signed in, as a stolen session must not be able to set up a second factor.
    `stepToken`: of who is signing in and must have a second factor first; it proves the password.
    """

    step_token = token_text(required=False)
    password = password_text(required=False)

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if len(data) != 1:
            raise ValidationError("The password, or the step's token.", "password")


class ConfirmIn(Transport):
    """The first code of the app; `stepToken` as for the enrolment."""

    step_token = token_text(required=False)
    code = code_text()


class PasswordIn(ApiSchema):
    """One's own password, to prove who one is."""

    password = password_text()


class ChangePasswordIn(ApiSchema):
    current_password = password_text()
    new_password = password_text()


class ForgotIn(ApiSchema):
    email = EmailAddress(required=True)


class ResetIn(ApiSchema):
    """`token` is the one in the link."""

    token = token_text()
    new_password = password_text()


class SignInOut(ApiSchema):
    """Either an access token, or what is still needed: `step` is `code` or `enrolment`, and `stepToken` leads
    there. `expiresIn` are seconds.
    """

    access_token = fields.String()
    expires_in = fields.Integer()
    refresh_token = fields.String()
    session_id = fields.UUID()
    user = fields.Nested(UserOut)
    recovery_codes = fields.List(fields.String())
    step = fields.String()
    step_token = fields.String()


class EnrolmentOut(ApiSchema):
    """`uri` is to be shown as a QR code; it changes nothing before the first code is confirmed."""

    secret = fields.String(required=True)
    uri = fields.String(required=True)


class RecoveryCodesOut(ApiSchema):
    """Shown this once."""

    recovery_codes = fields.List(fields.String(), required=True)


class MeOut(ApiSchema):
    user = fields.Nested(UserOut, required=True)
    permissions = fields.List(fields.String(), required=True)
    recovery_codes_left = fields.Integer(required=True)


class SessionOut(ApiSchema):
    """`current`: the one that asks."""

    id = fields.UUID(required=True)
    address = fields.String(required=True)
    agent = fields.String(required=True)
    created_at = Instant(required=True)
    used_at = Instant(required=True)
    expires_at = Instant(required=True)
    current = fields.Boolean(required=True)


class SessionList(ApiSchema):
    data = fields.List(fields.Nested(SessionOut), required=True)


def sign_in_document(found: SignedIn | StepNeeded, *, in_body: bool) -> Document:
    """As `SignInOut` says."""
    if isinstance(found, StepNeeded):
        return {"step": found.step, "stepToken": found.token}
    document = {
        "accessToken": found.access_token,
        "expiresIn": int(ACCESS_LIFETIME.total_seconds()),
        "sessionId": found.session.id,
        "user": user_document(found.user),
    }
    return {**document, "refreshToken": found.refresh_token} if in_body else document


def enrolment_document(enrolment: Enrolment) -> Document:
    """As `EnrolmentOut` says."""
    return {"secret": enrolment.secret, "uri": enrolment.uri}


def me_document(user: User) -> Document:
    """As `MeOut` says."""
    permissions = [
        name
        for name, held_by in PERMISSIONS.items()
        if PLATFORM_ADMIN in user.roles or set(held_by) & set(user.roles)
    ]
    return {
        "user": user_document(user),
        "permissions": permissions,
        "recoveryCodesLeft": len(user.factor.recovery_hashes),
    }


def session_document(session: Session, current: str | None) -> Document:
    """As `SessionOut` says. `current`: the id of the one that asks."""
    return {
        "id": session.id,
        "address": session.address,
        "agent": session.agent,
        "createdAt": instant_text(session.created_at),
        "usedAt": instant_text(session.used_at),
        "expiresAt": instant_text(session.expires_at),
        "current": str(session.id) == current,
    }
