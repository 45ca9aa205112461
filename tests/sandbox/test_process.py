"""The process: killed and started again it loses nothing; stopped it answers; wrongly set it says so."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from payment_sandbox.settings import SettingsError, load_settings
from tests.sandbox.running import (
    SECRET,
    TOKEN,
    Receiver,
    SandboxProcess,
    code,
    data,
    is_signed,
    order,
    running_sandbox,
    wait_until,
)


@pytest.fixture
def own_sandbox(receiver: Receiver, tmp_path: Path) -> Iterator[SandboxProcess]:
    with running_sandbox(tmp_path, receiver.url) as sandbox:
        yield sandbox


def test_a_killed_sandbox_still_delivers_once_it_is_back(
    own_sandbox: SandboxProcess, receiver: Receiver
) -> None:
    receiver.status = 503
    own_sandbox.behave(webhooks={"delivery": "repeat", "repeat": 2})
    body, key = order(), "key-older-than-the-kill"
    first = own_sandbox.post("", body, key)
    payment_id = first.json()["data"]["paymentId"]
    own_sandbox.force(payment_id, outcome="capture")
    receiver.wait(payment_id, 1)
    own_sandbox.kill()

    receiver.status = 200
    before = len(receiver.of(payment_id))
    own_sandbox.start()
    calls = receiver.wait(payment_id, before + 4)[before:]
    assert sorted(call.event for call in calls) == ["payment.authorized"] * 2 + ["payment.captured"] * 2
    assert all(is_signed(call, SECRET) for call in calls)
    assert own_sandbox.read(payment_id)["status"] == "captured"
    assert own_sandbox.post("", body, key).content == first.content


def test_every_acknowledged_payment_survives_a_kill_in_full_flight(own_sandbox: SandboxProcess) -> None:
    known: list[str] = []

    def create_until_killed() -> None:
        # A call that the kill cut off, or that found the client closed, is not acknowledged.
        with contextlib.suppress(httpx.HTTPError, RuntimeError):
            while True:
                known.append(own_sandbox.create()["paymentId"])

    with ThreadPoolExecutor(8) as pool:
        clients = [pool.submit(create_until_killed) for _ in range(8)]
        wait_until(lambda: len(known) >= 60, "60 payments are acknowledged")
        own_sandbox.kill()
        for client in clients:
            client.result()
    own_sandbox.start()
    assert {own_sandbox.read(payment_id)["status"] for payment_id in known} == {"pending"}


def test_a_session_that_ends_fails_the_payment_and_tells_the_merchant(
    own_sandbox: SandboxProcess, receiver: Receiver, tmp_path: Path
) -> None:
    payment_id = own_sandbox.create()["paymentId"]
    connection = sqlite3.connect(tmp_path / "payment_sandbox" / "payments.sqlite3", timeout=5)
    with connection:
        connection.execute("UPDATE payments SET expires_at = created_at")
    connection.close()
    assert own_sandbox.force(payment_id, outcome="authorize").status_code == 409
    webhook = receiver.wait(payment_id, 1)[0]
    assert (webhook.event, webhook.body["status"]) == ("payment.failed", "failed")
    shown = own_sandbox.read(payment_id)
    assert (shown["status"], shown["failureReason"]) == ("failed", "expired")


def test_sigterm_answers_what_hangs_and_ends_cleanly(own_sandbox: SandboxProcess) -> None:
    own_sandbox.behave(hang=True, failNext=1)
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(own_sandbox.post, "", order())
        # The failure is drawn when the call comes in, so from then on it hangs.
        wait_until(lambda: behaviour_of(own_sandbox)["failNext"] == 0, "the call hangs")
        own_sandbox.terminate()
        assert code(hanging.result()) == (503, "SHUTTING_DOWN")
    assert own_sandbox.stop() == 0
    own_sandbox.start()


@pytest.mark.parametrize(
    "change, line",
    [
        ({"PAYMENT_API_TOKEN": ""}, "PAYMENT_API_TOKEN is required"),
        ({"PAYMENT_API_TOKEN": "short"}, "PAYMENT_API_TOKEN must be at least 16"),
        ({"PAYMENT_WEBHOOK_SECRET": ""}, "PAYMENT_WEBHOOK_SECRET is required"),
        ({"PAYMENT_PORT": "tcp://10.0.0.1:3005"}, "PAYMENT_PORT must be a whole number"),
        ({"PUBLIC_URL": "shop"}, "PUBLIC_URL must be an http or https URL"),
        ({"PAYMENT_CAPTURE_MODE": "later"}, "PAYMENT_CAPTURE_MODE must be one of"),
        ({"PAYMENT_API_TOKEN_FILE": "/none"}, "PAYMENT_API_TOKEN and PAYMENT_API_TOKEN_FILE are both set"),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, str], line: str) -> None:
    environment = {"PAYMENT_API_TOKEN": TOKEN, "PAYMENT_WEBHOOK_SECRET": SECRET}
    assert load_settings(environment).session_minutes == 15
    with pytest.raises(SettingsError, match=line):
        load_settings({**environment, **change})


def test_a_missing_secret_stops_the_start_with_one_line(tmp_path: Path) -> None:
    ended = run_to_its_end({"DATA_DIR": str(tmp_path), "PAYMENT_API_TOKEN": TOKEN})
    assert ended.returncode == 1
    assert ended.stderr.startswith("payment sandbox: PAYMENT_WEBHOOK_SECRET is required")
    assert ended.stderr.count("\n") == 1


def test_a_busy_port_is_one_clear_line(receiver: Receiver, tmp_path: Path) -> None:
    port = receiver.url.split(":")[2].partition("/")[0]
    secret_file = tmp_path / "secret"
    secret_file.write_text(SECRET + "\n")
    ended = run_to_its_end(
        {
            "DATA_DIR": str(tmp_path),
            "PAYMENT_API_TOKEN": TOKEN,
            "PAYMENT_WEBHOOK_SECRET_FILE": str(secret_file),
            "PAYMENT_PORT": port,
        }
    )
    assert ended.returncode == 1
    assert ended.stderr == f"payment sandbox: cannot listen on 127.0.0.1:{port}: Address already in use\n"


def behaviour_of(sandbox: SandboxProcess) -> dict[str, Any]:
    told: dict[str, Any] = data(sandbox.client.get("/sandbox/behaviour"))
    return told


def run_to_its_end(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "payment_sandbox"],
        env=environment,
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )
