"""Field types that several requests share, and their limits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import fields, validate

from admin_service.domain.markup import has_markup
from common.web.field_errors import coded

MAX_NAME, MAX_PASSWORD_TEXT, MAX_TOKEN, MAX_PLACES = 200, 1000, 2000, 500


def no_markup(text: str) -> None:
    """A validator: what is shown somewhere is no HTML, however it is shown. Raises ValidationError."""
    if has_markup(text):
        raise coded("MARKUP", "Plain text only: no tags.")


def password_text(*, required: bool = True) -> fields.String:
    """What is typed as a password; what may be chosen is a matter of the business."""
    return fields.String(required=required, validate=validate.Length(1, MAX_PASSWORD_TEXT))


def token_text(*, required: bool = True) -> fields.String:
    """A token of ours."""
    return fields.String(required=required, validate=validate.Length(1, MAX_TOKEN))


def code_text(*, required: bool = True) -> fields.String:
    """Six digits."""
    return fields.String(required=required, validate=validate.Regexp(r"[0-9]{6}\Z"))


def role_list(known: Iterable[str], *, least: int = 0) -> fields.List[Any]:
    """Some of the roles `known`."""
    names = tuple(known)
    return fields.List(
        fields.String(validate=validate.OneOf(names)),
        required=True,
        validate=validate.Length(least, len(names)),
    )


def place_list() -> fields.List[Any]:
    """The places that a credential is limited to; null is any."""
    return fields.List(fields.UUID(), allow_none=True, validate=validate.Length(0, MAX_PLACES))
