"""A small destination with too few places: own and shared capacities, a combo, free and paid, vouchers."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from uuid import UUID

from common.clock import to_milliseconds
from tests.contract.builders import (
    make_option,
    make_order,
    make_reseller,
    make_schedule,
    make_voucher,
    plain_unit,
)
from tests.contract.world import World
from ticketing_service.domain.catalogue import Ticket
from ticketing_service.domain.orders import HoldOrder, ItemOrder, Offer, UnitQuantity
from ticketing_service.domain.pricing import PricedBooking, SalePolicy, price_booking
from ticketing_service.domain.resellers import Credit, Reseller
from ticketing_service.domain.vouchers import Voucher
from ticketing_service.storage.port import Store
from ticketing_service.storage.ports.calls import Pricing

POLICY = SalePolicy(fee=250)
MOST_ITEMS, MOST_UNITS = 2, 3


@dataclass(frozen=True, slots=True)
class Offered:
    """A slot as a client knows it: ids as text, the people whom each unit brings."""

    slot: str
    units: list[tuple[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """What clients fight for; travels to their processes as JSON."""

    offers: list[Offered]
    vouchers: list[str]
    resellers: list[str]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        offers = [
            Offered(each["slot"], [tuple(unit) for unit in each["units"]]) for each in document["offers"]
        ]
        return cls(offers=offers, vouchers=list(document["vouchers"]), resellers=list(document["resellers"]))

    def document(self) -> dict[str, Any]:
        return asdict(self)

    def items(self, chance: random.Random) -> tuple[ItemOrder, ...]:
        """One or two slots, each for a party of random size."""
        chosen = chance.sample(self.offers, chance.choice([1, 1, 1, MOST_ITEMS]))
        return tuple(
            ItemOrder(
                UUID(offered.slot),
                tuple(
                    UnitQuantity(UUID(unit), chance.randint(1, MOST_UNITS))
                    for unit, _ in chance.sample(offered.units, chance.randint(1, len(offered.units)))
                ),
            )
            for offered in chosen
        )


def local_now() -> datetime:
    """The clock of all processes of a run: they share the machine's."""
    return to_milliseconds(datetime.now(UTC))


def open_destination(store: Store, capacity: int, max_uses: int) -> Destination:
    """Four tickets, six slots, seven counters of `capacity` people each; two vouchers of `max_uses`; two
    resellers, one of them with too little credit.
    """
    now, world = local_now(), World(store)
    tomorrow = (now + timedelta(days=30)).date()
    tickets = [
        _ticket(world, "Tower", price=0),
        _ticket(world, "Museum", price=1250),
        _ticket(world, "Boat", price=900, resource_ids=("boat",)),
        _ticket(world, "Boat for groups", price=0, resource_ids=("boat",)),
        _ticket(world, "Boat and hall", price=2100, resource_ids=("boat", "hall")),
    ]
    offers = []
    for ticket in tickets:
        starts = ("10:00", "12:00") if ticket.options[0].resource_ids == () else ("10:00",)
        world.put(
            ticket, make_schedule(ticket, first_day=tomorrow, start_times=starts, capacity=capacity), now
        )
        units = [(str(unit.id), unit.pax_count) for unit in ticket.options[0].units]
        offers += [Offered(str(slot.id), units) for slot in world.slots(ticket, tomorrow, 2)]
    vouchers = [_voucher(store, code, now, max_uses) for code in ("SPRING", "AUTUMN")]
    resellers = [
        store.resellers.create(
            make_reseller(
                max_holds=30,
                markup_basis_points=500,
                net_basis_points=8000,
                credit=(Credit(currency="EUR", limit=limit),),
            )
        )
        for limit in (20_000, 10_000_000)
    ]
    return Destination(
        offers=offers,
        vouchers=[voucher.code for voucher in vouchers],
        resellers=[str(reseller.id) for reseller in resellers],
    )


def _ticket(world: World, title: str, price: int, **option: Any) -> Ticket:
    units = (plain_unit(price), plain_unit(price * 3, pax_count=4))
    return world.ticket(title, options=(make_option(*units, **option),))


def _voucher(store: Store, code: str, now: datetime, max_uses: int) -> Voucher:
    validity = {"valid_from": now - timedelta(days=1), "valid_until": now + timedelta(days=1)}
    return store.vouchers.create(make_voucher(code, max_uses=max_uses, **validity))


def order_of(items: tuple[ItemOrder, ...], **changes: Any) -> HoldOrder:
    """A new booking of `items`."""
    return make_order(items=items, **changes)


def pricing_of(items: tuple[ItemOrder, ...], now: datetime, reseller: Reseller | None = None) -> Pricing:
    """The prices of the domain."""

    def price(offers: Mapping[UUID, Offer], voucher: Voucher | None) -> PricedBooking:
        matched = [offers[item.slot_id] for item in items]
        return price_booking(items, matched, voucher, POLICY, now, reseller)

    return price
