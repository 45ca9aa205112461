"""A person's data: what is asked and what goes out."""

from __future__ import annotations

from marshmallow import fields, validate

from admin_service.actions.privacy import Outcome, Person
from admin_service.schemas.audit import EntryOut, entry_document
from admin_service.schemas.auth import SessionOut, session_document
from admin_service.schemas.media import MediaOut, media_document
from admin_service.schemas.users import UserOut, user_document
from admin_service.schemas.values import no_markup
from common.web.documents import Document
from common.web.schemas import ApiSchema
from common.web.values import EmailAddress

MAX_REASON = 500


class ExportIn(ApiSchema):
    email = EmailAddress(required=True)


class EraseIn(ApiSchema):
    """`reason`: what the person asked for, and how it was made sure who they are."""

    email = EmailAddress(required=True)
    reason = fields.String(required=True, validate=[validate.Length(1, MAX_REASON), no_markup])


class PersonOut(ApiSchema):
    """`user`: of the admin console, null for who never signed in. `bookings`: as ticketing has them."""

    user = fields.Nested(UserOut, required=True, allow_none=True)
    sessions = fields.List(fields.Nested(SessionOut), required=True)
    activity = fields.List(fields.Nested(EntryOut), required=True)
    media = fields.List(fields.Nested(MediaOut), required=True)
    bookings = fields.List(fields.Dict(), required=True)


class ErasedOut(ApiSchema):
    """`openBookings` are still to come, or money of them is still to move: ask again when that is over."""

    user = fields.Boolean(required=True)
    bookings = fields.Integer(required=True)
    open_bookings = fields.Integer(required=True)


def person_document(person: Person, media_url: str) -> Document:
    """As `PersonOut` says."""
    return {
        "user": None if person.user is None else user_document(person.user),
        "sessions": [session_document(session, None) for session in person.sessions],
        "activity": [entry_document(entry) for entry in person.entries],
        "media": [media_document(media, media_url) for media in person.media],
        "bookings": list(person.ticketing.get("bookings", ())),
    }


def outcome_document(outcome: Outcome) -> Document:
    """As `ErasedOut` says."""
    return {
        "user": outcome.user,
        "bookings": outcome.ticketing.bookings,
        "openBookings": outcome.ticketing.open_bookings,
    }
