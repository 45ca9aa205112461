"""A person's data over both services: shown to them (GDPR article 15 and 20), or taken out (article 17)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from admin_service.actions.ports import Ports
from admin_service.actions.pseudonyms import subject_of, subjects_of
from admin_service.clients.port import Erased, TicketingUnavailable
from admin_service.domain.audit import AuditEntry, Origin
from admin_service.domain.errors import Code, Refused
from admin_service.domain.media import Media
from admin_service.domain.sessions import Session
from admin_service.domain.users import SecondFactor, User, UserStatus, email_hash
from admin_service.storage.ports.audit import AuditQuery
from admin_service.storage.ports.media import MediaQuery
from common.identifiers import uuid7

NOBODY = "erased.invalid"
"""A domain that no mail reaches (RFC 6761 section 6.4)."""

ERASURE = "erasure"
"""The task of finishing one."""

PIECE, MOST_ENTRIES = 100, 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What is known of who has an e-mail address. `ticketing`: as that service says it. `entries`: what they
    did, the newest first."""

    user: User | None
    sessions: tuple[Session, ...]
    entries: tuple[AuditEntry, ...]
    media: tuple[Media, ...]
    ticketing: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasePerson:
    email: str
    reason: str
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`user`: whether somebody who signed in here was taken out."""

    user: bool
    ticketing: Erased


def export_person(email: str, origin: Origin, ports: Ports) -> Person:
    """All of it or nothing. Raises TICKETING_UNAVAILABLE."""
    ticketing = _asked(lambda: ports.ticketing.person(email))
    user = ports.store.users.by_email(email)
    found = Person(
        user=user,
        sessions=() if user is None else ports.store.sessions.of_user(user.id, ports.clock()),
        entries=() if user is None else _entries(user, ports),
        media=() if user is None else _media(user, ports),
        ticketing=ticketing,
    )
    ports.store.audit.append(ports.event(origin, "privacy.export", subject_of(email, ports)))
    return found


def erase_person(command: ErasePerson, ports: Ports) -> Outcome:
    """May be repeated: what is done stays done, and what has become possible meanwhile is done then.

    What was done by them stays in the audit trail, by an id that names nobody any more; bookings keep their
    amounts. Raises LAST_ADMINISTRATOR, and TICKETING_UNAVAILABLE: then the worker does what is left as soon
    as ticketing answers.
    """
    user, origin = ports.store.users.by_email(command.email), command.origin
    if user is not None and origin.actor == f"access:{user.id}":
        # who takes themselves out leaves no trace of where they did it
        origin = replace(origin, address=None)
    # The user first: it can be refused, and then nothing has happened.
    if user is not None:
        nobody = replace(
            user,
            email=f"{uuid7().hex}@{NOBODY}",
            name="-",
            roles=(),
            poi_ids=None,
            status=UserStatus.DISABLED,
            password_hash=None,
            factor=SecondFactor(),
        )
        event = ports.event(origin, "users.erase", user.id, after={"reason": command.reason})
        ports.store.users.erase(nobody, email_hash(user.email), event)
    try:
        erased = finish_erasure(command.email, origin, ports)
    except TicketingUnavailable as error:
        left = {"email": command.email, "actor": origin.actor}
        ports.store.outbox.add(ERASURE, left, ports.clock())
        raise Refused(
            Code.TICKETING_UNAVAILABLE,
            "The rest is done as soon as ticketing answers; ask again to see it.",
            retry_after_seconds=error.retry_after_seconds,
        ) from error
    return Outcome(user=user is not None, ticketing=erased)


def finish_erasure(email: str, origin: Origin, ports: Ports) -> Erased:
    """What is left when there is nobody of that address here any more. Raises TicketingUnavailable."""
    erased = ports.ticketing.erase_person(email)
    after = {"bookings": erased.bookings, "openBookings": erased.open_bookings}
    event = ports.event(origin, "privacy.erase", subject_of(email, ports), after=after)
    ports.store.audit.erase(subjects_of(email, ports), event)
    return erased


def _asked(call: Any) -> Any:
    try:
        return call()
    except TicketingUnavailable as error:
        raise Refused(Code.TICKETING_UNAVAILABLE, retry_after_seconds=error.retry_after_seconds) from error


def _entries(user: User, ports: Ports) -> tuple[AuditEntry, ...]:
    found: list[AuditEntry] = []
    query = AuditQuery(actor=f"access:{user.id}", limit=PIECE)
    while len(found) < MOST_ENTRIES:
        page = ports.store.audit.page(query)
        found += [_without_others(entry, user) for entry in page.items]
        if page.next_cursor is None:
            break
        query = replace(query, cursor=page.next_cursor)
    return tuple(found)


def _without_others(entry: AuditEntry, user: User) -> AuditEntry:
    """The entry without what names somebody else."""
    if entry.event.subject == str(user.id):
        return entry
    return replace(entry, event=replace(entry.event, personal_before={}, personal_after={}))


def _media(user: User, ports: Ports) -> tuple[Media, ...]:
    found: list[Media] = []
    query = MediaQuery(uploaded_by=f"access:{user.id}", limit=PIECE)
    while True:
        page = ports.store.media.page(query)
        found += page.items
        if page.next_cursor is None:
            return tuple(found)
        query = replace(query, cursor=page.next_cursor)
