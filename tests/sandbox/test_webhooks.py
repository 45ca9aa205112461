"""Webhooks are signed, come until they are taken, and go wrong in the ways they are told to."""

from __future__ import annotations

from typing import Any

from tests.sandbox.running import OLD_SECRET, SECRET, Receiver, SandboxProcess, data, is_signed, wait_until


def deliveries(sandbox: SandboxProcess, payment_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = data(
        sandbox.client.get("/sandbox/deliveries", params={"paymentId": payment_id})
    )
    return found


def all_in_state(sandbox: SandboxProcess, payment_id: str, state: str) -> bool:
    return {delivery["state"] for delivery in deliveries(sandbox, payment_id)} == {state}


def test_a_webhook_carries_the_contracts_fields_and_the_first_secrets_signature(
    sandbox: SandboxProcess, receiver: Receiver
) -> None:
    payment_id = sandbox.create_in("authorize", resourceId="booking-1")
    webhook = receiver.wait(payment_id, 1)[0]
    occurred_at = webhook.body.pop("occurredAt")
    assert occurred_at.endswith("Z")
    assert webhook.body == {
        "event": "payment.authorized",
        "paymentId": payment_id,
        "resourceId": "booking-1",
        "status": "authorized",
        "amount": 2500,
        "currency": "EUR",
    }
    assert is_signed(webhook, SECRET)
    assert not is_signed(webhook, OLD_SECRET)


def test_a_webhook_is_sent_again_until_it_is_taken(sandbox: SandboxProcess, receiver: Receiver) -> None:
    receiver.status = 503
    payment_id = sandbox.create_in("authorize")
    calls = receiver.wait(payment_id, 3)
    assert calls[2].at - calls[1].at > calls[1].at - calls[0].at, "the wait grows"
    receiver.status = 204
    wait_until(lambda: all_in_state(sandbox, payment_id, "delivered"), "the webhook is taken")
    delivered = deliveries(sandbox, payment_id)[0]
    assert (delivered["attempts"], delivered["lastStatus"]) == (len(receiver.of(payment_id)), 204)
    assert len({call.raw for call in receiver.of(payment_id)}) == 1


def test_a_redirect_is_no_delivery(sandbox: SandboxProcess, receiver: Receiver) -> None:
    receiver.status = 302
    payment_id = sandbox.create_in("authorize")
    receiver.wait(payment_id, 2)
    assert all_in_state(sandbox, payment_id, "pending")


def test_lost_webhooks_come_when_they_are_flushed_newest_first(
    sandbox: SandboxProcess, receiver: Receiver
) -> None:
    sandbox.behave(webhooks={"delivery": "lost"})
    payment_id = sandbox.create_in("capture")
    assert all_in_state(sandbox, payment_id, "withheld")
    sandbox.behave()
    other = sandbox.create_in("authorize")
    receiver.wait(other, 1)
    assert receiver.of(payment_id) == []
    assert data(sandbox.client.post("/sandbox/deliveries/flush"))["released"] >= 2
    receiver.wait(payment_id, 2)
    assert receiver.events(payment_id) == ["payment.captured", "payment.authorized"]


def test_repeated_webhooks_come_as_often_as_told(sandbox: SandboxProcess, receiver: Receiver) -> None:
    sandbox.behave(webhooks={"delivery": "repeat", "repeat": 3})
    payment_id = sandbox.create_in("authorize")
    receiver.wait(payment_id, 3)
    wait_until(lambda: all_in_state(sandbox, payment_id, "delivered"), "all copies are sent")
    assert receiver.events(payment_id) == ["payment.authorized"] * 3


def test_reordered_webhooks_come_in_pairs_the_newer_first(
    sandbox: SandboxProcess, receiver: Receiver
) -> None:
    sandbox.behave(webhooks={"delivery": "reorder"})
    payment_id = sandbox.create_in("authorize")
    assert all_in_state(sandbox, payment_id, "withheld")
    sandbox.post(f"/{payment_id}/capture")
    receiver.wait(payment_id, 2)
    assert receiver.events(payment_id) == ["payment.captured", "payment.authorized"]


def test_delayed_webhooks_come_late(sandbox: SandboxProcess, receiver: Receiver) -> None:
    sandbox.behave(webhooks={"delivery": "delayed", "delayMs": 400})
    payment_id = sandbox.create_in("authorize")
    other = sandbox.read(payment_id)
    assert (other["status"], receiver.of(payment_id)) == ("authorized", [])
    delivery = deliveries(sandbox, payment_id)[0]
    assert delivery["dueAt"] > delivery["createdAt"]
    receiver.wait(payment_id, 1)


def test_a_webhook_can_come_before_the_answer_that_caused_it(
    sandbox: SandboxProcess, receiver: Receiver
) -> None:
    sandbox.behave(webhooks={"beforeAnswer": True})
    payment_id = sandbox.create_in("authorize")
    assert receiver.events(payment_id) == ["payment.authorized"]
    sandbox.post(f"/{payment_id}/capture")
    assert receiver.events(payment_id)[1:] == ["payment.captured"]
    begun = data(sandbox.post(f"/{payment_id}/refunds", {"amount": 5}))
    assert begun["status"] == "processing"
    assert receiver.events(payment_id)[2:] == ["payment.refunded"]
    assert all_in_state(sandbox, payment_id, "delivered")
