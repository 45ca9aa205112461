"""A message, who takes it, and how that can fail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from common.resilience.unavailable import DependencyUnavailable


class MailUnavailable(DependencyUnavailable):
    """The mail server did not take the message now; it may later."""


class MailRefused(Exception):
    """The mail server, or the address itself, says that this message can never be delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a message; `media_type` may have parameters."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message. `id` makes its Message-ID: the same id is the same message sent again. `written_at` is its
    Date."""

    id: UUID
    to_name: str
    to_address: str
    language: str
    subject: str
    text: str
    html: str
    written_at: datetime
    attachments: tuple[Attachment, ...] = ()


class Mailer(Protocol):
    """Hands messages to a mail server."""

    def send(self, mail: Mail) -> None:
        """Raises MailUnavailable, MailRefused."""
        ...
