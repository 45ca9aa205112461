"""The payment API keeps the contract."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest

from tests.sandbox.running import Receiver, SandboxProcess, code, data, order, wait_until


def test_a_new_payment_is_answered_as_the_contract_says(sandbox: SandboxProcess) -> None:
    made = sandbox.create()
    assert set(made) == {
        "paymentId", "transactionReference", "sessionId", "sessionData", "expiresAt", "redirectUrl",
    }  # fmt: skip
    page = f"/api/v1/payments/{made['paymentId']}/page?session={made['sessionId']}"
    assert made["redirectUrl"] == f"http://shop.test:3001{page}"
    shown = sandbox.read(made["paymentId"])
    assert (shown["status"], shown["amount"], shown["currency"], shown["refunds"]) == (
        "pending",
        2500,
        "EUR",
        [],
    )
    assert shown["transactionId"] == made["paymentId"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", shown["createdAt"])
    lifetime = datetime.fromisoformat(shown["expiresAt"]) - datetime.fromisoformat(shown["createdAt"])
    assert lifetime.total_seconds() == 15 * 60


def test_a_sale_runs_from_authorised_to_refunded(sandbox: SandboxProcess, receiver: Receiver) -> None:
    payment_id = sandbox.create_in("authorize")
    captured = data(sandbox.post(f"/{payment_id}/capture"))
    assert (captured["status"], captured["capturedAmount"]) == ("captured", 2500)

    begun = sandbox.post(
        f"/{payment_id}/refunds", {"amount": 1000, "reason": "one less", "details": {"n": 1}}
    )
    assert begun.status_code == 201
    assert data(begun).items() >= {"amount": 1000, "currency": "EUR", "status": "processing"}.items()
    receiver.wait(payment_id, 3)
    shown = sandbox.read(payment_id)
    assert (shown["status"], shown["refundedAmount"]) == ("partially_refunded", 1000)
    assert [refund["status"] for refund in shown["refunds"]] == ["refunded"]

    sandbox.post(f"/{payment_id}/refunds", {"amount": 1500})
    calls = receiver.wait(payment_id, 4)
    assert sandbox.read(payment_id)["status"] == "refunded"
    assert [(call.event, call.body["status"], call.body["amount"]) for call in calls] == [
        ("payment.authorized", "authorized", 2500),
        ("payment.captured", "captured", 2500),
        ("payment.refunded", "partially_refunded", 1000),
        ("payment.refunded", "refunded", 1500),
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 0},
        {"amount": -1},
        {"amount": 12.5},
        {"amount": True},
        {"amount": "100"},
        {"currency": "eur"},
        {"currency": "EURO"},
        {"resourceType": "yacht"},
        {"resourceId": ""},
        {"resourceId": "a\nb"},
        {"returnUrl": "javascript:alert(1)"},
        {"returnUrl": "http://[broken"},
        {"metadata": [1]},
        {"metadata": {"captureMode": "twice"}},
        {"surprise": 1},
    ],
)
def test_a_payment_with_a_wrong_field_is_refused(sandbox: SandboxProcess, change: dict[str, Any]) -> None:
    assert code(sandbox.post("", order(**change))) == (422, "VALIDATION_FAILED")


def test_bodies_that_are_no_json_are_refused(sandbox: SandboxProcess) -> None:
    headers = {"Idempotency-Key": "k" * 16, "Content-Type": "application/json"}
    url = "/api/v1/payments"
    assert code(sandbox.client.post(url, content=b"{", headers=headers)) == (400, "MALFORMED_JSON")
    assert code(sandbox.client.post(url, content=b"{}" * 50_000, headers=headers))[0] == 413
    headers["Content-Type"] = "text/plain"
    assert code(sandbox.client.post(url, content=b"{}", headers=headers)) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_only_the_token_opens_the_api(sandbox: SandboxProcess) -> None:
    payment_id = sandbox.create_in("capture")
    path = f"{sandbox.url}/api/v1/payments/{payment_id}"
    for headers in ({}, {"Authorization": "Bearer wrong-token-wrong"}, {"Authorization": "Basic abc"}):
        for suffix in ("/capture", "/cancel", "/refunds"):
            assert code(sandbox.stranger.post(path + suffix, headers=headers)) == (401, "UNAUTHORIZED")
        assert code(sandbox.stranger.post(f"{sandbox.url}/api/v1/payments", headers=headers)) == (
            401,
            "UNAUTHORIZED",
        )
        assert code(sandbox.stranger.get(f"{sandbox.url}/sandbox/behaviour", headers=headers)) == (
            401,
            "UNAUTHORIZED",
        )
    assert code(sandbox.stranger.get(path, headers={"Authorization": "Bearer wrong-token-wrong"}))[0] == 401
    assert set(data(sandbox.stranger.get(path))) == {
        "paymentId", "transactionId", "resourceId", "status", "amount", "currency",
    }  # fmt: skip
    assert sandbox.stranger.get(f"{sandbox.url}/health").status_code == 200


def test_unknown_payments_and_routes_are_404_in_the_same_shape(sandbox: SandboxProcess) -> None:
    unknown = "0198f3c2-5f0a-7d0e-9a51-1f2a4f1f7a10"
    for path in (f"/{unknown}", "/none", f"/{unknown}/none"):
        assert code(sandbox.client.get(f"/api/v1/payments{path}")) == (404, "NOT_FOUND")
    for verb in ("capture", "cancel"):
        assert code(sandbox.post(f"/{unknown}/{verb}")) == (404, "NOT_FOUND")
    assert code(sandbox.post(f"/{unknown}/refunds", {"amount": 1})) == (404, "NOT_FOUND")


@pytest.mark.parametrize("key", ["", "short", "x" * 65, "k" * 15 + " " + "k"])
def test_a_post_without_a_usable_key_is_refused(sandbox: SandboxProcess, key: str) -> None:
    response = sandbox.client.post("/api/v1/payments", json=order(), headers={"Idempotency-Key": key})
    assert response.status_code == 400


def test_the_same_key_gives_the_same_answer_and_one_effect(sandbox: SandboxProcess) -> None:
    body, key = order(), "one-key-for-all-of-them"
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: sandbox.post("", body, key), range(50)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    found = data(sandbox.client.get("/sandbox/payments", params={"resourceId": body["resourceId"]}))
    assert len(found) == 1
    assert code(sandbox.post("", {**body, "amount": 1}, key)) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert code(sandbox.post(f"/{found[0]['paymentId']}/cancel", None, key)) == (
        422,
        "IDEMPOTENCY_KEY_REUSED",
    )


def test_a_refusal_leaves_no_key_behind(sandbox: SandboxProcess) -> None:
    payment_id, key = sandbox.create()["paymentId"], "tried-too-early-once"
    assert code(sandbox.post(f"/{payment_id}/capture", None, key)) == (409, "INVALID_STATE")
    sandbox.force(payment_id, outcome="authorize")
    assert sandbox.post(f"/{payment_id}/capture", None, key).status_code == 200


def test_of_32_captures_at_once_one_has_an_effect(sandbox: SandboxProcess, receiver: Receiver) -> None:
    payment_id = sandbox.create_in("authorize")
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: sandbox.post(f"/{payment_id}/capture"), range(32)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 31
    assert sandbox.read(payment_id)["capturedAmount"] == 2500
    receiver.wait(payment_id, 2)
    assert len(data(sandbox.client.get("/sandbox/deliveries", params={"paymentId": payment_id}))) == 2


def test_refunds_at_once_never_exceed_what_was_captured(sandbox: SandboxProcess, receiver: Receiver) -> None:
    payment_id = sandbox.create_in("capture")
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: sandbox.post(f"/{payment_id}/refunds", {"amount": 400}), range(32)))
    assert sorted(answer.status_code for answer in answers) == [201] * 6 + [409] * 26
    assert {code(answer)[1] for answer in answers if answer.status_code == 409} == {"REFUND_EXCEEDS_CAPTURED"}
    receiver.wait(payment_id, 2 + 6)
    assert sandbox.read(payment_id)["refundedAmount"] == 2400


def test_a_part_can_be_captured_and_never_more_than_was_authorised(sandbox: SandboxProcess) -> None:
    payment_id = sandbox.create_in("authorize")
    assert sandbox.post(f"/{payment_id}/capture", {"amount": 2501}).status_code == 409
    assert data(sandbox.post(f"/{payment_id}/capture", {"amount": 2000}))["capturedAmount"] == 2000
    assert code(sandbox.post(f"/{payment_id}/refunds", {"amount": 2001})) == (409, "REFUND_EXCEEDS_CAPTURED")


@pytest.mark.parametrize(
    "outcome, cancel, capture, refund",
    [
        (None, 200, 409, 409),
        ("authorize", 200, 200, 409),
        ("capture", 409, 409, 201),
        ("decline", 409, 409, 409),
        ("expire", 409, 409, 409),
    ],
)
def test_each_state_allows_its_own_steps_only(
    sandbox: SandboxProcess, outcome: str | None, cancel: int, capture: int, refund: int
) -> None:
    def fresh() -> str:
        return str(sandbox.create_in(outcome) if outcome else sandbox.create()["paymentId"])

    assert sandbox.post(f"/{fresh()}/cancel", {"reason": "held too long"}).status_code == cancel
    assert sandbox.post(f"/{fresh()}/capture").status_code == capture
    assert sandbox.post(f"/{fresh()}/refunds", {"amount": 1}).status_code == refund


def test_a_cancelled_payment_stays_cancelled(sandbox: SandboxProcess, receiver: Receiver) -> None:
    payment_id = sandbox.create_in("authorize")
    assert data(sandbox.post(f"/{payment_id}/cancel"))["status"] == "cancelled"
    assert code(sandbox.post(f"/{payment_id}/capture")) == (409, "INVALID_STATE")
    assert code(sandbox.post(f"/{payment_id}/cancel")) == (409, "INVALID_STATE")
    receiver.wait(payment_id, 2)
    assert receiver.events(payment_id) == ["payment.authorized", "payment.cancelled"]


def test_a_payer_can_pay_something_else_when_a_test_wants_it(
    sandbox: SandboxProcess, receiver: Receiver
) -> None:
    payment_id = sandbox.create()["paymentId"]
    sandbox.force(payment_id, outcome="authorize", amount=1, currency="USD", resourceId="another")
    shown = sandbox.read(payment_id)
    assert (shown["authorizedAmount"], shown["currency"], shown["resourceId"]) == (1, "USD", "another")
    assert receiver.wait(payment_id, 1)[0].body["amount"] == 1
    assert code(sandbox.force(payment_id, outcome="authorize")) == (409, "INVALID_STATE")


def test_a_refund_that_fails_gives_the_amount_back_to_refund(sandbox: SandboxProcess) -> None:
    payment_id = sandbox.create_in("capture")
    sandbox.behave(refundOutcome="failed")
    sandbox.post(f"/{payment_id}/refunds", {"amount": 2500})
    wait_until(lambda: sandbox.read(payment_id)["refunds"][0]["status"] == "failed", "the refund fails")
    assert (sandbox.read(payment_id)["status"], sandbox.read(payment_id)["refundedAmount"]) == ("captured", 0)
    sandbox.behave()
    assert sandbox.post(f"/{payment_id}/refunds", {"amount": 2500}).status_code == 201
