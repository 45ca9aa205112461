"""Mail to people who sign in: an invitation, or a link to choose another password. The worker sends it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Literal
from uuid import UUID

from admin_service.actions.ports import Ports
from admin_service.documents.mail_texts import write_letter
from admin_service.domain.sessions import (
    INVITE_LIFETIME,
    LINK_PAGE,
    LINK_PREFIX,
    RESET_LIFETIME,
    token_hash,
)
from admin_service.domain.users import User
from common.mail.port import Mail, MailRefused
from common.outbox.port import Permanent

Purpose = Literal["invite", "reset"]
LIFETIMES: dict[Purpose, timedelta] = {"invite": INVITE_LIFETIME, "reset": RESET_LIFETIME}


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLink:
    """`id` is the task's: its repetition sends the same link under the same Message-ID. One of `user_id` and
    `email` says to whom.
    """

    id: UUID
    purpose: Purpose
    user_id: UUID | None = None
    email: str | None = None
    written_at: datetime


def send_link(command: SendLink, ports: Ports) -> None:
    """Sends nothing to whom we do not know. Raises MailUnavailable, and Permanent for an address that can
    never be reached.
    """
    user = _addressee(command, ports)
    if user is None or not user.is_active:
        return
    lifetime = LIFETIMES[command.purpose]
    token = link_token(command.id, ports)
    ports.store.users.put_link(token_hash(token), user.id, command.purpose, command.written_at + lifetime)
    # In the fragment, which browsers send to no server.
    link = f"{ports.public_url}{LINK_PAGE}#token={token}"
    letter = write_letter(command.purpose, user.language, user.name, link, lifetime)
    mail = Mail(
        id=command.id,
        to_name=user.name,
        to_address=user.email,
        language=user.language,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        written_at=command.written_at,
    )
    try:
        ports.mailer.send(mail)
    except MailRefused as error:
        raise Permanent(str(error)) from error


def link_token(task_id: UUID, ports: Ports) -> str:
    """The token of a task's link: derived, so that a repeated task has the same one and none is stored."""
    digest = hmac.digest(ports.link_secrets.newest()[1], b"link\x00" + task_id.bytes, sha256)
    return LINK_PREFIX + digest.hex()


def _addressee(command: SendLink, ports: Ports) -> User | None:
    if command.user_id is not None:
        return ports.store.users.get(command.user_id)
    return None if command.email is None else ports.store.users.by_email(command.email)
