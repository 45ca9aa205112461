"""The sandbox misbehaves as told, and well again when told so."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.sandbox.running import Receiver, SandboxProcess, code, data, order


def test_behaviour_is_answered_whole_and_what_is_left_out_is_normal(sandbox: SandboxProcess) -> None:
    sandbox.behave(failNext=2, webhooks={"delivery": "lost"})
    told = data(sandbox.client.get("/sandbox/behaviour"))
    assert (told["failNext"], told["webhooks"]["delivery"], told["hang"]) == (2, "lost", False)
    sandbox.behave(delayMs=1)
    told = data(sandbox.client.get("/sandbox/behaviour"))
    assert (told["failNext"], told["webhooks"]["delivery"], told["delayMs"]) == (0, "normal", 1)


@pytest.mark.parametrize(
    "body",
    [
        {"delay": 1},
        {"delayMs": -1},
        {"failRate": 2},
        {"failRate": True},
        {"hang": 1},
        {"autoPay": "maybe"},
        {"refuseCapture": None},
        {"webhooks": []},
        {"webhooks": {"delivery": "pigeon"}},
        {"webhooks": {"copies": 2}},
        {"webhooks": {"delivery": "lost", "beforeAnswer": True}},
    ],
)
def test_a_behaviour_nobody_knows_is_refused(sandbox: SandboxProcess, body: dict[str, Any]) -> None:
    assert code(sandbox.client.put("/sandbox/behaviour", json=body)) == (422, "VALIDATION_FAILED")


def test_the_next_calls_fail_and_then_no_more(sandbox: SandboxProcess) -> None:
    sandbox.behave(failNext=2)
    body, key = order(), "same-key-while-failing"
    statuses = [sandbox.post("", body, key).status_code for _ in range(4)]
    assert statuses == [500, 500, 201, 201]


def test_a_call_can_fail_after_its_effect_and_a_replay_finds_out(sandbox: SandboxProcess) -> None:
    payment_id = sandbox.create_in("authorize")
    sandbox.behave(failNext=1, faultAt="after")
    key = "answer-that-got-lost"
    assert code(sandbox.post(f"/{payment_id}/capture", None, key)) == (500, "INTERNAL_ERROR")
    assert sandbox.read(payment_id)["status"] == "captured"
    assert sandbox.post(f"/{payment_id}/capture", None, key).status_code == 200


def test_the_fail_rate_fails_some_calls_and_not_others(sandbox: SandboxProcess) -> None:
    sandbox.behave(failRate=0.5)
    payment_id = "0198f3c2-5f0a-7d0e-9a51-1f2a4f1f7a10"
    statuses = {sandbox.client.get(f"/api/v1/payments/{payment_id}").status_code for _ in range(60)}
    assert statuses == {404, 500}


def test_a_slow_sandbox_is_slow(sandbox: SandboxProcess) -> None:
    sandbox.behave(delayMs=200)
    began = time.monotonic()
    sandbox.create()
    assert time.monotonic() - began >= 0.2


def test_a_hanging_sandbox_still_listens_to_the_order_to_go_on(sandbox: SandboxProcess) -> None:
    sandbox.behave(hang=True)
    with pytest.raises(httpx.ReadTimeout):
        sandbox.client.post("/api/v1/payments", json=order(), timeout=0.2)
    assert sandbox.client.get("/health", timeout=5).status_code == 200
    with ThreadPoolExecutor(20) as pool:
        hanging = [pool.submit(sandbox.create) for _ in range(20)]
        sandbox.behave()
        assert len({call.result()["paymentId"] for call in hanging}) == 20


def test_a_capture_is_refused_for_now_or_for_good(sandbox: SandboxProcess) -> None:
    payment_id = sandbox.create_in("authorize")
    key = "one-key-till-it-works"
    sandbox.behave(refuseCapture="temporary")
    assert code(sandbox.post(f"/{payment_id}/capture", None, key)) == (503, "TEMPORARILY_UNAVAILABLE")
    sandbox.behave(refuseCapture="permanent")
    assert code(sandbox.post(f"/{payment_id}/capture", None, key)) == (422, "CAPTURE_REFUSED")
    assert sandbox.read(payment_id)["status"] == "authorized"
    sandbox.behave()
    assert sandbox.post(f"/{payment_id}/capture", None, key).status_code == 200


@pytest.mark.parametrize(
    "how, status, events",
    [
        ("authorize", "authorized", ["payment.authorized"]),
        ("capture", "captured", ["payment.authorized", "payment.captured"]),
        ("decline", "failed", ["payment.failed"]),
    ],
)
def test_payments_can_be_paid_by_themselves(
    sandbox: SandboxProcess, receiver: Receiver, how: str, status: str, events: list[str]
) -> None:
    sandbox.behave(autoPay=how)
    payment_id = sandbox.create()["paymentId"]
    assert sandbox.read(payment_id)["status"] == status
    receiver.wait(payment_id, len(events))
    assert receiver.events(payment_id) == events
