"""What an order would cost, and whether it could be booked now. A quote takes nothing from any counter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from ticketing_service.actions.ports import Ports
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.orders import ItemOrder, Offer
from ticketing_service.domain.pricing import PricedBooking, price_booking
from ticketing_service.domain.resellers import Reseller
from ticketing_service.domain.vouchers import Voucher


@dataclass(frozen=True, slots=True, kw_only=True)
class AskQuote:
    items: tuple[ItemOrder, ...]
    voucher_code: str | None = None
    reseller: Reseller | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """`priced` is None when the order cannot even be priced; `reasons` say why it cannot be booked."""

    priced: PricedBooking | None
    reasons: tuple[Refused, ...]

    @property
    def can_book(self) -> bool:
        return not self.reasons


def ask_quote(command: AskQuote, ports: Ports) -> Quote:
    """Says no by reasons, never by raising a refusal. A voucher's uses per customer are not asked."""
    offers = ports.store.slots.offers({item.slot_id for item in command.items})
    reasons: list[Refused] = []
    voucher: Voucher | None = None
    if command.voucher_code is not None:
        voucher = ports.store.vouchers.by_code(command.voucher_code)
        reasons += _voucher_reasons(voucher)
    try:
        matched = offers_in_order(command.items, offers)
        priced = price_booking(command.items, matched, voucher, ports.policy, ports.clock(), command.reseller)
    except Refused as refused:
        return Quote(priced=None, reasons=(*reasons, refused))
    reasons += _vacancy_reasons(command.items, matched, priced)
    return Quote(priced=priced, reasons=tuple(reasons))


def offers_in_order(items: tuple[ItemOrder, ...], offers: Mapping[UUID, Offer]) -> tuple[Offer, ...]:
    """The offer of each item. Raises SLOT_NOT_FOUND with the item's pointer."""
    for index, item in enumerate(items):
        if item.slot_id not in offers or not item.is_of(offers[item.slot_id].slot):
            raise Refused(Code.SLOT_NOT_FOUND, pointer=f"/items/{index}/slotId")
    return tuple(offers[item.slot_id] for item in items)


def _voucher_reasons(voucher: Voucher | None) -> Iterator[Refused]:
    if voucher is None:
        yield Refused(Code.VOUCHER_UNKNOWN, pointer="/voucherCode")
    elif voucher.max_uses is not None and voucher.used >= voucher.max_uses:
        yield Refused(Code.VOUCHER_EXHAUSTED, pointer="/voucherCode")


def _vacancy_reasons(
    items: tuple[ItemOrder, ...], offers: tuple[Offer, ...], priced: PricedBooking
) -> Iterator[Refused]:
    """What several items take of one counter adds up, as it does in a sale."""
    wanted: Counter[UUID] = Counter()
    for index, (offer, people) in enumerate(zip(offers, priced.people, strict=True)):
        for counter in offer.slot.counters:
            wanted[counter.id] += people
        left = [
            counter.vacancies
            for counter in offer.slot.counters
            if counter.vacancies is not None and wanted[counter.id] > counter.vacancies
        ]
        if left:
            yield Refused(
                Code.SOLD_OUT, f"{min(left)} places are left.", f"/items/{index}", {"vacancies": min(left)}
            )
