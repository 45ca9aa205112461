"""What a customer gets: the document of a booking, and mail. Only the worker runs these."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.mail.letters import Letter
from common.mail.port import Attachment, Mail, MailRefused
from common.outbox.port import Later, Permanent
from common.texts import text_in
from ticketing_service.actions.ports import Ports
from ticketing_service.documents.calendar import booking_calendar
from ticketing_service.documents.mail_texts import Template, write_letter, write_links
from ticketing_service.documents.pdf import render_admissions
from ticketing_service.domain.bookings import Booking, BookingStatus

LINKS_AT_MOST = 10
DOCUMENT_WAIT_SECONDS = 0.3

_WITH_TICKETS = (Template.CONFIRMATION, Template.CANCELLED, Template.SLOT_CANCELLED)
_ENDED = (BookingStatus.CANCELLED, BookingStatus.EXPIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMail:
    """A letter about one booking. `id` makes repeats recognisable; `amount` (minor units) goes back to them.

    While `may_wait`, another task may still be about to make the document.
    """

    id: UUID
    written_at: datetime
    template: Template
    booking_id: UUID
    amount: int = 0
    reason: str = ""
    may_wait: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SendLinks:
    """The links to the bookings of an address, or to the one named by its reference."""

    id: UUID
    written_at: datetime
    email: str
    language: str
    reference: str | None = None


def make_document(booking_id: UUID, ports: Ports) -> None:
    """Render the admissions of a booking and keep them for the version that was rendered."""
    booking = ports.store.bookings.get(booking_id)
    if booking is not None and ports.store.admissions.document(booking.id, booking.version) is None:
        _render(booking, ports)


def send_mail(command: SendMail, ports: Ports) -> None:
    """Write to the customer. Raises Later (no document yet), Permanent (nobody can be reached there),
    MailUnavailable."""
    booking = ports.store.bookings.get(command.booking_id)
    if booking is None:
        raise Permanent("there is no such booking")
    letter = write_letter(
        command.template,
        booking,
        _poi_names([booking], booking.customer.language, ports),
        booking_link(booking, ports),
        amount=command.amount,
        reason=command.reason,
    )
    customer = booking.customer
    _send(
        Mail(
            id=command.id,
            to_name=customer.name,
            to_address=customer.email,
            language=customer.language,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            written_at=command.written_at,
            attachments=_attachments(command, booking, ports),
        ),
        ports,
    )


def send_links(command: SendLinks, ports: Ports) -> None:
    """Write the links; nothing is sent to an address without bookings. Raises Permanent, MailUnavailable."""
    bookings = _bookings_of(command, ports)
    if not bookings:
        return
    links = [(booking, booking_link(booking, ports)) for booking in bookings]
    # To the address as it was booked with, not as somebody typed it.
    customer = bookings[0].customer
    names = _poi_names(bookings, command.language, ports)
    letter: Letter = write_links(links, names, customer.name, command.language)
    _send(
        Mail(
            id=command.id,
            to_name=customer.name,
            to_address=customer.email,
            language=command.language,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            written_at=command.written_at,
        ),
        ports,
    )


def booking_link(booking: Booking, ports: Ports) -> str:
    """Where the customer sees the booking. The token is in the fragment, which browsers send to no server."""
    return f"{ports.public_url}/bookings/{booking.id}#token={ports.booking_tokens(booking)}"


def _bookings_of(command: SendLinks, ports: Ports) -> tuple[Booking, ...]:
    if command.reference is None:
        return ports.store.bookings.by_email(command.email, LINKS_AT_MOST)
    booking = ports.store.bookings.by_reference(command.reference)
    if booking is None or booking.customer.email.strip().casefold() != command.email.strip().casefold():
        return ()
    return (booking,)


def _send(mail: Mail, ports: Ports) -> None:
    try:
        ports.mailer.send(mail)
    except MailRefused as error:
        raise Permanent(str(error)) from error


def _attachments(command: SendMail, booking: Booking, ports: Ports) -> tuple[Attachment, ...]:
    if command.template not in _WITH_TICKETS:
        return ()
    names = _poi_names([booking], booking.customer.language, ports)
    calendar = booking_calendar(booking, names, ports.public_url)
    method = "CANCEL" if booking.status in _ENDED else "PUBLISH"
    entry = Attachment(
        name=f"{booking.reference}.ics",
        media_type=f"text/calendar; charset=utf-8; method={method}",
        content=calendar,
    )
    if booking.status in _ENDED:
        return (entry,)
    pdf = ports.store.admissions.document(booking.id, booking.version)
    if pdf is None and command.may_wait:
        raise Later("the document is being made", DOCUMENT_WAIT_SECONDS)
    pdf = pdf or _render(booking, ports)
    if pdf is None:
        return (entry,)
    return (Attachment(name=f"{booking.reference}.pdf", media_type="application/pdf", content=pdf), entry)


def _render(booking: Booking, ports: Ports) -> bytes | None:
    """The PDF of what can still be used, kept for that version; None when nothing can."""
    admissions = ports.store.admissions.of_booking(booking.id)
    if all(admission.cancelled_at is not None for admission in admissions):
        return None
    names = _poi_names([booking], booking.customer.language, ports)
    pdf = render_admissions(booking, admissions, names, ports.public_url)
    ports.store.admissions.put_document(booking.id, booking.version, pdf, ports.clock())
    return pdf


def _poi_names(bookings: Iterable[Booking], language: str, ports: Ports) -> dict[UUID, str]:
    wanted = {poi_id for booking in bookings for item in booking.items for poi_id in item.terms.poi_ids}
    pois = ports.store.catalogue.pois(wanted)
    return {poi_id: text_in(poi.names, language) for poi_id, poi in pois.items()}
