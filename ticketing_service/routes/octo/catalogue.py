"""Supplier, products, availability and capabilities, as OCTO asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from common.auth.policy import Caller
from common.identifiers import derived_id
from common.web.api import Api
from ticketing_service.actions import resold_products
from ticketing_service.actions.ports import Ports
from ticketing_service.actions.resold_products import FindResold
from ticketing_service.domain.catalogue import Option
from ticketing_service.domain.platform import Brand
from ticketing_service.domain.resellers import Scope
from ticketing_service.domain.slots import Slot
from ticketing_service.metrics import TicketingMetrics
from ticketing_service.routes.calling import PortsSource
from ticketing_service.routes.octo.calling import (
    OCTO,
    PREFIX,
    WHO,
    Answer,
    answered,
    asked_by,
    known_id,
    naming,
    refused,
    seller_of,
)
from ticketing_service.schemas.octo.availability import Shown, availability_document, calendar_documents
from ticketing_service.schemas.octo.capabilities import capability_documents
from ticketing_service.schemas.octo.content import supplier_content
from ticketing_service.schemas.octo.errors import BAD_REQUEST
from ticketing_service.schemas.octo.products import product_document
from ticketing_service.schemas.octo.requests import AvailabilityIn, CalendarIn, identifier

_WHICH_DAYS = "either localDate, localDateStart/localDateEnd or availabilityIds is required"


@dataclass(frozen=True, slots=True)
class _Found:
    """What is to be shown, and of which slots."""

    shown: Shown
    slots: tuple[Slot, ...]


def octo_catalogue_api(ports: PortsSource, metrics: TicketingMetrics) -> Api:
    api = Api("octo_catalogue", PREFIX, tag="octo", dialect=OCTO)

    @api.route("GET", "/supplier", who=WHO, summary="Who sells: this destination")
    def supplier(caller: Caller) -> Answer:
        asked = asked_by(seller_of(caller, Scope.READ).reseller)
        document = _supplier_document(ports())
        return answered({**document, **supplier_content()} if asked.content else document, asked)

    @api.route("GET", "/capabilities", who=WHO, summary="What can be asked for beside the core")
    def capabilities(caller: Caller) -> Answer:
        return answered(capability_documents(), asked_by(seller_of(caller, Scope.READ).reseller))

    @api.route("GET", "/products", who=WHO, summary="All that the reseller may sell")
    def products(caller: Caller) -> Answer:
        asked = asked_by(seller_of(caller, Scope.READ).reseller)
        found = resold_products.find_products(asked.reseller, ports())
        return answered([product_document(product, asked) for product in found], asked)

    @api.route("GET", "/products/<product_id>", who=WHO, summary="One product")
    def product(product_id: str, caller: Caller) -> Answer:
        asked = asked_by(seller_of(caller, Scope.READ).reseller)
        ticket_id = known_id(product_id, "INVALID_PRODUCT_ID")
        with naming(productId=product_id):
            found = resold_products.find_product(ticket_id, asked.reseller, ports())
        return answered(product_document(found, asked), asked)

    @api.route(
        "POST", "/availability", who=WHO, body=AvailabilityIn,
        summary="The slots of an option, on some days or by their ids",
    )  # fmt: skip
    def availability(body: dict[str, Any], caller: Caller) -> Answer:
        metrics.availability_checked()
        if body["local_date"] is not None:
            body["local_date_start"] = body["local_date_end"] = body["local_date"]
        found = _found(body, caller, ports())
        documents = [availability_document(slot, found.shown) for slot in found.slots]
        return answered(documents, found.shown.asked)

    @api.route(
        "POST", "/availability/calendar", who=WHO, body=CalendarIn,
        summary="What is left of an option on each day",
    )  # fmt: skip
    def calendar(body: dict[str, Any], caller: Caller) -> Answer:
        metrics.availability_checked()
        found = _found(body, caller, ports())
        first, last = body["local_date_start"], body["local_date_end"]
        return answered(calendar_documents(found.slots, first, last, found.shown), found.shown.asked)

    return api


def _supplier_document(ports: Ports) -> dict[str, Any]:
    url, brand = ports.public_url, ports.followed.platform.brand
    return {
        "id": derived_id(UUID(int=0), url),
        "name": url.partition("://")[2] if brand.name in ("", Brand().name) else brand.name,
        "endpoint": f"{url}{PREFIX}",
        "contact": {
            "website": brand.website or url,
            "email": brand.email or None,
            "telephone": brand.telephone or None,
            "address": brand.address or None,
        },
    }


def _found(body: Mapping[str, Any], caller: Caller, ports: Ports) -> _Found:
    asked = asked_by(seller_of(caller, Scope.READ).reseller)
    ticket_id = known_id(body["product_id"], "INVALID_PRODUCT_ID")
    option_id = known_id(body["option_id"], "INVALID_OPTION_ID")
    first, last, named = body["local_date_start"], body["local_date_end"], body.get("availability_ids")
    if named is None and (first is None or last is None):
        raise refused(BAD_REQUEST, _WHICH_DAYS)
    slot_ids = None
    if named is not None:
        slot_ids = tuple(each for each in map(identifier, named) if each is not None)
    command = FindResold(
        ticket_id=ticket_id,
        option_id=option_id,
        reseller=asked.reseller,
        day_from=first,
        day_to=last,
        slot_ids=slot_ids,
    )
    with naming(productId=body["product_id"], optionId=body["option_id"]):
        ticket, option, slots = resold_products.find_resold_slots(command, ports)
    if asked.pricing and body["currency"] not in (None, ticket.currency):
        raise refused(BAD_REQUEST, f"The product is sold in {ticket.currency}.")
    quantities = _quantities(body["units"] or (), option)
    return _Found(Shown(ticket, option, quantities, ports.policy, ports.clock(), asked), slots)


def _quantities(units: Any, option: Option) -> dict[UUID, int]:
    known = {unit.id for unit in option.units}
    quantities: dict[UUID, int] = {}
    for each in units:
        unit_id = known_id(each["id"], "INVALID_UNIT_ID")
        if unit_id not in known:
            raise refused("INVALID_UNIT_ID", "The option has no such unit.", each["id"])
        quantities[unit_id] = quantities.get(unit_id, 0) + each["quantity"]
    return {unit_id: count for unit_id, count in quantities.items() if count}
