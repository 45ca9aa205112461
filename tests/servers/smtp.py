"""A mail server that keeps what it receives, and can be told to refuse or to hang."""

from __future__ import annotations

import asyncio
import email
import email.policy
from dataclasses import dataclass
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Literal, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers.process import eventually, free_port

Behaviour = Literal["accept", "refuse", "reject", "hang"]


@dataclass(frozen=True, slots=True)
class Received:
    """One accepted delivery: the envelope's addresses and the parsed message."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage


class SmtpServer:
    """`behaviour`: accept, refuse (451, try again), reject (550, never), hang (no answer to DATA)."""

    def __init__(self) -> None:
        self.port = free_port()
        self.behaviour: Behaviour = "accept"
        self.received: list[Received] = []
        self.attempts = 0
        self._controller: _Controller | None = None

    @property
    def url(self) -> str:
        """The value for SMTP_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    def to(self, address: str) -> list[EmailMessage]:
        """Messages accepted for an address, oldest first."""
        return [one.message for one in self.received if address in one.recipients]

    def wait_for(self, count: int, *, to: str | None = None, seconds: float = 20) -> list[EmailMessage]:
        """Wait until at least `count` messages came (for one address); return them."""

        def messages() -> list[EmailMessage]:
            return self.to(to) if to else [one.message for one in self.received]

        eventually(
            lambda: len(messages()) >= count,
            seconds=seconds,
            what=f"mail number {count} for {to or 'anybody'}",
        )
        return messages()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Take, refuse or hang on one delivery."""
        self.attempts += 1
        match self.behaviour:
            case "refuse":
                return "451 4.3.0 Try again later"
            case "reject":
                return "550 5.7.1 Never"
            case "hang":
                await asyncio.Event().wait()
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        message = email.message_from_bytes(raw, policy=email.policy.default)
        self.received.append(Received(str(envelope.mail_from), tuple(envelope.rcpt_tos), message))
        return "250 2.0.0 Ok"

    def start(self) -> Self:
        """Listen (again) on the port."""
        # A loop of our own, so that `stop` can close it: the controller leaves its own open.
        self._controller = _Controller(
            self, hostname="127.0.0.1", port=self.port, loop=asyncio.new_event_loop()
        )
        self._controller.start()
        return self

    def stop(self) -> None:
        """Refuse connections from now on; what came stays in `received`."""
        if self._controller is None:
            return
        asyncio.run_coroutine_threadsafe(self._controller.hang_up(), self._controller.loop).result(10)
        self._controller.stop(no_assert=True)
        self._controller.loop.close()
        self._controller = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Controller(Controller):
    """Knows its connections: those that are open when it stops would be left to the garbage collector."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._conversations: list[SMTP] = []

    def factory(self) -> SMTP:
        """The conversation of a new connection."""
        conversation: SMTP = super().factory()
        self._conversations.append(conversation)
        return conversation

    async def hang_up(self) -> None:
        """Accept no more, and end all connections: each has a task until it is lost."""
        assert isinstance(self.server, asyncio.Server)
        loop = asyncio.get_running_loop()
        # only then close it: a closed server fails at what it has accepted and not yet made a connection of
        for listener in self.server.sockets:
            loop.remove_reader(listener.fileno())
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for conversation in self._conversations:
                if isinstance(conversation.transport, asyncio.WriteTransport):
                    conversation.transport.abort()
            await asyncio.wait(others, timeout=0.01)
        self.server.close()
        await asyncio.sleep(0)  # what was aborted is closed in the loop's next round
