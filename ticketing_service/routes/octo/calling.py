"""What every route of OCTO needs of a call, and how its refusals leave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import orjson
from flask import Flask, Response, request

from common.auth.policy import Caller, bearer
from common.texts import LANGUAGES
from common.web.language import negotiated
from common.web.operations import Dialect
from common.web.problems import MEDIA_TYPE, Problem, problem
from ticketing_service.actions.resale import Seller
from ticketing_service.domain.errors import Refused
from ticketing_service.domain.resellers import Reseller, Scope
from ticketing_service.routes.calling import RESELLER_KIND
from ticketing_service.schemas.documents import rendered
from ticketing_service.schemas.octo import content
from ticketing_service.schemas.octo.bookings import PATH
from ticketing_service.schemas.octo.capabilities import HEADER, Capability, asked_for, header_of
from ticketing_service.schemas.octo.errors import INVALID, OF_CODE, OctoError, error_document, status_of
from ticketing_service.schemas.octo.products import LOCALE, Asked
from ticketing_service.schemas.octo.requests import identifier

PREFIX = PATH
WHO = bearer(RESELLER_KIND)
OCTO = Dialect(OctoError, status_of)

NOTES = ("notes",)
"""Texts that may have several lines."""

Answer = tuple[bytes, dict[str, str]]


def seller_of(caller: Caller, scope: Scope) -> Seller:
    """The reseller who calls. Raises Problem 403 FORBIDDEN when its key is not for this, or it is none."""
    if caller.kind != RESELLER_KIND:
        raise problem("FORBIDDEN", "This is for resellers, who call with a key of their own.")
    if scope not in caller.claims["scopes"]:
        raise problem("FORBIDDEN", f"The key has not the scope {scope}.")
    reseller: Reseller = caller.claims["reseller"]
    return Seller(reseller=reseller, principal=caller.principal, is_test=caller.claims["is_test"])


def asked_by(reseller: Reseller) -> Asked:
    """With what the answer to the present request is made."""
    used = asked_for(request.headers.get(HEADER, ""))
    language = LOCALE
    if Capability.CONTENT in used:
        language = negotiated(request.headers.get("Accept-Language", ""), LANGUAGES)
    return Asked(reseller, language, used)


def answered(document: Any, asked: Asked) -> Answer:
    """The answer, which names what it was made with."""
    headers = {HEADER: header_of(asked.used)}
    if asked.content:
        headers |= {"Content-Language": asked.language, "Available-Languages": content.AVAILABLE}
    return rendered(document), headers


def refused(error: str, message: str, value: str | None = None) -> Problem:
    """A refusal with one of OCTO's own codes; `value`: the id that is meant."""
    facts = {INVALID[error]: value or ""} if error in INVALID else {}
    return Problem(400, error, detail=message, facts=facts)


def known_id(text: str | None, error: str) -> UUID:
    """The id in a request. Raises `error` for what cannot be one."""
    found = identifier(text)
    if found is None:
        raise refused(error, f"The {INVALID[error]} is missing or invalid.", text)
    return found


@contextmanager
def naming(**ids: str | None) -> Iterator[None]:
    """Refusals leave with OCTO's code, and the id that they are about: `ids` by member, such as productId."""
    try:
        yield
    except Refused as refusal:
        error = OF_CODE.get(refusal.code)  # type: ignore[call-overload]
        if error is None:
            raise
        value = ids.get(INVALID.get(error, ""))
        raise refused(error, refusal.detail or refusal.code.title, value) from refusal


def install_errors(app: Flask) -> None:
    """Let every problem document below our prefix leave in OCTO's shape."""

    def translate(response: Response) -> Response:
        path = request.path
        if response.mimetype == MEDIA_TYPE and (path == PREFIX or path.startswith(f"{PREFIX}/")):
            found = orjson.loads(response.get_data())
            response.status_code = status_of(response.status_code)
            response.set_data(orjson.dumps(error_document(found)))
            response.mimetype = "application/json"
        return response

    app.after_request(translate)
