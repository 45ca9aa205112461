"""All ports of one store; the Protocols are in `ports/`, a file an aggregate.

Every verb that writes takes `idempotency`: with one, the answer is kept in the same commit, a repetition
raises `common.web.idempotency.Replayed` and another request under the same key raises `KeyReused`. Every verb
may raise `common.database.StoreUnavailable`; refusals are `ticketing_service.domain.errors.Refused`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ticketing_service.storage.ports.admissions import AdmissionStore
from ticketing_service.storage.ports.bookings import BookingStore
from ticketing_service.storage.ports.catalogue import CatalogueReads, CatalogueStore
from ticketing_service.storage.ports.ledger import LedgerStore
from ticketing_service.storage.ports.outbox import OutboxStore
from ticketing_service.storage.ports.payments import PaymentStore
from ticketing_service.storage.ports.people import PeopleStore
from ticketing_service.storage.ports.platform import PlatformStore
from ticketing_service.storage.ports.resellers import ResellerStore
from ticketing_service.storage.ports.slots import SlotReads, SlotStore
from ticketing_service.storage.ports.vouchers import VoucherStore
from ticketing_service.storage.ports.webhooks import WebhookStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What visitors are shown. It may come from a copy of the store, so nothing is decided on it."""

    catalogue: CatalogueReads
    slots: SlotReads


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """All ports of one store. `shown` is for what is read to be shown alone, and has all that was committed
    before. `ping` asks for a sign of life, on a connection of its own; `connections_in_use` counts those that
    are at work; `close` lets go of all.
    """

    kind: str
    catalogue: CatalogueStore
    slots: SlotStore
    bookings: BookingStore
    payments: PaymentStore
    admissions: AdmissionStore
    vouchers: VoucherStore
    resellers: ResellerStore
    webhooks: WebhookStore
    ledger: LedgerStore
    people: PeopleStore
    platform: PlatformStore
    outbox: OutboxStore
    shown: Shown
    ping: Callable[[], None]
    connections_in_use: Callable[[], int]
    close: Callable[[], None]
