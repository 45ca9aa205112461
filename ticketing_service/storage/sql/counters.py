"""Capacity counters: the one place where it is decided whether something scarce is left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    Connection,
    Integer,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from common.database.inserting import insert_new_on
from common.database.prepared import Prepared, Target
from ticketing_service.domain.claims import Claim, ClaimKind
from ticketing_service.domain.errors import Refused
from ticketing_service.domain.slots import Counter
from ticketing_service.storage.ports.slots import CountedAgain
from ticketing_service.storage.sql import schema

_counters, _claims = schema.counters, schema.claims
_wanted: BindParameter[int] = bindparam("wanted")
_limit: BindParameter[int] = bindparam("limit", type_=Integer)

# The guard: the row changes only if there is room for what is wanted. Everything else about a sale rests on
# this.
_TAKE = Prepared(
    update(_counters)
    .where(
        _counters.c.id == bindparam("counter"),
        or_(
            _counters.c.capacity.is_(None),
            _counters.c.held + _counters.c.sold + _wanted <= _counters.c.capacity,
        ),
    )
    .values(held=_counters.c.held + _wanted)
)
# The same for a counter that one customer or guest has alone: its capacity is the rule of this moment.
_TAKE_WITHIN = Prepared(
    update(_counters)
    .where(_counters.c.id == bindparam("counter"), _counters.c.held + _counters.c.sold + _wanted <= _limit)
    .values(held=_counters.c.held + _wanted, capacity=_limit)
)
_MOVE = Prepared(
    update(_counters)
    .where(_counters.c.id == bindparam("counter"))
    .values(held=_counters.c.held + bindparam("to_held"), sold=_counters.c.sold + bindparam("to_sold"))
)
_SETTLE = Prepared(
    update(_claims)
    .where(_claims.c.booking_id == bindparam("booking"), _claims.c.kind != ClaimKind.GUEST.value)
    .values(held_until=None)
)

_INSERT_CLAIM = Prepared(insert(_claims))
_MINE = _claims.c.booking_id == bindparam("booking")
_CLAIMS = Prepared(select(_claims).where(_MINE))
_END_GUEST_CLAIMS = Prepared(delete(_claims).where(_MINE, _claims.c.kind == ClaimKind.GUEST.value))
_BEGIN = Prepared(lambda dialect: insert_new_on(dialect, _counters))

ReleaseExpired = Callable[[UUID], bool]
"""Gives back expired holds that stand on a counter; says whether there were any."""


def take(
    connection: Connection,
    booking_id: UUID,
    claims: Sequence[Claim],
    held_until: datetime,
    release_expired: ReleaseExpired,
    on_demand: Mapping[UUID, Counter] = MappingProxyType({}),
) -> None:
    """Hold all of `claims` or raise the refusal of the first that is refused (the caller's savepoint undoes
    the rest).

    Claims on one counter are decided together, against what is left once, and counters are taken in the order
    of their ids, so that two sales never wait for each other in a circle. Counters of `on_demand` come into
    being with their first claim, and have the capacity that they are given here, whatever it was before.
    """
    write_claims(connection, booking_id, claims, held_until)
    draw(connection, claims, release_expired, on_demand)


def write_claims(target: Target, booking_id: UUID, claims: Sequence[Claim], held_until: datetime) -> None:
    """What the booking takes of counters; whether it may is for `draw` to say."""
    _INSERT_CLAIM.run_all(
        target,
        (
            {
                "booking_id": booking_id,
                "counter_id": claim.counter_id,
                "item_id": claim.item_id or booking_id,
                "kind": claim.kind.value,
                "quantity": claim.quantity,
                "held_until": held_until,
            }
            for claim in claims
        ),
    )


def draw(
    connection: Connection,
    claims: Sequence[Claim],
    release_expired: ReleaseExpired,
    on_demand: Mapping[UUID, Counter] = MappingProxyType({}),
) -> None:
    """`take` without writing the claims."""
    by_counter: dict[UUID, list[Claim]] = defaultdict(list)
    for claim in claims:
        by_counter[claim.counter_id].append(claim)
    for counter_id, together in sorted(by_counter.items()):
        wanted = sum(claim.quantity for claim in together)
        own = on_demand.get(counter_id)
        while not _taken(connection, counter_id, wanted, own):
            if own is not None and _begin(connection, own, together[0].kind, wanted):
                break
            if not release_expired(counter_id):
                raise _refusal(connection, together[0], wanted)


def _taken(connection: Connection, counter_id: UUID, wanted: int, own: Counter | None) -> bool:
    if own is None or own.capacity is None:
        return _TAKE.run(connection, counter=counter_id, wanted=wanted) == 1
    return _TAKE_WITHIN.run(connection, counter=counter_id, wanted=wanted, limit=own.capacity) == 1


def _begin(connection: Connection, counter: Counter, kind: ClaimKind, held: int) -> bool:
    """Make the counter with its first claim; False when it is there (and refused)."""
    if counter.capacity is not None and held > counter.capacity:
        return False
    made = _BEGIN.run(
        connection,
        id=counter.id,
        capacity=counter.capacity,
        held=held,
        sold=0,
        transient=kind is ClaimKind.GUEST,
    )
    return made == 1


def settle(connection: Connection, booking_id: UUID) -> None:
    """What is held becomes sold; what only stood for the hold itself is given back."""
    moves: dict[UUID, list[int]] = defaultdict(lambda: [0, 0])
    standing = False
    for claim in _CLAIMS.rows(connection, booking=booking_id):
        if claim.held_until is None:
            continue
        sold = 0 if claim.kind == ClaimKind.GUEST.value else claim.quantity
        standing = standing or sold == 0
        moves[claim.counter_id][0] -= claim.quantity
        moves[claim.counter_id][1] += sold
    if not moves:
        return
    _move(connection, moves)
    _SETTLE.run(connection, booking=booking_id)
    if standing:
        _END_GUEST_CLAIMS.run(connection, booking=booking_id)


def give_back(
    connection: Connection, booking_ids: Sequence[UUID], kinds: Iterable[ClaimKind] = ClaimKind
) -> None:
    """Return all that the bookings take of counters, held or sold."""
    chosen = [
        _claims.c.booking_id.in_(booking_ids),
        _claims.c.kind.in_([kind.value for kind in kinds]),
    ]
    moves: dict[UUID, list[int]] = defaultdict(lambda: [0, 0])
    for claim in connection.execute(select(_claims).where(*chosen)):
        moves[claim.counter_id][claim.held_until is None] -= claim.quantity
    if moves:
        _move(connection, moves)
        connection.execute(delete(_claims).where(*chosen))


def give_back_credit(connection: Connection, booking_id: UUID, amount: int) -> None:
    """So much of what the reseller owed for a sold booking is owed no more."""
    mine = (_claims.c.booking_id == booking_id, _claims.c.kind == ClaimKind.CREDIT.value)
    claim = connection.execute(select(_claims).where(*mine)).one_or_none()
    if claim is None or not amount:
        return
    if amount < claim.quantity:
        connection.execute(update(_claims).where(*mine).values(quantity=_claims.c.quantity - amount))
    else:
        connection.execute(delete(_claims).where(*mine))
    _move(connection, {claim.counter_id: [0, -amount]})


def give_back_people(connection: Connection, booking_id: UUID, people_by_item: dict[UUID, int]) -> None:
    """Return the places of some people of a booking's items."""
    mine = select(_claims).where(
        _claims.c.booking_id == booking_id, _claims.c.item_id.in_([i for i, n in people_by_item.items() if n])
    )
    moves: dict[UUID, list[int]] = defaultdict(lambda: [0, 0])
    for claim in connection.execute(mine).all():
        people = people_by_item[claim.item_id]
        moves[claim.counter_id][claim.held_until is None] -= people
        connection.execute(
            update(_claims)
            .where(
                _claims.c.booking_id == booking_id,
                _claims.c.counter_id == claim.counter_id,
                _claims.c.item_id == claim.item_id,
            )
            .values(quantity=_claims.c.quantity - people)
        )
    _move(connection, moves)


def prolong(connection: Connection, booking_id: UUID, held_until: datetime) -> None:
    """The hold's claims stand until `held_until`."""
    connection.execute(
        update(_claims)
        .where(_claims.c.booking_id == booking_id, _claims.c.held_until.is_not(None))
        .values(held_until=held_until)
    )


def expired_on(connection: Connection, counter_id: UUID, now: datetime, limit: int) -> list[UUID]:
    """Bookings whose hold on the counter has ended and was not given back yet, the oldest first."""
    statement = (
        select(_claims.c.booking_id)
        .where(_claims.c.counter_id == counter_id, _claims.c.held_until <= now)
        .order_by(_claims.c.held_until)
        .limit(limit)
    )
    return list(dict.fromkeys(connection.scalars(statement)))


def count_again(connection: Connection, after: UUID | None, limit: int) -> CountedAgain:
    """`SlotStore.count_again`. One statement, so that it sees one moment."""
    beyond = true() if after is None else _counters.c.id > after
    page = select(_counters).where(beyond).order_by(_counters.c.id).limit(limit).subquery()
    is_held = _claims.c.held_until.is_not(None)
    held = func.coalesce(func.sum(case((is_held, _claims.c.quantity), else_=0)), 0)
    taken = func.coalesce(func.sum(_claims.c.quantity), 0)
    statement = (
        select(page.c.id, page.c.held, page.c.sold, held.label("claimed_held"), taken.label("claimed"))
        .join_from(page, _claims, _claims.c.counter_id == page.c.id, isouter=True)
        .group_by(page.c.id, page.c.held, page.c.sold)
        .order_by(page.c.id)
    )
    rows = connection.execute(statement).all()
    drifted = [row.id for row in rows if (row.held, row.held + row.sold) != (row.claimed_held, row.claimed)]
    return CountedAgain(tuple(drifted), rows[-1].id if len(rows) == limit else None)


def _move(connection: Connection, moves: dict[UUID, list[int]]) -> None:
    rows = [
        {"counter": counter_id, "to_held": held, "to_sold": sold}
        for counter_id, (held, sold) in sorted(moves.items())
        if held or sold
    ]
    if rows:
        _MOVE.run_all(connection, rows)


def _refusal(connection: Connection, claim: Claim, wanted: int) -> Refused:
    if claim.kind is not ClaimKind.SEAT:
        return Refused(claim.refusal, pointer=claim.pointer)
    row = connection.execute(select(_counters).where(_counters.c.id == claim.counter_id)).one()
    left = max(0, row.capacity - row.held - row.sold)
    return Refused(
        claim.refusal,
        f"{wanted} wanted, {left} left.",
        claim.pointer,
        {"wanted": wanted, "vacancies": left},
    )
