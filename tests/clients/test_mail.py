"""Mail through a real server, and into a folder."""

from __future__ import annotations

import email
import email.policy
import stat
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from common.identifiers import uuid7
from common.mail.port import Attachment, Mail, MailRefused, MailUnavailable
from common.mail.sending import FolderMailer, SmtpMailer
from tests.servers.process import free_port
from tests.servers.smtp import SmtpServer
from tests.unit.documents.sample import NOW

FROM = "Tickets <tickets@example.org>"
MAIL = Mail(
    id=uuid7(),
    to_name="Zoë Łęcka",
    to_address="zoe@example.org",
    language="fr",
    subject="Vos billets : tour du château",
    text="Bonjour Zoë,\n\n" + "é" * 1500,
    html="<p>Bonjour Zoë</p>",
    written_at=NOW,
    attachments=(
        Attachment(name="a.pdf", media_type="application/pdf", content=b"%PDF-1.4\x00\xff"),
        Attachment(
            name="a.ics",
            media_type="text/calendar; charset=utf-8; method=PUBLISH",
            content="SUMMARY:château\r\n".encode(),
        ),
    ),
)


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


def sent(smtp: SmtpServer, mail: Mail) -> EmailMessage:
    SmtpMailer(smtp.url, FROM).send(mail)
    return smtp.received[-1].message


def test_a_message_arrives_as_it_was_written(smtp: SmtpServer) -> None:
    message = sent(smtp, MAIL)
    assert message["To"].addresses[0].display_name == MAIL.to_name
    assert str(message["Subject"]) == MAIL.subject
    assert message["Message-ID"] == f"<{MAIL.id}@example.org>"
    assert message["Date"].datetime == NOW
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n").strip() == MAIL.text
    assert html.get_content().strip() == MAIL.html
    pdf, calendar = message.iter_attachments()
    assert pdf.get_payload(decode=True) == MAIL.attachments[0].content
    assert calendar.get_payload(decode=True) == MAIL.attachments[1].content
    assert calendar["Content-Type"].params["method"] == "PUBLISH"


@pytest.mark.parametrize("text", ["x\r\nBcc: evil@example.org", "x\nBcc: e@example.org", "x\x00\x0b\u2028y"])
def test_no_text_adds_a_header_or_a_recipient(smtp: SmtpServer, text: str) -> None:
    files = (replace(MAIL.attachments[0], name=text),)
    message = sent(smtp, replace(MAIL, subject=text, to_name=text, attachments=files))
    assert message["Bcc"] is None
    assert smtp.received[-1].recipients == (MAIL.to_address,)
    assert len(message.get_all("Subject", [])) == 1


NO_ADDRESSES = ["", "zoe", "@x.org", "a@", "a b@x.org", "a@x.org\r\nBcc: b@x.org", "a@x.org, b@x.org"]


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_no_address_is_refused_without_a_server(address: str) -> None:
    mailer = SmtpMailer(f"smtp://127.0.0.1:{free_port()}", FROM)
    with pytest.raises(MailRefused):
        mailer.send(replace(MAIL, to_address=address))


def test_a_domain_in_other_letters_is_sent_in_its_ascii_form(smtp: SmtpServer) -> None:
    sent(smtp, replace(MAIL, to_address="zoe@bücher.example"))
    assert smtp.received[-1].recipients == ("zoe@xn--bcher-kva.example",)


def test_a_server_that_refuses_for_now_or_hangs_or_is_away_is_unavailable(smtp: SmtpServer) -> None:
    mailer = SmtpMailer(smtp.url, FROM, timeout_seconds=0.3)
    for behaviour in ("refuse", "hang"):
        smtp.behaviour = behaviour
        with pytest.raises(MailUnavailable):
            mailer.send(MAIL)
    with pytest.raises(MailUnavailable):
        SmtpMailer(f"smtp://127.0.0.1:{free_port()}", FROM).send(MAIL)
    assert smtp.received == []


def test_a_server_that_refuses_for_good_is_believed(smtp: SmtpServer) -> None:
    smtp.behaviour = "reject"
    with pytest.raises(MailRefused):
        SmtpMailer(smtp.url, FROM).send(MAIL)


def test_credentials_never_go_over_a_server_that_takes_none(smtp: SmtpServer) -> None:
    with pytest.raises((MailUnavailable, MailRefused)):
        SmtpMailer(f"smtp+starttls://u:p@127.0.0.1:{smtp.port}", FROM).send(MAIL)
    assert smtp.received == []


def test_a_sender_that_is_no_address_stops_the_start() -> None:
    with pytest.raises(ValueError, match="not a mail address"):
        SmtpMailer("smtp://127.0.0.1", "nobody")


def test_without_a_server_mail_lies_in_a_folder_for_its_owner_alone(tmp_path: Path) -> None:
    mailer = FolderMailer(tmp_path / "mail", FROM)
    mailer.send(MAIL)
    mailer.send(MAIL)
    (path,) = (tmp_path / "mail").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert str(message["Subject"]) == MAIL.subject
    (tmp_path / "file").touch()
    with pytest.raises(MailUnavailable):
        FolderMailer(tmp_path / "file" / "mail", FROM).send(MAIL)
