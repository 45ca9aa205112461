"""What is one's own: password, second factor, sessions."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from admin_service.actions import passwords, second_factor, sign_in
from admin_service.actions.passwords import ChangePassword
from admin_service.domain.users import User
from admin_service.routes.auth import sign_in_answer
from admin_service.routes.calling import (
    PREFIX,
    SIGNED_IN,
    PortsSource,
    device_of,
    origin_of,
    session_of,
    user_of,
)
from admin_service.routes.cookies import RefreshCookie
from admin_service.schemas.auth import (
    BODY,
    ChangePasswordIn,
    ConfirmIn,
    EnrolIn,
    EnrolmentOut,
    ForgotIn,
    PasswordIn,
    RecoveryCodesOut,
    ResetIn,
    SessionList,
    SignInOut,
    enrolment_document,
    session_document,
)
from common.auth.policy import ACCESS_KIND, Caller, anyone
from common.web.api import Api
from common.web.documents import rendered
from common.web.problems import problem

_CHOICE = ("PASSWORD_TOO_SHORT", "PASSWORD_TOO_LONG", "PASSWORD_TOO_COMMON")
_PROOF = ("PASSWORD_WRONG", "ACCOUNT_LOCKED")
_ENROLLING = "enrolment"


def account_api(ports: PortsSource, cookie: RefreshCookie) -> Api:
    api = Api("account", f"{PREFIX}/auth", tag="auth")
    _add_passwords(api, ports)
    _add_second_factor(api, ports, cookie)
    _add_sessions(api, ports)
    return api


def _add_passwords(api: Api, ports: PortsSource) -> None:
    @api.route(
        "POST", "/password", who=SIGNED_IN, body=ChangePasswordIn, status=204, problems=(*_CHOICE, *_PROOF),
        summary="Choose another password; one's other sessions end",
    )  # fmt: skip
    def change(body: dict[str, Any], caller: Caller) -> None:
        command = ChangePassword(
            user=user_of(caller, ports()),
            session_id=session_of(caller),
            current=body["current_password"],
            new=body["new_password"],
            origin=origin_of(caller),
        )
        passwords.change_password(command, ports())

    @api.route(
        "POST", "/forgot", who=anyone(), body=ForgotIn, status=202,
        summary="Have a link sent to choose another password; the answer is always the same",
    )  # fmt: skip
    def forgot(body: dict[str, Any]) -> dict[str, str]:
        passwords.ask_for_link(body["email"], ports())
        return {"status": "accepted"}

    @api.route(
        "POST", "/reset", who=anyone(), body=ResetIn, status=204, problems=("LINK_ENDED", *_CHOICE),
        summary="Choose a password by the link of a mail; every session ends",
    )  # fmt: skip
    def reset(body: dict[str, Any], caller: Caller) -> None:
        passwords.choose_by_link(body["token"], body["new_password"], origin_of(caller), ports())


def _add_second_factor(api: Api, ports: PortsSource, cookie: RefreshCookie) -> None:
    @api.route(
        "POST", "/mfa/enrol", who=anyone(), body=EnrolIn, answer=EnrolmentOut,
        problems=("SIGN_IN_STEP_ENDED", *_PROOF),
        summary="Begin a second factor: a secret for an authenticator app",
    )  # fmt: skip
    def enrol(body: dict[str, Any], caller: Caller) -> bytes:
        user = _enrolling(body, caller, ports)
        enrolment = second_factor.begin_enrolment(user, body.get("password"), ports())
        return rendered(enrolment_document(enrolment))

    @api.route(
        "POST", "/mfa/confirm", who=anyone(), body=ConfirmIn, answer=SignInOut,
        problems=("SIGN_IN_STEP_ENDED", "CODE_REFUSED", "SECOND_FACTOR_ABSENT"),
        summary="The first code of the app: the second factor is in force; shows the recovery codes",
    )  # fmt: skip
    def confirm(body: dict[str, Any], caller: Caller) -> Response:
        user = _enrolling(body, caller, ports)
        codes = second_factor.confirm_enrolment(user, body["code"], origin_of(caller), ports())
        if body.get("step_token") is None:
            return Response(rendered({"recoveryCodes": codes}), content_type="application/json")
        found = sign_in.open_session(user, device_of(caller), ports())
        in_body = body["refresh_token_in"] == BODY
        return sign_in_answer(found, cookie, in_body=in_body, recovery_codes=codes)

    @api.route(
        "POST", "/mfa/recovery-codes", who=SIGNED_IN, body=PasswordIn, answer=RecoveryCodesOut,
        problems=("SECOND_FACTOR_ABSENT", *_PROOF), summary="New recovery codes in the place of the others",
    )  # fmt: skip
    def renew(body: dict[str, Any], caller: Caller) -> bytes:
        user, origin = user_of(caller, ports()), origin_of(caller)
        codes = second_factor.renew_recovery_codes(user, body["password"], origin, ports())
        return rendered({"recoveryCodes": codes})

    @api.route(
        "POST", "/mfa/disable", who=SIGNED_IN, body=PasswordIn, status=204,
        problems=("SECOND_FACTOR_ABSENT", "SECOND_FACTOR_NEEDED", "PASSWORD_TOO_SHORT", *_PROOF),
        summary="Give up the second factor",
    )  # fmt: skip
    def disable(body: dict[str, Any], caller: Caller) -> None:
        second_factor.turn_off(user_of(caller, ports()), body["password"], origin_of(caller), ports())


def _add_sessions(api: Api, ports: PortsSource) -> None:
    @api.route("GET", "/sessions", who=SIGNED_IN, answer=SessionList, summary="Where one is signed in")
    def find(caller: Caller) -> bytes:
        found = sign_in.find_sessions(user_of(caller, ports()).id, ports())
        current = caller.claims.get("sid")
        return rendered({"data": [session_document(each, current) for each in found]})

    @api.route(
        "DELETE", "/sessions/<uuid:session_id>", who=SIGNED_IN, status=204, problems=("SESSION_NOT_FOUND",),
        summary="End one of one's sessions",
    )  # fmt: skip
    def end(session_id: UUID, caller: Caller) -> None:
        sign_in.end_session(user_of(caller, ports()).id, session_id, origin_of(caller), ports())

    @api.route("DELETE", "/sessions", who=SIGNED_IN, status=204, summary="End one's other sessions")
    def end_others(caller: Caller) -> None:
        user, keep = user_of(caller, ports()), session_of(caller)
        sign_in.end_sessions(user.id, keep, origin_of(caller), ports())


def _enrolling(body: dict[str, Any], caller: Caller, ports: PortsSource) -> User:
    """Who has signed in, or is about to and must have a second factor first. Raises Problem 401."""
    token = body.get("step_token")
    if token is not None:
        return second_factor.user_at_step(token, _ENROLLING, ports())
    if caller.kind != ACCESS_KIND:
        raise problem("UNAUTHENTICATED", headers={"WWW-Authenticate": "Bearer"})
    return user_of(caller, ports())
