"""Sending mail: to a server (SMTP, RFC 5321), or into a folder when there is none."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Callable
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from urllib.parse import unquote, urlsplit

from common.auth.keyfiles import write_private
from common.mail.port import Attachment, Mail, Mailer, MailRefused, MailUnavailable

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10.0
DEFAULT_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_PERMANENT = range(500, 600)
# What a server answers to us, not to this message: credentials and policy that an operator can put right.
_OURS = frozenset({530, 534, 535, 538})


class SmtpMailer:
    """`Mailer` to the server of `smtp_url`: `smtp://`, `smtp+starttls://` or `smtps://user:password@host:port`.

    One connection a message: a worker sends few, and none is left to go stale.
    """

    def __init__(self, smtp_url: str, mail_from: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        parts = urlsplit(smtp_url)
        self._scheme, self._host = parts.scheme, parts.hostname or "localhost"
        self._port = parts.port or DEFAULT_PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._from = _sender(mail_from)
        self._timeout = timeout_seconds

    def send(self, mail: Mail) -> None:
        """Hand the message over. Raises MailUnavailable, MailRefused."""
        message = compose(mail, self._from)
        try:
            with self._connect() as server:
                server.send_message(message)
        except smtplib.SMTPNotSupportedError as error:
            raise MailRefused(f"the address needs what the server cannot do: {error}") from error
        except smtplib.SMTPRecipientsRefused as error:
            answers = [code for code, _ in error.recipients.values()]
            raise _failure(min(answers, default=450), "recipient refused") from error
        except smtplib.SMTPResponseException as error:
            raise _failure(error.smtp_code, str(error.smtp_error)) from error
        except (smtplib.SMTPException, OSError) as error:
            raise MailUnavailable(f"{type(error).__name__}: {error}") from error

    def _connect(self) -> smtplib.SMTP:
        # Our name in the greeting; without one smtplib would look up this machine's, however long it takes.
        us = self._from.domain
        if self._scheme == "smtps":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, us, timeout=self._timeout, context=context
            )
        else:
            server = smtplib.SMTP(self._host, self._port, us, timeout=self._timeout)
        try:
            if self._scheme == "smtp+starttls":
                server.starttls(context=ssl.create_default_context())
            if self._user:
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server


class FolderMailer:
    """`Mailer` for a machine without a mail server: each message becomes an .eml file that only its owner
    reads.
    """

    def __init__(self, folder: Path, mail_from: str) -> None:
        self._folder = folder
        self._from = _sender(mail_from)

    def send(self, mail: Mail) -> None:
        """Write the message, whole or not at all; a repeat takes the place of the first.

        Raises MailUnavailable, MailRefused.
        """
        content = compose(mail, self._from).as_bytes()
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"{mail.written_at:%Y%m%dT%H%M%S}-{mail.id}.eml"
            write_private(path, content)
        except OSError as error:
            raise MailUnavailable(f"{self._folder}: {error}") from error
        log.info("mail written to %s", path)


def open_mailer(smtp_url: str, mail_from: str, data_dir: Path) -> Mailer:
    """The mailer to the server of `smtp_url`; without one, into `data_dir`/mail."""
    if smtp_url:
        return SmtpMailer(smtp_url, mail_from)
    return FolderMailer(data_dir / "mail", mail_from)


def compose(mail: Mail, sender: Address) -> EmailMessage:
    """The message as it travels (RFC 5322, UTF-8, text and HTML alternatives).

    Raises MailRefused for an address that cannot be one.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = _address(mail.to_name, mail.to_address)
    message["Subject"] = _line(mail.subject)
    message["Date"] = format_datetime(mail.written_at)
    message["Message-ID"] = f"<{mail.id}@{sender.domain or 'localhost'}>"
    message["Content-Language"] = mail.language
    # Nobody's out-of-office note is to answer (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    for attachment in mail.attachments:
        _attach(message, attachment)
    return message


def _attach(message: EmailMessage, attachment: Attachment) -> None:
    media_type, *parameters = (part.strip() for part in attachment.media_type.split(";"))
    main, _, sub = media_type.partition("/")
    message.add_attachment(
        attachment.content,
        maintype=main,
        subtype=sub,
        filename=_line(attachment.name),
        params=dict(parameter.split("=", 1) for parameter in parameters),
    )


def _sender(mail_from: str) -> Address:
    """The sender that was set, as `name@host` or `Name <name@host>`. Raises ValueError."""
    try:
        return _address(*parseaddr(mail_from))
    except MailRefused as error:
        raise ValueError(f"not a mail address: {mail_from!r}") from error


def _address(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    if not local or not domain or not address.isprintable() or any(sign in address for sign in ' <>,;"'):
        raise MailRefused("the address is not one")
    try:
        # A domain outside ASCII travels in its IDNA form.
        return Address(_line(name), username=local, domain=domain.encode("idna").decode("ascii"))
    except (ValueError, IndexError, HeaderParseError) as error:
        raise MailRefused("the address is not one") from error


def _line(text: str) -> str:
    """One line: nothing in a name or a title can begin another header."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _failure(code: int, text: str) -> MailUnavailable | MailRefused:
    kind: Callable[[str], MailUnavailable | MailRefused] = (
        MailRefused if code in _PERMANENT and code not in _OURS else MailUnavailable
    )
    return kind(f"{code} {text}")
