"""Bookings: made, read, changed and ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, request

from common.auth.policy import ACCESS_KIND, Caller, anyone, bearer, roles
from common.texts import LANGUAGES
from common.web.api import Api
from common.web.field_errors import FieldError
from common.web.files import CSV, csv_answer
from common.web.idempotency import Idempotency
from common.web.paging import page_of
from common.web.problems import invalid, problem
from common.web.security import client_network
from ticketing_service.actions import bookings, lookup
from ticketing_service.actions.bookings import HoldBooking
from ticketing_service.actions.lookup import LookUpBookings
from ticketing_service.actions.ports import Ports
from ticketing_service.domain.bookings import Booking, Channel
from ticketing_service.domain.references import normalise
from ticketing_service.routes.booking import SALE_PROBLEMS, shown_booking
from ticketing_service.routes.calling import (
    PREFIX,
    RESELLER_KIND,
    PortsSource,
    keyed,
    reseller_of,
)
from ticketing_service.schemas.booking_answers import (
    CSV_COLUMNS,
    BookingOut,
    booking_document,
    booking_row,
)
from ticketing_service.schemas.bookings import BookingSearch, HoldIn, LookupIn
from ticketing_service.schemas.documents import page_document, rendered
from ticketing_service.storage.ports.bookings import BookingQuery

MAX_CSV_ROWS = 10_000


def bookings_api(ports: PortsSource) -> Api:
    api = Api("bookings", PREFIX)

    def with_token(document: Mapping[str, Any]) -> dict[str, str]:
        last = max(datetime.fromisoformat(item["localEnd"]) for item in document["items"])
        return {"accessToken": ports().booking_tokens.access(UUID(document["id"]), last)}

    @api.route(
        "POST", "/bookings", who=anyone(), body=HoldIn, answer=BookingOut, status=201, idempotency="required",
        problems=(*SALE_PROBLEMS, "TOO_MANY_HOLDS", "RETURN_URL_NOT_ALLOWED", "RESELLER_INACTIVE"),
        answer_suffix=with_token, summary="Hold places: all of them or none",
    )  # fmt: skip
    def hold(body: dict[str, Any], caller: Caller, idempotency: Idempotency | None) -> None:
        def held(booking: Booking) -> tuple[bytes, dict[str, str]]:
            return shown_booking(booking, ports(), caller), {"Location": f"{PREFIX}/bookings/{booking.id}"}

        # The key is required: what the store has rendered for it is sent.
        bookings.hold_booking(_hold_command(body, caller, keyed(idempotency, held)), ports())

    @api.route(
        "GET", "/bookings", who=bearer(RESELLER_KIND) | roles("support", "finance"), query=BookingSearch,
        answer=page_of(BookingOut),
        summary="Find bookings, a reseller its own; CSV when text/csv is accepted",
    )  # fmt: skip
    def search(query: dict[str, Any], caller: Caller) -> bytes | Response:
        reseller = reseller_of(caller)
        contact = caller.has("support") or reseller is not None
        wanted = _search_query(query, contact=contact)
        if reseller is not None:
            wanted = replace(wanted, reseller_id=reseller.id, is_test=caller.claims["is_test"])
        if request.accept_mimetypes.best_match(("application/json", CSV)) == CSV:
            return _as_csv(wanted, ports(), contact=contact)
        page, now = bookings.search_bookings(wanted, ports()), ports().clock()
        found = [
            booking_document(each, now, None, with_contact=contact, with_resale=True) for each in page.items
        ]
        return rendered(page_document(page, found))

    @api.route(
        "POST", "/bookings/lookup", who=anyone(), body=LookupIn, status=202, languages=LANGUAGES,
        summary="Have the links to one's bookings sent; the answer is always the same",
    )  # fmt: skip
    def look_up(body: dict[str, Any], language: str) -> dict[str, str]:
        lookup.look_up_bookings(LookUpBookings(language=language, **body), ports())
        return {"status": "accepted"}

    return api


def _hold_command(body: dict[str, Any], caller: Caller, key: Idempotency | None) -> HoldBooking:
    reseller = reseller_of(caller)
    channel = Channel.WEB
    if reseller is not None:
        channel = Channel.RESELLER
    elif caller.has("support"):
        channel = Channel.STAFF
    signed_in = caller.kind == ACCESS_KIND
    return HoldBooking(
        **{**body, "items": tuple(body["items"])},
        channel=channel,
        principal=caller.subject if signed_in else caller.principal if reseller else None,
        guest_network=None if signed_in or reseller else client_network(),
        reseller=reseller,
        is_test=caller.claims.get("is_test", False),
        idempotency=key,
    )


def _search_query(values: Mapping[str, Any], *, contact: bool) -> BookingQuery:
    if "email" in values and not contact:
        raise problem("FORBIDDEN", "Who sees no contact data cannot search by it.")
    query = BookingQuery(**values)
    if query.reference is not None:
        # What cannot be a reference is left as it is, and found nowhere.
        query = replace(query, reference=normalise(query.reference) or query.reference)
    return query


def _as_csv(query: BookingQuery, ports: Ports, *, contact: bool) -> Response:
    now = ports.clock()
    rows = [booking_row(booking, now, with_contact=contact) for booking in _all_found(query, ports)]
    return csv_answer(CSV_COLUMNS, rows, "bookings.csv")


def _all_found(query: BookingQuery, ports: Ports) -> Iterator[Booking]:
    """Every booking that is found, page by page, whatever the page asked for."""
    count, cursor = 0, query.cursor
    while True:
        page = bookings.search_bookings(replace(query, limit=100, cursor=cursor), ports)
        count += len(page.items)
        if count > MAX_CSV_ROWS:
            detail = f"More than {MAX_CSV_ROWS} bookings are found; ask for a shorter time."
            raise invalid([FieldError("?createdFrom", "OUT_OF_RANGE", detail)])
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return
