"""Passwords: changed by their owner, or chosen anew by a link in a mail."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from admin_service.actions.ports import Ports
from admin_service.actions.sign_in import needed_step
from admin_service.domain.audit import Origin
from admin_service.domain.errors import Code, Refused
from admin_service.domain.passwords import check_choice, normal
from admin_service.domain.sessions import token_hash
from admin_service.domain.users import User, email_hash, email_key
from common.web.idempotency import Answer, Idempotency, Replayed

MAILS_PER_HOUR = 3
_SCOPE = "reset-mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePassword:
    """`session_id` is the one that goes on; the user's others end."""

    user: User
    session_id: UUID | None
    current: str
    new: str
    origin: Origin


def change_password(command: ChangePassword, ports: Ports) -> None:
    """Raises PASSWORD_WRONG, ACCOUNT_LOCKED, and what `check_choice` raises."""
    user, new = command.user, normal(command.new)
    _check(user, new, ports)
    prove_password(user, command.current, ports)
    event = ports.event(command.origin, "users.password", user.id)
    ports.store.users.set_password(user.id, ports.passwords.hashed(new), command.session_id, event)


def prove_password(user: User, password: str, ports: Ports) -> None:
    """Raise PASSWORD_WRONG when it is not the user's; counted as a sign-in, so that a stolen session cannot
    try many. Raises ACCOUNT_LOCKED.
    """
    hashed = email_hash(user.email)
    ports.store.sessions.attempt(hashed, ports.clock())
    if not ports.passwords.is_it(user.password_hash, normal(password)):
        raise Refused(Code.PASSWORD_WRONG)
    ports.store.sessions.take_back(hashed)


def ask_for_link(email: str, ports: Ports) -> None:
    """Have the worker send a link, at most three times an hour to one address, known or not.

    Whether there is anybody to send it to the worker alone finds out, so that neither answer nor time tell.
    The limit is kept by three idempotency keys for each address and hour, one for each mail.
    """
    now = ports.clock()
    hour = now.strftime("%Y-%m-%dT%H")
    for number in range(MAILS_PER_HOUR):
        name = f"{email_key(email)}\n{hour}\n{number}"
        key = Idempotency(_SCOPE, sha256(name.encode()).hexdigest(), b"\x00" * 32, now, _nothing)
        with suppress(Replayed):
            ports.store.outbox.add("mail", {"template": "reset", "email": email}, now, idempotency=key)
            return


def choose_by_link(token: str, password: str, origin: Origin, ports: Ports) -> None:
    """Raises LINK_ENDED, and what `check_choice` raises: then the link stays good."""
    new = normal(password)
    user = ports.store.users.by_link(token_hash(token), ports.clock())
    if user is None:
        raise Refused(Code.LINK_ENDED)
    _check(user, new, ports)
    event = ports.event(origin, "users.password", "link")
    if not ports.store.users.spend_link(token_hash(token), ports.passwords.hashed(new), ports.clock(), event):
        raise Refused(Code.LINK_ENDED)


def _check(user: User, password: str, ports: Ports) -> None:
    """Raise what `check_choice` raises for a password that `user` would choose."""
    alone = needed_step(user, ports) is None
    check_choice(password, (user.email, user.name), "/newPassword", alone=alone)


def _nothing(_: Any, /) -> Answer:
    return Answer(202, b"", ())
