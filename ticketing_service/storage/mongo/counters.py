"""Capacity counters: the one place where it is decided whether something scarce is left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from common.mongo.transaction import Transaction
from common.mongo.values import Document, ms
from ticketing_service.domain.claims import Claim, ClaimKind
from ticketing_service.domain.errors import Refused
from ticketing_service.domain.slots import Counter
from ticketing_service.storage.mongo import schema
from ticketing_service.storage.mongo.booking_file import BookingFile
from ticketing_service.storage.mongo.slot_records import new_counter
from ticketing_service.storage.ports.slots import CountedAgain

ReleaseExpired = Callable[[UUID], bool]
"""Gives back expired holds that stand on a counter; says whether there were any."""

_TAKEN = ("$held", "$sold")


def claim(file: BookingFile, claims: Sequence[Claim], held_until: datetime) -> None:
    """Write down what the booking takes; `take` decides whether it may."""
    file.claims.extend(
        {
            "counter_id": each.counter_id,
            "item_id": each.item_id or file.id,
            "kind": each.kind.value,
            "quantity": each.quantity,
            "held_until": ms(held_until),
        }
        for each in claims
    )


def take(
    tx: Transaction,
    claims: Sequence[Claim],
    release_expired: ReleaseExpired,
    on_demand: Mapping[UUID, Counter] = MappingProxyType({}),
) -> None:
    """Hold all of `claims`, or none and raise the refusal of the first that is refused.

    Claims on one counter are decided together, against what is left once, and counters are taken in the order
    of their ids. Counters of `on_demand` come into being with their first claim, and have the capacity that
    they are given here, whatever it was before.
    """
    by_counter: dict[UUID, list[Claim]] = defaultdict(list)
    for each in claims:
        by_counter[each.counter_id].append(each)
    held: list[tuple[UUID, int]] = []
    for counter_id, together in sorted(by_counter.items()):
        wanted = sum(each.quantity for each in together)
        own = on_demand.get(counter_id)
        while not _taken(tx, counter_id, wanted, own):
            if own is not None and _begin(tx, own, together[0].kind, wanted):
                break
            if not release_expired(counter_id):
                # whoever goes on in spite of the refusal has taken nothing
                _give_up(tx, held)
                raise _refusal(tx, together[0], wanted)
        held.append((counter_id, wanted))


def _taken(tx: Transaction, counter_id: UUID, wanted: int, own: Counter | None) -> bool:
    """The guard: the document changes only if there is room for what is wanted. Everything else about a sale
    rests on this. The capacity of a counter that one customer or guest has alone is the rule of this moment.
    """
    change: Document = {"$inc": {"held": wanted}}
    if own is None or own.capacity is None:
        return tx.update(schema.counters, {"_id": counter_id, **_room(wanted)}, change) == 1
    within = {"$expr": {"$lte": [{"$add": [*_TAKEN, wanted]}, own.capacity]}}
    change["$set"] = {"capacity": own.capacity}
    return tx.update(schema.counters, {"_id": counter_id, **within}, change) == 1


def _room(wanted: int) -> Document:
    return {"$or": [{"capacity": None}, {"$expr": {"$lte": [{"$add": [*_TAKEN, wanted]}, "$capacity"]}}]}


def _begin(tx: Transaction, counter: Counter, kind: ClaimKind, held: int) -> bool:
    """Make the counter with its first claim; False when it is there (and refused)."""
    if counter.capacity is not None and held > counter.capacity:
        return False
    made = new_counter(counter.id, counter.capacity, held, transient=kind is ClaimKind.GUEST)
    return tx.insert_new(schema.counters, made)


def _give_up(tx: Transaction, held: Iterable[tuple[UUID, int]]) -> None:
    tx.update_each(
        schema.counters, [({"_id": counter_id}, {"$inc": {"held": -wanted}}) for counter_id, wanted in held]
    )


def leave(tx: Transaction, claims: Iterable[Claim]) -> None:
    """Give back what was taken in this transaction, and written down nowhere."""
    _give_up(tx, [(each.counter_id, each.quantity) for each in claims])


def settle(file: BookingFile) -> None:
    """What is held becomes sold; what only stood for the hold itself is given back."""
    for each in file.claims:
        if each["held_until"] is None:
            continue
        is_guest = each["kind"] == ClaimKind.GUEST.value
        file.moves[each["counter_id"]][0] -= each["quantity"]
        file.moves[each["counter_id"]][1] += 0 if is_guest else each["quantity"]
        each["held_until"] = None
    file.claims[:] = [each for each in file.claims if each["kind"] != ClaimKind.GUEST.value]


def give_back(file: BookingFile, kinds: Iterable[ClaimKind] = ClaimKind) -> None:
    """Return all that the booking takes of counters, held or sold."""
    chosen = {kind.value for kind in kinds}
    for each in file.claims:
        if each["kind"] in chosen:
            file.moves[each["counter_id"]][each["held_until"] is None] -= each["quantity"]
    file.claims[:] = [each for each in file.claims if each["kind"] not in chosen]


def give_back_credit(file: BookingFile, amount: int) -> None:
    """So much of what the reseller owed for a sold booking is owed no more."""
    for each in file.claims:
        if each["kind"] == ClaimKind.CREDIT.value:
            file.moves[each["counter_id"]][1] -= amount
            each["quantity"] -= amount
    file.claims[:] = [
        each for each in file.claims if each["kind"] != ClaimKind.CREDIT.value or each["quantity"]
    ]


def give_back_people(file: BookingFile, people_by_item: Mapping[UUID, int]) -> None:
    """Return the places of some people of the booking's items."""
    for each in file.claims:
        people = people_by_item.get(each["item_id"], 0)
        file.moves[each["counter_id"]][each["held_until"] is None] -= people
        each["quantity"] -= people


def prolong(file: BookingFile, held_until: datetime) -> None:
    """The hold's claims stand until `held_until`."""
    for each in file.claims:
        if each["held_until"] is not None:
            each["held_until"] = ms(held_until)


def counters_drawn_on(reading: Transaction, booking_id: UUID) -> list[UUID]:
    """The counters of the booking's claims: who settles or returns them takes turns on these."""
    found = reading.one(schema.bookings, {"_id": booking_id}, ["claims.counter_id"])
    return [] if found is None else [each["counter_id"] for each in found["claims"]]


def expired_on(tx: Transaction, counter_id: UUID, now: datetime, limit: int) -> list[UUID]:
    """Bookings whose hold on the counter has ended and was not given back yet."""
    ended = {"counter_id": counter_id, "held_until": {"$type": "long", "$lte": ms(now)}}
    found = tx.find(schema.bookings, {"claims": {"$elemMatch": ended}}, limit=limit, fields=["_id"])
    return [each["_id"] for each in found]


def count_again(tx: Transaction, after: UUID | None, limit: int) -> CountedAgain:
    """`SlotStore.count_again`. At one moment."""
    beyond = {} if after is None else {"_id": {"$gt": after}}
    page = tx.find(schema.counters, beyond, sort=[("_id", 1)], limit=limit)
    ids = [each["_id"] for each in page]
    of_these = {"claims.counter_id": {"$in": ids}}
    totals = tx.aggregate(
        schema.bookings,
        [
            {"$match": of_these},
            {"$unwind": "$claims"},
            {"$match": of_these},
            {
                "$group": {
                    "_id": {
                        "counter": "$claims.counter_id",
                        "sold": {"$eq": ["$claims.held_until", None]},
                    },
                    "quantity": {"$sum": "$claims.quantity"},
                }
            },
        ],
    )
    claimed = {(each["_id"]["counter"], each["_id"]["sold"]): each["quantity"] for each in totals}
    drifted = [
        each["_id"]
        for each in page
        if (each["held"], each["sold"])
        != tuple(claimed.get((each["_id"], sold), 0) for sold in (False, True))
    ]
    return CountedAgain(tuple(drifted), ids[-1] if len(ids) == limit else None)


def _refusal(tx: Transaction, claim: Claim, wanted: int) -> Refused:
    if claim.kind is not ClaimKind.SEAT:
        return Refused(claim.refusal, pointer=claim.pointer)
    found = tx.one(schema.counters, {"_id": claim.counter_id})
    left = 0 if found is None else max(0, found["capacity"] - found["held"] - found["sold"])
    return Refused(
        claim.refusal,
        f"{wanted} wanted, {left} left.",
        claim.pointer,
        {"wanted": wanted, "vacancies": left},
    )
