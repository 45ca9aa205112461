"""What an offline gate is told of cancellations."""

from __future__ import annotations

from datetime import timedelta

from tests.worker.shop import Shop
from ticketing_service.actions.redemptions import LATEST_COMMIT, find_revocations
from ticketing_service.domain.refunds import plan_cancellation
from ticketing_service.storage.ports.bookings import Cancellation


def test_a_cancellation_committed_after_the_gates_last_question_is_told_at_the_next(shop: Shop) -> None:
    booking = shop.world.sold(shop.world.slot(), 1)
    dated = shop.ports.clock()
    shop.store.bookings.cancel(
        booking.id,
        lambda found: plan_cancellation(found, None, dated),
        Cancellation(actor="test", reason="ill"),
        dated,
    )

    def told(since_cancelled: timedelta) -> int:
        return len(find_revocations(dated + since_cancelled, 10, None, shop.ports).items)

    assert told(LATEST_COMMIT) == 1
    assert told(LATEST_COMMIT + timedelta(milliseconds=1)) == 0
