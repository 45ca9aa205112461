"""The worker as a process: killed at the worst moment, and stopped."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.contract.builders import NOW
from tests.servers.process import Process
from tests.worker.shop import PRICE, Shop
from ticketing_service.domain.bookings import PaymentStatus
from ticketing_service.domain.refunds import plan_cancellation
from ticketing_service.storage.ports.bookings import Cancellation


def worker(shop: Shop, store_url: str, folder: Path, dies_after: str) -> Process:
    arguments = [store_url, folder, shop.sandbox.url, shop.smtp.url, str(shop.began), dies_after]
    return Process([sys.executable, "-m", "tests.worker.worker_process", *map(str, arguments)], name="worker")


@pytest.mark.parametrize("verb", ["capture", "refund"])
def test_a_worker_killed_after_the_modules_answer_is_followed_by_one_that_does_it_once(
    shop: Shop, store_url: str, tmp_path: Path, verb: str
) -> None:
    booking, payment = shop.authorised()
    if verb == "refund":
        shop.work_off()
        told = Cancellation(actor="test", reason="changed my mind")
        shop.store.bookings.cancel(
            booking.id, lambda found: plan_cancellation(found, None, NOW), told, shop.ports.clock()
        )
    wanted = PaymentStatus.CAPTURED if verb == "capture" else PaymentStatus.REFUNDED
    with worker(shop, store_url, tmp_path, verb) as first:
        assert first.wait() == -9
    assert shop.booking(booking).payment_status is not wanted

    def settled() -> bool:
        if verb == "refund":
            shop.sandbox.client.post(f"/sandbox/payments/{payment.provider_id}/refunds/settle")
            shop.observe(payment)
        return shop.booking(booking).payment_status is wanted

    with worker(shop, store_url, tmp_path, "none") as second:
        second.wait_until(settled, what="settled")
        second.wait_until(lambda: shop.store.outbox.depth(shop.ports.clock())[0] == 0, what="done")
        assert second.stop() == 0
    seen = shop.at_the_module(payment)
    assert seen["capturedAmount"] == PRICE
    assert [each["amount"] for each in seen["refunds"]] == ([PRICE] if verb == "refund" else [])
    assert len(shop.store.admissions.of_booking(booking.id)) == 1
