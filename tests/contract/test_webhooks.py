"""Subscriptions to webhooks: versions, owners, and how many."""

from __future__ import annotations

from dataclasses import replace

import pytest

from common.identifiers import uuid7
from tests.contract.builders import (
    NOW,
    make_reseller,
    make_subscription,
)
from tests.contract.telling import AFTER, EVERYTHING, LATER, MOST, told
from tests.contract.world import World
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.webhooks import (
    EventType,
    Health,
    SigningSecret,
    Subscription,
)
from ticketing_service.storage.port import Store


def test_a_subscription_comes_back_as_it_was_made(store: Store) -> None:
    reseller = store.resellers.create(make_reseller())
    secrets = (SigningSecret(2, "new"), SigningSecret(1, "old", AFTER))
    health = Health(failures=7, openings=2, closed_until=LATER, last_error="gone", last_failure_at=NOW)
    for each in (
        make_subscription(),
        make_subscription(reseller, is_test=True, active=False, secrets=secrets, health=health),
        make_subscription(reseller, octo=()),
        make_subscription(reseller, octo=("octo/pricing",)),
    ):
        assert store.webhooks.create(each, MOST) == each
        assert store.webhooks.get(each.id) == each
    assert store.webhooks.get(uuid7()) is None


def test_a_replaced_one_has_the_next_version_and_an_old_version_changes_nothing(
    store: Store, hears: Subscription
) -> None:
    changed = replace(hears, url="https://other.example.org", events=(EventType.PRODUCT,), active=False)
    stored = store.webhooks.replace(changed, 1)
    assert stored == replace(changed, version=2) == store.webhooks.get(hears.id)
    for refusing in (
        lambda: store.webhooks.replace(hears, 1),
        lambda: store.webhooks.delete(hears.id, 1, NOW),
    ):
        with pytest.raises(Refused) as refused:
            refusing()
        assert (refused.value.code, refused.value.facts) == (Code.VERSION_CONFLICT, {"version": 2})
    with pytest.raises(Refused) as refused:
        store.webhooks.replace(make_subscription(), 1)
    assert refused.value.code is Code.SUBSCRIPTION_NOT_FOUND


def test_a_deleted_one_is_gone_and_its_deliveries_are_swept_up(
    world: World, store: Store, hears: Subscription
) -> None:
    world.hold(world.slot())
    assert told(store, hears)
    store.webhooks.delete(hears.id, 1, NOW)
    assert store.webhooks.get(hears.id) is None
    assert store.webhooks.page(None, False, 10, None).items == ()
    assert store.webhooks.due(AFTER) == ()
    while store.webhooks.prune(NOW, NOW, EVERYTHING, 2):
        pass
    assert store.webhooks.deliveries(hears.id, None, 10, None).items == ()


def test_pages_show_the_newest_first_and_to_a_reseller_its_own(store: Store) -> None:
    reseller = store.resellers.create(make_reseller())
    made = [
        store.webhooks.create(make_subscription(owner, is_test=is_test), MOST)
        for owner, is_test in ((None, False), (reseller, False), (reseller, True), (reseller, False))
    ]
    page = store.webhooks.page
    first = page(None, False, 3, None)
    second = page(None, False, 3, first.next_cursor)
    assert (*first.items, *second.items) == tuple(reversed(made))
    assert page(reseller.id, False, 10, None).items == (made[3], made[1])
    assert page(reseller.id, True, 10, None).items == (made[2],)


def test_nobody_has_more_than_the_most_nor_any_for_an_unknown_reseller(store: Store) -> None:
    reseller = store.resellers.create(make_reseller())
    for owner in (reseller, None):
        kept = [store.webhooks.create(make_subscription(owner), 2) for _ in range(2)]
        with pytest.raises(Refused) as refused:
            store.webhooks.create(make_subscription(owner), 2)
        assert refused.value.code is Code.TOO_MANY_SUBSCRIPTIONS
        store.webhooks.delete(kept[0].id, 1, NOW)
        store.webhooks.create(make_subscription(owner), 2)
    with pytest.raises(Refused) as refused:
        store.webhooks.create(make_subscription(make_reseller()), 2)
    assert refused.value.code is Code.RESELLER_NOT_FOUND
