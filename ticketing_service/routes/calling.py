"""What every resource needs of a call: the ports of this process, and what the caller has proved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Response

from common.auth.policy import ACCESS_KIND, Caller
from common.caching.reads import Absence
from common.web.idempotency import Idempotency
from ticketing_service.actions.bookings import Access
from ticketing_service.actions.ports import Ports
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.schemas.csv_export import csv_text

PREFIX = "/api/v1"
BOOKING_KIND = "booking"
PUBLIC_CACHE = "public, max-age=0, must-revalidate"
"""Of what visitors read: kept by whoever asks again whether it has changed."""
CSV = "text/csv"

PortsSource = Callable[[], Ports]
"""The ports of this process: they are made after the fork, the routes before it."""


def access_of(caller: Caller) -> Access:
    """What the caller has proved about bookings."""
    token = caller.claims.get("booking_id") if caller.kind == BOOKING_KIND else None
    return Access(
        actor=caller.principal,
        booking_id=token,
        principal=caller.subject if caller.kind == ACCESS_KIND else None,
        staff=caller.has("support"),
    )


def is_visitor(caller: Caller) -> bool:
    """Whether the caller sees of the catalogue what everybody sees."""
    return not caller.has("ticket_manager")


NO_TICKET = Absence(
    means=lambda error: isinstance(error, Refused) and error.code is Code.TICKET_NOT_FOUND,
    error=lambda: Refused(Code.TICKET_NOT_FOUND),
)
"""How a view says that there is no such ticket."""


def keyed(idempotency: Idempotency | None, present: Callable[[Any], Any]) -> Idempotency | None:
    """The key with the way in which its result becomes an answer."""
    return None if idempotency is None else idempotency.presenting(present)


def attachment(content: bytes | str, media_type: str, name: str, **headers: str) -> Response:
    """A file to be kept under `name`."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    extra: Mapping[str, str] = {**disposition, **headers}
    return Response(content, content_type=media_type, headers=dict(extra))


def csv_answer(columns: tuple[str, ...], rows: Any, name: str) -> Response:
    """A CSV file."""
    return attachment(csv_text(columns, rows), f"{CSV}; charset=utf-8", name)
