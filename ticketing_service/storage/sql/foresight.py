"""Whether what an earlier sale saw is still right (see `storage.foresight`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection, bindparam, select

from common.database.prepared import Prepared
from ticketing_service.domain.orders import Offer
from ticketing_service.storage.foresight import KnownOffers
from ticketing_service.storage.sql import schema
from ticketing_service.storage.sql.slot_records import COUNTER_COLUMNS, counters_by_slot
from ticketing_service.storage.sql.slots import offers_in

_slots, _tickets = schema.slots, schema.tickets
_counters, _links = schema.counters, schema.slot_counters
_SELECT_VERSIONS = (
    select(_slots.c.version, _tickets.c.version.label("ticket_version"))
    .join_from(_slots, _tickets, _slots.c.ticket_id == _tickets.c.id)
    .where(_slots.c.id == bindparam("slot"))
)
_VERSIONS = Prepared(_SELECT_VERSIONS.with_for_update(read=True))
_VERSIONS_AND_COUNTERS = Prepared(
    _SELECT_VERSIONS.add_columns(*COUNTER_COLUMNS)
    .join(_links, _links.c.slot_id == _slots.c.id)
    .join(_counters, _counters.c.id == _links.c.counter_id)
)


def still_holds(connection: Connection, offers: Mapping[UUID, Offer]) -> bool:
    """Whether slots and tickets are as they were; nobody changes them before this transaction ends."""
    # in the order of their ids, so that two sales never wait for each other in a circle
    for slot_id, offer in sorted(offers.items()):
        if _VERSIONS.row(connection, slot=slot_id) != (offer.slot.version, offer.ticket.version):
            return False
    return True


def offers_now(connection: Connection, slot_ids: Iterable[UUID], known: KnownOffers) -> dict[UUID, Offer]:
    """As `offers_in` without a lock; of what is known and has not changed, the counters alone are read."""
    offers, wanted = {}, set(slot_ids)
    for slot_id in wanted:
        if (offer := known.offer(slot_id)) is not None:
            rows = _VERSIONS_AND_COUNTERS.rows(connection, slot=slot_id)
            if rows and rows[0][:2] == (offer.slot.version, offer.ticket.version):
                counters = counters_by_slot(row[2:] for row in rows)[slot_id]
                offers[slot_id] = replace(offer, slot=replace(offer.slot, counters=counters))
    return offers | offers_in(connection, wanted - offers.keys(), lock=False)
