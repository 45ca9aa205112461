"""Signing in, going on, and signing out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from admin_service.actions.ports import Ports
from admin_service.actions.pseudonyms import subject_of
from admin_service.domain.audit import Origin
from admin_service.domain.errors import Code, Refused
from admin_service.domain.passwords import normal
from admin_service.domain.permissions import PLATFORM_ADMIN
from admin_service.domain.sessions import (
    GRACE,
    Session,
    new_refresh_token,
    refreshed_until,
    token_hash,
)
from admin_service.domain.users import User, email_hash
from admin_service.storage.ports.sessions import Turn
from common.identifiers import uuid7

AGENT_LENGTH = 200
Step = Literal["code", "enrolment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """Where somebody signs in: `agent` is what the program calls itself."""

    origin: Origin
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    email: str
    password: str
    device: Device


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """`refresh_token` is good once, for the next access token; None: the one that was given last is."""

    user: User
    session: Session
    access_token: str
    refresh_token: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepNeeded:
    """The password is right, and more is needed: a code, or first of all a second factor. `token` leads
    there.
    """

    step: Step
    token: str


def sign_in(command: SignIn, ports: Ports) -> SignedIn | StepNeeded:
    """Raises ACCOUNT_LOCKED, SIGN_IN_REFUSED: the same, after the same work, for an address that is unknown.

    Every attempt counts as failed until it has succeeded, one hash is computed whatever is found, and a
    failure is written to the audit trail either way.
    """
    now, hashed = ports.clock(), email_hash(command.email)
    ports.store.sessions.attempt(hashed, now)
    user = ports.store.users.by_email(command.email)
    password = normal(command.password)
    stored = None if user is None else user.password_hash
    is_it = ports.passwords.is_it(stored, password)
    if user is None or stored is None or not is_it or not user.is_active:
        event = ports.event(command.device.origin, "sessions.refused", subject_of(command.email, ports))
        ports.store.audit.append(event)
        raise Refused(Code.SIGN_IN_REFUSED)
    if ports.passwords.is_old(stored):
        ports.store.users.rehash(user.id, stored, ports.passwords.hashed(password))
    step = needed_step(user, ports)
    if step is None:
        return open_session(user, command.device, ports)
    ports.store.sessions.take_back(hashed)
    return StepNeeded(step=step, token=ports.access_tokens.step(user.id, step, now))


def needed_step(user: User, ports: Ports) -> Step | None:
    """What the user needs beside the password."""
    if user.factor.in_force:
        return "code"
    return "enrolment" if must_have_second_factor(user, ports) else None


def must_have_second_factor(user: User, ports: Ports) -> bool:
    """By the settings of this service, or by the platform's configuration."""
    if ports.second_factor_roles.intersection(user.roles):
        return True
    if PLATFORM_ADMIN not in user.roles:
        return False
    required: bool = ports.store.config.current().effective["signIn.mfaRequiredForAdmins"]
    return required


def open_session(user: User, device: Device, ports: Ports) -> SignedIn:
    """Begin a session of a user who has proved who it is."""
    now, refresh_token = ports.clock(), new_refresh_token()
    session = Session(
        id=uuid7(),
        user_id=user.id,
        address=device.origin.address or "",
        agent=device.agent[:AGENT_LENGTH],
        created_at=now,
        used_at=now,
        expires_at=refreshed_until(now, now),
    )
    event = ports.event(device.origin, "sessions.create", user.id, after={"sessionId": str(session.id)})
    ports.store.sessions.open(session, token_hash(refresh_token), email_hash(user.email), event)
    return _signed_in(user, session, refresh_token, ports)


def refresh(refresh_token: str, origin: Origin, ports: Ports, *, by_browser: bool = False) -> SignedIn:
    """The next access token and the next refresh token. Raises SESSION_ENDED, whatever the reason.

    `by_browser`: several tabs share the refresh token. One that another tab has used a moment ago brings an
    access token alone.
    """
    following = new_refresh_token()
    found = ports.store.sessions.refresh(
        token_hash(refresh_token),
        token_hash(following),
        ports.clock(),
        origin,
        GRACE if by_browser else timedelta(0),
    )
    if found.session is None or found.user is None:
        raise Refused(Code.SESSION_ENDED)
    is_next = found.turn is Turn.REFRESHED
    return _signed_in(found.user, found.session, following if is_next else None, ports)


def find_sessions(user_id: UUID, ports: Ports) -> tuple[Session, ...]:
    """Those that the user could go on with, the last used first."""
    return ports.store.sessions.of_user(user_id, ports.clock())


def end_session(user_id: UUID, session_id: UUID, origin: Origin, ports: Ports) -> None:
    """Raises SESSION_NOT_FOUND."""
    event = ports.event(origin, "sessions.end", user_id, after={"sessionId": str(session_id)})
    if not ports.store.sessions.end(user_id, session_id, ports.clock(), event):
        raise Refused(Code.SESSION_NOT_FOUND)


def end_sessions(user_id: UUID, keep: UUID | None, origin: Origin, ports: Ports) -> None:
    """End every session of the user but `keep`."""
    event = ports.event(origin, "sessions.end", user_id, after={"all": True})
    ports.store.sessions.end_all(user_id, keep, ports.clock(), event)


def _signed_in(user: User, session: Session, refresh_token: str | None, ports: Ports) -> SignedIn:
    access_token = ports.access_tokens.issue(user, session.id, ports.clock())
    return SignedIn(user=user, session=session, access_token=access_token, refresh_token=refresh_token)
