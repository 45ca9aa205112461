"""The ticketing service over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from typing import Any

from admin_service.clients.port import Erased, Sales, TicketingUnavailable
from common.auth.service_tokens import ServiceTokens
from common.service_client import ServiceClient

INTERNAL = "/api/v1/internal"


class HttpTicketing:
    """`Ticketing` at `base_url` (scheme, host and port)."""

    def __init__(self, base_url: str, tokens: ServiceTokens) -> None:
        self._client = ServiceClient(
            base_url, lambda: tokens.issue("admin", "ticketing"), TicketingUnavailable
        )

    def sales(self, day_from: date, day_to: date) -> tuple[Sales, ...]:
        """See Ticketing."""
        days = {"from": day_from.isoformat(), "to": day_to.isoformat()}
        document = self._asked("GET", "/sales", query=days)
        try:
            return tuple(
                Sales(
                    **{
                        name: row[name]
                        for name in ("currency", "bookings", "units", "sales", "fees", "refunds")
                    }
                )
                for row in document["data"]
            )
        except (KeyError, TypeError) as error:
            raise TicketingUnavailable("the answer cannot be understood") from error

    def person(self, email: str) -> Mapping[str, Any]:
        """See Ticketing."""
        return self._asked("POST", "/people/export", body={"email": email})

    def health(self) -> Mapping[str, Any]:
        """See Ticketing. An unhealthy one answers 503, which is an answer here."""
        answer = self._client.ask("GET", "/api/v1/monitoring/health", accept_unavailable=True)
        if not isinstance(answer.document, dict):
            raise TicketingUnavailable("its health cannot be understood")
        return answer.document

    def erase_person(self, email: str) -> Erased:
        """See Ticketing."""
        document = self._asked("POST", "/people/erase", body={"email": email})
        try:
            return Erased(bookings=int(document["bookings"]), open_bookings=int(document["openBookings"]))
        except (KeyError, TypeError, ValueError) as error:
            raise TicketingUnavailable("the answer cannot be understood") from error

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _asked(self, method: str, path: str, **what: Any) -> Mapping[str, Any]:
        answer = self._client.ask(method, INTERNAL + path, **what)
        if answer.status != HTTPStatus.OK or not isinstance(answer.document, dict):
            raise TicketingUnavailable(f"{method} {path}: answered {answer.status}")
        return answer.document
