"""What of this service is moved from one store to another, and in which order."""

from __future__ import annotations

from pathlib import Path

from common.database.kinds import kind_of
from common.transfer.documents import Entity
from common.transfer.port import Side

ENTITIES = (
    Entity("pois"),
    Entity("tickets"),
    Entity("schedules", key=("ticket_id",)),
    Entity("counters"),
    Entity("slots"),
    Entity("vouchers"),
    Entity("resellers"),
    Entity("reseller_keys"),
    Entity("webhook_subscriptions"),
    Entity("bookings", batch=250),
    Entity("redemptions", key=("admission_id", "entry_key")),
    Entity("documents", key=("booking_id",), batch=50),
    Entity("ledger", batch=1000),
    Entity("outbox"),
    Entity("webhook_events"),
    Entity("webhook_deliveries", batch=1000),
    Entity("idempotency", key=("scope", "key")),
    Entity("platform", batch=1),
)
"""What refers to something comes after it. Not among them: leases, which say who is at work just now."""

PREDECESSOR = tuple(
    each
    for each in ENTITIES
    if each.name in ("pois", "tickets", "counters", "slots", "bookings", "redemptions", "ledger")
)
"""What of it the predecessor has."""

SIGNS_OF_USE = tuple(each for each in ENTITIES if each not in PREDECESSOR)
"""What is in a store only when its service has run."""


def open_side(url: str, *, writable: bool) -> Side:
    """The store as one that is moved from or, if it is `writable`, to. Only its own driver is imported."""
    if kind_of(url) == "mongodb":
        from ticketing_service.storage.mongo import transfer as mongo  # noqa: PLC0415

        return mongo.open_side(url, writable=writable)
    from ticketing_service.storage.sql import transfer as sql  # noqa: PLC0415

    return sql.open_side(url, writable=writable)


def open_predecessor(url: str, data_dir: Path) -> Side:
    """The predecessor's database, as one that is moved from; the keys of `data_dir` sign its admissions anew.
    Raises StoreUnavailable, TransferFault.
    """
    from ticketing_service.storage.predecessor import side  # noqa: PLC0415

    return side.open_side(url, data_dir)


def is_current(url: str) -> bool:
    """Whether the store has the shape that this release expects. Raises `StoreUnavailable`."""
    if kind_of(url) == "mongodb":
        from ticketing_service.storage.mongo import transfer as mongo  # noqa: PLC0415

        return mongo.is_current(url)
    from ticketing_service.storage.sql import transfer as sql  # noqa: PLC0415

    return sql.is_current(url)


def violations(url: str) -> list[str]:
    """A line for each invariant that the store breaks: counters are what their claims add up to, the books
    what was captured and given back. Raises `StoreUnavailable`.
    """
    if kind_of(url) == "mongodb":
        from ticketing_service.storage.mongo import transfer as mongo  # noqa: PLC0415

        return mongo.violations(url)
    from ticketing_service.storage.sql import transfer as sql  # noqa: PLC0415

    return sql.violations(url)
