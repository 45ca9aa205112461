"""The payer's page: only with the session, without scripts, and back to the shop."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.sandbox.running import SandboxProcess


def open_page(sandbox: SandboxProcess, made: dict[str, Any], session: str | None = None) -> httpx.Response:
    return sandbox.stranger.get(
        f"{sandbox.url}/api/v1/payments/{made['paymentId']}/page",
        params={"session": session or made["sessionId"]},
    )


def press(sandbox: SandboxProcess, made: dict[str, Any], action: str, **form: str) -> httpx.Response:
    return sandbox.stranger.post(
        f"{sandbox.url}/api/v1/payments/{made['paymentId']}/page",
        data={"session": made["sessionId"], "action": action, **form},
    )


def test_the_page_shows_what_is_paid_and_needs_no_script(sandbox: SandboxProcess) -> None:
    made = sandbox.create(amount=123456, metadata={"description": "<b>Canal</b> museum"})
    page = open_page(sandbox, made)
    assert page.status_code == 200
    for text in (
        "1,234.56 EUR",
        "&lt;b&gt;Canal&lt;/b&gt; museum",
        made["transactionReference"],
        "15 minutes",
    ):
        assert text in page.text
    assert re.findall(r'value="(pay|decline|expire)"', page.text) == ["pay", "decline", "expire"]
    assert "<script" not in page.text
    policy = page.headers["Content-Security-Policy"]
    nonce = re.search(r"style-src 'nonce-([\w-]+)'", policy)
    assert nonce
    assert f'<style nonce="{nonce[1]}">' in page.text
    assert "default-src 'none'" in policy
    assert policy.endswith("form-action 'self' http://shop.test")
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(
    "currency, shown", [("EUR", "25.05 EUR"), ("JPY", "2,505 JPY"), ("KWD", "2.505 KWD")]
)
def test_amounts_are_written_with_the_digits_of_their_currency(
    sandbox: SandboxProcess, currency: str, shown: str
) -> None:
    assert f">{shown}<" in open_page(sandbox, sandbox.create(amount=2505, currency=currency)).text


@pytest.mark.parametrize(
    "action, mode, status",
    [
        ("pay", "authorize", "authorized"),
        ("pay", "capture", "captured"),
        ("decline", "authorize", "failed"),
        ("expire", "authorize", "failed"),
    ],
)
def test_each_button_leads_back_to_the_shop_with_the_outcome(
    sandbox: SandboxProcess, action: str, mode: str, status: str
) -> None:
    made = sandbox.create(metadata={"captureMode": mode})
    answer = press(sandbox, made, action)
    assert answer.status_code == 303
    query = f"lang=nl&paymentId={made['paymentId']}&status={status}"
    assert answer.headers["Location"] == f"http://shop.test/booking?{query}"
    assert sandbox.read(made["paymentId"])["status"] == status


def test_without_a_return_address_the_page_says_that_it_may_be_closed(sandbox: SandboxProcess) -> None:
    made = sandbox.create(returnUrl=None)
    answer = press(sandbox, made, "pay")
    assert answer.status_code == 303
    page = sandbox.stranger.get(str(httpx.URL(str(answer.request.url)).join(answer.headers["Location"])))
    assert "Payment authorised" in page.text
    assert "You may close this page." in page.text
    assert "<form" not in page.text


def test_a_wrong_session_sees_and_changes_nothing(sandbox: SandboxProcess) -> None:
    made, other = sandbox.create(), sandbox.create()
    page = open_page(sandbox, made, other["sessionId"])
    assert page.status_code == 403
    assert made["transactionReference"] not in page.text
    assert press(sandbox, made, "pay", session=other["sessionId"]).status_code == 403
    assert press(sandbox, made, "pay", session="").status_code == 403
    assert sandbox.read(made["paymentId"])["status"] == "pending"


def test_a_finished_payment_stays_as_it_is_when_a_button_is_pressed_again(sandbox: SandboxProcess) -> None:
    made = sandbox.create()
    press(sandbox, made, "pay")
    assert press(sandbox, made, "decline").headers["Location"].endswith("status=authorized")
    assert sandbox.read(made["paymentId"])["status"] == "authorized"


def test_a_button_that_is_not_there_changes_nothing(sandbox: SandboxProcess) -> None:
    made = sandbox.create()
    assert press(sandbox, made, "steal").status_code == 422
    assert sandbox.read(made["paymentId"])["status"] == "pending"


@pytest.mark.parametrize(
    "outcome, heading",
    [
        ("capture", "Payment complete"),
        ("decline", "Payment declined"),
        ("expire", "Payment session ended"),
    ],
)
def test_the_page_of_a_finished_payment_says_how_it_ended(
    sandbox: SandboxProcess, outcome: str, heading: str
) -> None:
    made = sandbox.create()
    sandbox.force(made["paymentId"], outcome=outcome)
    page = open_page(sandbox, made)
    assert f"<h1>{heading}</h1>" in page.text
    assert "Back to the shop" in page.text
