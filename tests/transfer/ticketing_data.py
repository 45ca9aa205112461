"""A little of everything that the ticketing service keeps, made through its ports."""

from __future__ import annotations

import io
import random
from functools import partial

from tests.contract.builders import (
    NOW,
    make_poi,
    make_reseller,
    make_reseller_key,
    make_scan,
    make_subscription,
)
from tests.contract.test_resale import make_resale
from tests.contract.world import World
from tests.invariants.client import Client
from tests.invariants.destination import open_destination
from ticketing_service.domain.admissions import Admission
from ticketing_service.domain.catalogue import TicketType
from ticketing_service.domain.resellers import Credit
from ticketing_service.domain.webhooks import Outcome
from ticketing_service.storage.opening import open_store

OPERATIONS = 60


def fill_ticketing(url: str) -> None:
    """Put it into the store, which was migrated and is empty."""
    store = open_store(url, threads=2)
    try:
        store.catalogue.put_pois([make_poi(), make_poi(names={"en": "Mill", "fr": "Moulin à vent"})])
        world = World(store)
        destination = open_destination(store, 40, max_uses=3)
        chance = random.Random(7)
        Client("one", store, destination, [], io.BytesIO()).run(chance, OPERATIONS)
        reseller = store.resellers.create(
            make_reseller(
                ticket_ids=(world.ticket().id,), credit=(Credit(currency="EUR", limit=9000, paid=70),)
            )
        )
        store.resellers.create(make_reseller("Day Tours", active=False))
        for key in (make_reseller_key(reseller), make_reseller_key(reseller, is_test=True)):
            store.resellers.add_key(key)
        store.resellers.revoke_key(reseller.id, key.id, NOW)
        for subscription in (make_subscription(), make_subscription(reseller, is_test=True)):
            store.webhooks.create(subscription, 10)
        store.webhooks.delete(subscription.id, 1, NOW)
        world.hold(world.slot(), reseller=make_reseller(), is_test=True)
        store.webhooks.spread(NOW, 100)
        for each in store.webhooks.claim(store.webhooks.page(None, False, 1, None).items[0].id, NOW, NOW, 1):
            store.webhooks.settle(each, Outcome(delivered=True, status_code=204, milliseconds=9), NOW)
        world.hold(world.slot(), reseller=make_reseller(), resale=make_resale())
        admission = world.admission(type=TicketType.MULTI_DAY, valid_days=3)
        for day in ("2026-07-01", "2026-07-02"):
            store.admissions.redeem(make_scan(admission), partial(_on, day), NOW)
        store.admissions.put_document(admission.booking_id, 1, b"%PDF \x00\xff", NOW)
        store.platform.keep({"revision": 3, "values": {"sales.holdMinutes": 15}, "mode": "normal"}, NOW)
        store.outbox.add("mail", {"template": "confirmation", "with.a.dot": 1.5}, NOW)
    finally:
        store.close()


def _on(day: str, _: Admission) -> str:
    return day
