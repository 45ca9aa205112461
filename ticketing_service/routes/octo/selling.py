"""What the routes of bookings share: how one is shown, and which id of an order is the wrong one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from ticketing_service.actions import resale
from ticketing_service.actions.ports import Ports
from ticketing_service.actions.resale import Seller
from ticketing_service.actions.resold_products import resold_ticket
from ticketing_service.domain.bookings import Booking
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.resale_changes import NamedUnit
from ticketing_service.routes.octo.calling import (
    Answer,
    answered,
    asked_by,
    known_id,
    naming,
    refused,
)
from ticketing_service.schemas.octo.bookings import View, booking_document
from ticketing_service.schemas.octo.errors import UNPROCESSABLE
from ticketing_service.schemas.octo.requests import named_unit


def shown(bookings: Sequence[Booking], seller: Seller, ports: Ports, *, one: bool = False) -> Answer:
    """The bookings as the reseller sees them; `one` by itself, not in a list."""
    asked = asked_by(seller.reseller)
    view = View.of(asked, ports)
    documents = [booking_document(each, view) for each in resale.told(bookings, ports)]
    return answered(documents[0] if one else documents, asked)


def units_of(unit_items: Sequence[dict[str, Any]]) -> tuple[NamedUnit, ...]:
    """The unit items of an order. Raises INVALID_UNIT_ID, UNPROCESSABLE_ENTITY (two of one uuid)."""
    uuids = [each["uuid"] for each in unit_items if each["uuid"] is not None]
    if len(set(uuids)) < len(uuids):
        raise refused(UNPROCESSABLE, "Two unit items have one uuid.")
    return tuple(named_unit(each, known_id(each["unit_id"], "INVALID_UNIT_ID")) for each in unit_items)


@contextmanager
def naming_sale(body: Mapping[str, Any], seller: Seller, ports: Ports) -> Iterator[None]:
    """Say which of the ids in an order is the wrong one."""
    ids = {
        "productId": body.get("product_id"),
        "optionId": body.get("option_id"),
        "availabilityId": body.get("availability_id"),
        "uuid": body.get("uuid"),
    }
    with naming(**ids):
        try:
            yield
        except Refused as refusal:
            if refusal.code is Code.UNKNOWN_UNIT:
                ids_of_units = list(dict.fromkeys(each["unit_id"] for each in body["unit_items"] or ()))
                place = int((refusal.pointer or "/0/0/0/0").split("/")[4])
                raise refused(
                    "INVALID_UNIT_ID", "The option has no such unit.", ids_of_units[place]
                ) from refusal
            if refusal.code is Code.SLOT_NOT_FOUND and ids["productId"] is not None:
                ticket = resold_ticket(UUID(ids["productId"]), seller.reseller, ports)
                if ids["optionId"] is not None and ticket.option(UUID(ids["optionId"])) is None:
                    raise Refused(Code.UNKNOWN_OPTION) from refusal
            raise
