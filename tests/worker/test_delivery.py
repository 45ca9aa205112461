"""Documents and mail of real bookings, through a real mail server."""

from __future__ import annotations

from dataclasses import replace
from email.message import EmailMessage

import pytest

from common.mail.port import MailUnavailable
from common.outbox.port import Later, Permanent
from tests.contract.builders import NOW, make_poi
from tests.worker.shop import PRICE, PUBLIC_URL, Shop
from ticketing_service.actions import delivery, settlement, slot_cancellation
from ticketing_service.documents.mail_texts import Template
from ticketing_service.domain.bookings import Booking, BookingStatus, Customer
from ticketing_service.domain.pricing import PricedBooking
from ticketing_service.storage.ports.bookings import Amendment


def sold(shop: Shop, quantity: int = 2) -> Booking:
    """Paid, captured, with its document and mail still to be made."""
    booking, payment = shop.authorised(quantity=quantity)
    settlement.capture(payment.id, shop.ports)
    return shop.booking(booking)


def attachments(message: EmailMessage) -> dict[str, bytes]:
    parts = {part.get_content_type(): part.get_payload(decode=True) for part in message.iter_attachments()}
    assert all(isinstance(content, bytes) for content in parts.values())
    return {kind: content for kind, content in parts.items() if isinstance(content, bytes)}


def test_a_sale_ends_in_one_mail_with_tickets_calendar_entry_and_link(shop: Shop) -> None:
    booking = sold(shop)
    shop.store.catalogue.put_pois([make_poi(id=booking.items[0].terms.poi_ids[0])])
    shop.work_off()
    (message,) = shop.smtp.to(booking.customer.email)
    files = attachments(message)
    assert files["application/pdf"] == shop.store.admissions.document(booking.id, booking.version)
    assert b"LOCATION:Old Church" in files["text/calendar"]
    assert b"METHOD:PUBLISH" in files["text/calendar"]
    text = message.get_body(("plain",))
    assert text is not None
    link = f"{PUBLIC_URL}/bookings/{booking.id}#token={shop.ports.booking_tokens(booking)}"
    assert link in text.get_content()
    assert booking.reference in str(message["Subject"])


def test_a_mail_first_waits_for_the_document_and_then_makes_it(shop: Shop) -> None:
    booking = sold(shop)
    command = delivery.SendMail(
        id=booking.id, written_at=NOW, template=Template.CONFIRMATION, booking_id=booking.id, may_wait=True
    )
    with pytest.raises(Later):
        delivery.send_mail(command, shop.ports)
    delivery.send_mail(replace(command, may_wait=False), shop.ports)
    assert shop.store.admissions.document(booking.id, booking.version) is not None


def test_a_repeated_mail_has_the_same_message_id(shop: Shop) -> None:
    booking = sold(shop)
    command = delivery.SendMail(
        id=booking.id, written_at=NOW, template=Template.CONFIRMATION, booking_id=booking.id
    )
    delivery.send_mail(command, shop.ports)
    delivery.send_mail(command, shop.ports)
    first, second = shop.smtp.to(booking.customer.email)
    assert first["Message-ID"] == second["Message-ID"]


def test_mail_that_the_server_refuses_for_good_is_given_up_and_harms_no_booking(shop: Shop) -> None:
    booking = sold(shop)
    command = delivery.SendMail(
        id=booking.id, written_at=NOW, template=Template.CONFIRMATION, booking_id=booking.id
    )
    shop.smtp.behaviour = "reject"
    with pytest.raises(Permanent):
        delivery.send_mail(command, shop.ports)
    shop.smtp.behaviour = "refuse"
    with pytest.raises(MailUnavailable):
        delivery.send_mail(command, shop.ports)
    assert shop.booking(booking).status is BookingStatus.CONFIRMED


def test_links_go_to_the_address_of_the_booking_alone(shop: Shop) -> None:
    booking = sold(shop)
    address = booking.customer.email
    command = delivery.SendLinks(id=booking.id, written_at=NOW, email=address.upper(), language="nl")
    delivery.send_links(command, shop.ports)
    delivery.send_links(replace(command, email="nobody@example.org"), shop.ports)
    stranger = replace(command, email="nobody@example.org", reference=booking.reference)
    delivery.send_links(stranger, shop.ports)
    (received,) = shop.smtp.received
    assert received.recipients == (address,)
    assert received.message["Subject"] == "Uw boekingen"


def test_a_slot_cancelled_by_the_destination_ends_every_booking_on_it(shop: Shop) -> None:
    slot = shop.slot(capacity=100)
    paid, payment = shop.authorised(slot)
    settlement.capture(payment.id, shop.ports)
    others = [
        shop.world.hold(
            slot, 1, shop.ports.clock(), customer=Customer(name="B", email=f"b{number}@example.org")
        )
        for number in range(slot_cancellation.BOOKINGS_A_TASK + 5)
    ]
    shop.store.slots.cancel(slot.id, "storm", "staff", shop.ports.clock())
    shop.work_off()
    assert all(shop.booking(each).status is BookingStatus.CANCELLED for each in [paid, *others])
    assert shop.world.again(slot).counters[0].held == 0
    assert sum(each["amount"] for each in shop.at_the_module(payment)["refunds"]) == PRICE


def test_a_name_in_another_script_reaches_the_customer(shop: Shop) -> None:
    booking = sold(shop)
    contact = {"name": "Łucja Ωmega 東京", "email": "lucja@example.org", "language": "fr"}

    def unpriced(*_: object) -> PricedBooking:
        raise AssertionError("a change of the contact has no price")

    shop.store.bookings.amend(booking.id, Amendment(contact=contact), unpriced, "test", shop.ports.clock())
    shop.work_off()
    message = shop.smtp.to("lucja@example.org")[-1]
    assert "Łucja Ωmega 東京" in str(message["To"])
    assert attachments(message)["application/pdf"].startswith(b"%PDF-")
