"""Signing in, going on and signing out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response, request

from admin_service.actions import second_factor, sign_in
from admin_service.actions.second_factor import FinishSignIn
from admin_service.actions.sign_in import SignedIn, SignIn, StepNeeded
from admin_service.domain.errors import Code, Refused
from admin_service.metrics import AdminMetrics
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
    MeOut,
    RefreshIn,
    SecondStepIn,
    SignInIn,
    SignInOut,
    me_document,
    sign_in_document,
)
from common.auth.policy import Caller, anyone
from common.refusals import RefusalCode
from common.web.api import Api
from common.web.documents import rendered

_OUTCOMES: dict[RefusalCode, str] = {
    Code.SIGN_IN_REFUSED: "refused",
    Code.CODE_REFUSED: "refused",
    Code.ACCOUNT_LOCKED: "locked",
}


def auth_api(ports: PortsSource, metrics: AdminMetrics, cookie: RefreshCookie) -> Api:
    api = Api("auth", f"{PREFIX}/auth")

    def answered(found: SignedIn | StepNeeded, body: dict[str, Any]) -> Response:
        metrics.login("success" if isinstance(found, SignedIn) else found.step)
        return sign_in_answer(found, cookie, in_body=body["refresh_token_in"] == BODY)

    @api.route(
        "POST", "/login", who=anyone(), body=SignInIn, answer=SignInOut,
        problems=("SIGN_IN_REFUSED", "ACCOUNT_LOCKED"), summary="Sign in with address and password",
    )  # fmt: skip
    def login(body: dict[str, Any], caller: Caller) -> Response:
        command = SignIn(email=body["email"], password=body["password"], device=device_of(caller))
        with _counted(metrics):
            found = sign_in.sign_in(command, ports())
        return answered(found, body)

    @api.route(
        "POST", "/mfa", who=anyone(), body=SecondStepIn, answer=SignInOut,
        problems=("SIGN_IN_STEP_ENDED", "ACCOUNT_LOCKED", "CODE_REFUSED"),
        summary="The second step of signing in: a code, or a recovery code",
    )  # fmt: skip
    def finish(body: dict[str, Any], caller: Caller) -> Response:
        command = FinishSignIn(
            token=body["step_token"],
            code=body.get("code"),
            recovery_code=body.get("recovery_code"),
            device=device_of(caller),
        )
        with _counted(metrics):
            found = second_factor.finish_sign_in(command, ports())
        return answered(found, body)

    @api.route(
        "POST", "/refresh", who=anyone(), body=RefreshIn, answer=SignInOut, problems=("SESSION_ENDED",),
        summary="The next access token, for a refresh token that is used up by it",
    )  # fmt: skip
    def refresh(body: dict[str, Any], caller: Caller) -> Response:
        given = body.get("refresh_token")
        token = given or cookie.of(request)
        if token is None:
            raise Refused(Code.SESSION_ENDED)
        found = sign_in.refresh(token, origin_of(caller), ports(), by_browser=given is None)
        return sign_in_answer(found, cookie, in_body=given is not None)

    @api.route("POST", "/logout", who=SIGNED_IN, status=204, summary="End this session")
    def logout(caller: Caller) -> Response:
        user, session_id = user_of(caller, ports()), session_of(caller)
        if session_id is not None:
            sign_in.end_session(user.id, session_id, origin_of(caller), ports())
        response = Response(status=204)
        cookie.clear(response)
        return response

    @api.route("GET", "/me", who=SIGNED_IN, answer=MeOut, summary="Who one is, and what one may do")
    def me(caller: Caller) -> bytes:
        return rendered(me_document(user_of(caller, ports())))

    return api


def sign_in_answer(
    found: SignedIn | StepNeeded,
    cookie: RefreshCookie,
    *,
    in_body: bool,
    recovery_codes: tuple[str, ...] = (),
) -> Response:
    """The tokens, the one for refreshing in the body or in the cookie."""
    document = sign_in_document(found, in_body=in_body)
    if recovery_codes:
        document["recoveryCodes"] = recovery_codes
    response = Response(rendered(document), content_type="application/json")
    if isinstance(found, SignedIn) and found.refresh_token is not None and not in_body:
        cookie.set(response, found.refresh_token)
    return response


@contextmanager
def _counted(metrics: AdminMetrics) -> Iterator[None]:
    """Counts what is refused within the block."""
    try:
        yield
    except Refused as refused:
        outcome = _OUTCOMES.get(refused.code)
        if outcome is not None:
            metrics.login(outcome)
        raise
