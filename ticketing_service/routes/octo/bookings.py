"""Bookings, as OCTO makes and changes them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from common.auth.policy import Caller
from common.identifiers import uuid7
from common.web.api import Api
from ticketing_service.actions import resale
from ticketing_service.actions.resale import Reserve, Seller
from ticketing_service.domain.references import normalise
from ticketing_service.domain.resale import Contact, Resale
from ticketing_service.domain.resale_changes import named
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
from ticketing_service.schemas.octo.errors import BAD_REQUEST
from ticketing_service.schemas.octo.requests import (
    BookingsQuery,
    ReservationIn,
    language_of,
)
from ticketing_service.storage.ports.bookings import BookingQuery

_WHICH = "either resellerReference, supplierReference, localDate or localDateStart/localDateEnd is required"


def octo_bookings_api(ports: PortsSource) -> Api:
    api = Api("octo_bookings", PREFIX, tag="octo", dialect=OCTO)

    @api.route(
        "POST", "/bookings", who=WHO, body=ReservationIn, multiline=NOTES,
        problems=("TOO_MANY_HOLDS",),
        summary="Hold places; the same request once more answers the same booking",
    )  # fmt: skip
    def reserve(body: dict[str, Any], caller: Caller) -> Answer:
        seller = seller_of(caller, Scope.WRITE)
        with naming_sale(body, seller, ports()):
            booking = resale.reserve(_reservation(body, seller), ports())
        return shown([booking], seller, ports(), one=True)

    @api.route(
        "GET", "/bookings", who=WHO, query=BookingsQuery,
        summary="The reseller's bookings by reference or by day",
    )  # fmt: skip
    def search(query: dict[str, Any], caller: Caller) -> Answer:
        seller = seller_of(caller, Scope.READ)
        with naming():
            found = resale.search_resold(_wanted(query), seller, ports())
        return shown(found, seller, ports())

    @api.route("GET", "/bookings/<uuid>", who=WHO, summary="One booking")
    def read(uuid: str, caller: Caller) -> Answer:
        seller = seller_of(caller, Scope.READ)
        booking_uuid = known_id(uuid, "INVALID_BOOKING_UUID")
        with naming(uuid=uuid):
            booking = resale.find_resold(booking_uuid, seller, ports())
        return shown([booking], seller, ports(), one=True)

    return api


def _reservation(body: Mapping[str, Any], seller: Seller) -> Reserve:
    uuid = uuid7() if body["uuid"] is None else known_id(body["uuid"], "INVALID_BOOKING_UUID")
    ticket_id = known_id(body["product_id"], "INVALID_PRODUCT_ID")
    option_id = known_id(body["option_id"], "INVALID_OPTION_ID")
    slot_id = known_id(body["availability_id"], "INVALID_AVAILABILITY_ID")
    units = named((), units_of(body["unit_items"]))
    contact: Contact = body["contact"] or Contact()
    written = Resale(
        uuid=uuid,
        request=hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest(),
        reference=body["reseller_reference"],
        notes=body["notes"],
        contact=contact,
        units=units,
        mails=bool(body["email_receipt"]),
    )
    return Reserve(
        seller=seller,
        ticket_id=ticket_id,
        option_id=option_id,
        slot_id=slot_id,
        resale=written,
        language=language_of(contact, "en"),
        minutes=body["expiration_minutes"],
        currency=body["currency"],
    )


def _wanted(query: Mapping[str, Any]) -> BookingQuery:
    day_from, day_to = query.get("local_date_start"), query.get("local_date_end")
    if "local_date" in query:
        day_from = day_to = query["local_date"]
    if (day_from is None) != (day_to is None):
        raise refused(BAD_REQUEST, "localDateStart and localDateEnd belong together")
    reference = query.get("supplier_reference")
    if day_from is None and reference is None and "reseller_reference" not in query:
        raise refused(BAD_REQUEST, _WHICH)
    return BookingQuery(
        resale_reference=query.get("reseller_reference"),
        # what cannot be a reference is left as it is, and found nowhere
        reference=None if reference is None else normalise(reference) or reference,
        local_from=day_from,
        local_to=day_to,
    )
