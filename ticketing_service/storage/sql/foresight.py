"""Whether a hold that was worked out beforehand is still right (see `storage.foresight`)."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from common.database.prepared import Prepared
from ticketing_service.storage.foresight import Foreseen
from ticketing_service.storage.sql import schema

_slots, _tickets = schema.slots, schema.tickets
_VERSIONS = Prepared(
    select(_slots.c.version, _tickets.c.version.label("ticket_version"))
    .join_from(_slots, _tickets, _slots.c.ticket_id == _tickets.c.id)
    .where(_slots.c.id == bindparam("slot"))
    .with_for_update(read=True)
)


def still_holds(connection: Connection, foreseen: Foreseen) -> bool:
    """Whether slots and tickets are as they were; nobody changes them before this transaction ends."""
    # in the order of their ids, so that two sales never wait for each other in a circle
    for slot_id, offer in sorted(foreseen.offers.items()):
        if _VERSIONS.row(connection, slot=slot_id) != (offer.slot.version, offer.ticket.version):
            return False
    return True
