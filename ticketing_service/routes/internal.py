"""For the admin service alone; the gateway lets nobody else here."""

from __future__ import annotations

from typing import Any

from common.auth.policy import SERVICE_KIND, bearer
from common.web.api import Api
from ticketing_service.actions import people, revenue
from ticketing_service.routes.calling import PREFIX, PortsSource
from ticketing_service.schemas.documents import rendered
from ticketing_service.schemas.internal import (
    ErasedOut,
    PersonIn,
    PersonOut,
    SalesFilter,
    SalesOut,
    erased_document,
    person_document,
    sales_document,
)
from ticketing_service.storage.ports.ledger import RevenueQuery

SERVICES = bearer(SERVICE_KIND)


def internal_api(ports: PortsSource) -> Api:
    api = Api("internal", PREFIX)

    @api.route(
        "GET", "/internal/sales", who=SERVICES, query=SalesFilter, answer=SalesOut,
        problems=("INVALID_PERIOD",), summary="What was sold, by currency",
    )  # fmt: skip
    def sales(query: dict[str, Any]) -> bytes:
        asked = RevenueQuery(day_from=query["day_from"], day_to=query["day_to"])
        return rendered(sales_document(revenue.find_revenue(asked, ports())))

    @api.route(
        "POST", "/internal/people/export", who=SERVICES, body=PersonIn, answer=PersonOut,
        summary="All that is known of a customer",
    )  # fmt: skip
    def export(body: dict[str, Any]) -> bytes:
        bookings = people.bookings_of(body["email"], ports())
        return rendered(person_document(bookings, ports().clock()))

    @api.route(
        "POST", "/internal/people/erase", who=SERVICES, body=PersonIn, answer=ErasedOut,
        summary="Make what is known of a customer pseudonymous",
    )  # fmt: skip
    def erase(body: dict[str, Any]) -> bytes:
        return rendered(erased_document(people.erase_person(body["email"], ports())))

    return api
