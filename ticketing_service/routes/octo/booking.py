"""What is done to a booking, as OCTO does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response

from common.auth.policy import Caller, proven_by
from common.web.api import Api
from common.web.files import attachment
from ticketing_service.actions import admissions, resale
from ticketing_service.actions.bookings import Access
from ticketing_service.actions.ports import Ports
from ticketing_service.actions.resale import ChangeResold, Seller
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.resale import Contact
from ticketing_service.domain.resale_changes import Changes
from ticketing_service.domain.resellers import Scope
from ticketing_service.routes.calling import PortsSource
from ticketing_service.routes.octo.calling import (
    NOTES,
    OCTO,
    PREFIX,
    WHO,
    Answer,
    known_id,
    naming,
    refused,
    seller_of,
)
from ticketing_service.routes.octo.selling import naming_sale, shown, units_of
from ticketing_service.schemas.octo.requests import (
    CancellationIn,
    ConfirmationIn,
    ExtensionIn,
    UpdateIn,
    VoucherQuery,
    language_of,
)

_PDF = "application/pdf"


def octo_booking_api(ports: PortsSource) -> Api:
    api = Api("octo_booking", PREFIX, tag="octo", dialect=OCTO)

    def one(booking: Booking, seller: Seller) -> Answer:
        return shown([booking], seller, ports(), one=True)

    @api.route(
        "PATCH", "/bookings/<uuid>", who=WHO, body=UpdateIn, multiline=NOTES,
        summary="Change it: all of it while it is on hold, then what makes it cost no more",
    )  # fmt: skip
    def update(uuid: str, body: dict[str, Any], caller: Caller) -> Answer:
        seller = seller_of(caller, Scope.WRITE)
        return one(_changed(uuid, body, seller, ports()), seller)

    @api.route(
        "POST", "/bookings/<uuid>/confirm", who=WHO, body=ConfirmationIn, multiline=NOTES,
        body_optional=True, summary="Buy it on account; any number of times",
    )  # fmt: skip
    def confirm(uuid: str, body: dict[str, Any], caller: Caller) -> Answer:
        seller = seller_of(caller, Scope.WRITE)
        return one(_changed(uuid, body, seller, ports(), confirm=True), seller)

    @api.route(
        "POST", "/bookings/<uuid>/extend", who=WHO, body=ExtensionIn, body_optional=True,
        summary="Hold the places longer",
    )  # fmt: skip
    def extend(uuid: str, body: dict[str, Any], caller: Caller) -> Answer:
        seller = seller_of(caller, Scope.WRITE)
        booking_uuid, minutes = known_id(uuid, "INVALID_BOOKING_UUID"), body["expiration_minutes"]
        with naming(uuid=uuid):
            return one(resale.extend_resold(booking_uuid, minutes, seller, ports()), seller)

    @api.route(
        "POST", "/bookings/<uuid>/cancel", who=WHO, body=CancellationIn, multiline=("reason",),
        body_optional=True, summary="Cancel all that is left of it",
    )  # fmt: skip
    def cancel(uuid: str, body: dict[str, Any], caller: Caller) -> Answer:
        seller = seller_of(caller, Scope.WRITE)
        booking_uuid, reason = known_id(uuid, "INVALID_BOOKING_UUID"), body["reason"] or ""
        with naming(uuid=uuid):
            return one(resale.cancel_resold(booking_uuid, reason, seller, ports()), seller)

    @api.route(
        "GET", "/bookings/<uuid:booking_id>/voucher.pdf", who=proven_by("dl", "query"), query=VoucherQuery,
        produces=_PDF, problems=("ADMISSIONS_NOT_READY", "DOCUMENT_PENDING"),
        summary="All tickets of a booking, to print; whoever has the address may",
    )  # fmt: skip
    def voucher(booking_id: UUID, query: dict[str, Any]) -> Response:
        if not ports().booking_tokens.may_fetch(query["dl"], booking_id):
            raise refused("INVALID_BOOKING_UUID", "The address is not a good one.", str(booking_id))
        access = Access(actor="voucher", booking_id=booking_id)
        with naming(uuid=str(booking_id)):
            booking, pdf = admissions.find_document(booking_id, access, ports())
        return attachment(pdf, _PDF, f"{booking.reference}.pdf")

    return api


def _changed(
    uuid: str, body: Mapping[str, Any], seller: Seller, ports: Ports, *, confirm: bool = False
) -> Booking:
    booking_uuid = known_id(uuid, "INVALID_BOOKING_UUID")
    contact: Contact | None = body["contact"]
    ids = {
        name: known_id(body[name], error)
        for name, error in (
            ("product_id", "INVALID_PRODUCT_ID"),
            ("option_id", "INVALID_OPTION_ID"),
            ("availability_id", "INVALID_AVAILABILITY_ID"),
        )
        if body.get(name) is not None
    }
    changes = Changes(
        reference=body["reseller_reference"],
        notes=body.get("notes"),
        contact=contact,
        language=language_of(contact, "") or None,
        units=None if body["unit_items"] is None else units_of(body["unit_items"]),
        ticket_id=ids.get("product_id"),
        option_id=ids.get("option_id"),
        slot_id=ids.get("availability_id"),
        mails=body["email_receipt"],
    )
    command = ChangeResold(seller=seller, uuid=booking_uuid, changes=changes, confirm=confirm)
    with naming_sale({**body, "uuid": uuid}, seller, ports):
        try:
            return resale.change_resold(command, ports)
        except Refused as refusal:
            if confirm and refusal.code is Code.BOOKING_EXPIRED:
                raise refused("INVALID_BOOKING_UUID", "The hold has ended.", uuid) from refusal
            raise
