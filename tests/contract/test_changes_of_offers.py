"""What a store tells when staff, a schedule or the directory changed what is for sale."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.contract.builders import NOW, make_poi, make_ticket
from tests.contract.hearing import Heard, bare, heard, sale
from tests.faults.sale import Sale
from ticketing_service.domain.catalogue import TicketStatus
from ticketing_service.domain.errors import Refused
from ticketing_service.domain.slots import SlotChange
from ticketing_service.storage.changes import Change

__all__ = ["bare", "heard", "sale"]


def test_staff_change_slots(sale: Sale, heard: Heard) -> None:
    ticket = sale.ticket()
    heard.taken()
    outcome = sale.schedule(ticket, days=3)
    this = frozenset({ticket.id})
    assert outcome.created == 3
    assert heard.taken() == [
        Change(verb="slots.put_schedule", ticket_ids=this, slots_changed=3, anywhere=True)
    ]
    slot = sale.slots(ticket)[0]
    told: dict[str, Any] = {"ticket_ids": this, "slot_ids": frozenset({slot.id}), "slots_changed": 1}
    sale.store.slots.change(slot.id, SlotChange(capacity=3), NOW)
    sale.store.slots.cancel(slot.id, "storm", "staff", NOW)
    assert heard.taken() == [Change(verb="slots.change", **told), Change(verb="slots.cancel", **told)]
    with pytest.raises(Refused, match="SLOT_CANCELLED"):
        sale.store.slots.change(slot.id, SlotChange(capacity=4), NOW)
    assert heard.taken() == []


def test_the_catalogue_changes(sale: Sale, heard: Heard) -> None:
    ticket = sale.store.catalogue.create(make_ticket())
    archived = replace(ticket, status=TicketStatus.ARCHIVED)
    sale.store.catalogue.replace(archived, ticket.version)
    this = frozenset({ticket.id})
    assert heard.taken() == [
        Change(verb="catalogue.create", ticket_ids=this),
        Change(verb="catalogue.replace", ticket_ids=this),
    ]
    with pytest.raises(Refused, match="VERSION_CONFLICT"):
        sale.store.catalogue.replace(archived, ticket.version)
    poi = make_poi()
    assert sale.store.catalogue.put_pois([poi]) == 1
    assert sale.store.catalogue.put_pois([poi]) == 0
    assert heard.taken() == [Change(verb="catalogue.put_pois", anywhere=True)]
