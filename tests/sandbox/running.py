"""The real sandbox as a process on a free port, and a real receiver of its webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

TOKEN = "token-of-the-merchant"
SECRET = "secret-that-signs-webhooks"
OLD_SECRET = "secret-that-signed-before"
HANG_GUARD_SECONDS = 15.0


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Ask again until it holds; the limit only guards against hanging."""
    deadline = time.monotonic() + HANG_GUARD_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.01)


@dataclass(frozen=True, slots=True)
class Webhook:
    """One webhook as it came in."""

    event: str
    body: dict[str, Any]
    raw: bytes
    signature: str
    at: float


class Receiver:
    """Takes webhooks on a free port and answers with `status`, 200 unless told otherwise."""

    def __init__(self) -> None:
        self.status = 200
        self.calls: list[Webhook] = []
        self._changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                receiver._take(raw, self.headers["X-Signature"])
                self.send_response(receiver.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def of(self, payment_id: str) -> list[Webhook]:
        """The webhooks of one payment in the order they came."""
        return [call for call in list(self.calls) if call.body["paymentId"] == payment_id]

    def events(self, payment_id: str) -> list[str]:
        """Their events."""
        return [call.event for call in self.of(payment_id)]

    def wait(self, payment_id: str, count: int) -> list[Webhook]:
        """Until `count` webhooks of the payment have come."""
        with self._changed:
            enough = self._changed.wait_for(lambda: len(self.of(payment_id)) >= count, HANG_GUARD_SECONDS)
        assert enough, f"only {self.events(payment_id)} came"
        return self.of(payment_id)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _take(self, raw: bytes, signature: str) -> None:
        body = json.loads(raw)
        with self._changed:
            self.calls.append(Webhook(body["event"], body, raw, signature, time.time()))
            self._changed.notify_all()


def is_signed(webhook: Webhook, secret: str) -> bool:
    """Check the signature as a merchant does, from the contract's words alone."""
    parts = dict(part.split("=", 1) for part in webhook.signature.split(","))
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + webhook.raw, hashlib.sha256)
    return parts["v1"] == expected.hexdigest() and abs(webhook.at - int(parts["t"])) < 60


class SandboxProcess:
    """`python -m payment_sandbox`, a client that speaks to it as the merchant, and one without token."""

    def __init__(self, data_dir: Path, webhook_url: str, **environment: str) -> None:
        self._environment = {
            "PATH": os.environ["PATH"],
            "DATA_DIR": str(data_dir),
            "PAYMENT_PORT": "0",
            "PAYMENT_API_TOKEN": TOKEN,
            "PAYMENT_WEBHOOK_SECRET": f"{SECRET},{OLD_SECRET}",
            "PAYMENT_WEBHOOK_URL": webhook_url,
            "PUBLIC_URL": "http://shop.test:3001",
            **environment,
        }
        self.start()

    def start(self) -> None:
        """Start it, and wait for the line that says it is ready."""
        self._process = launch(self._environment)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("payment sandbox ready on http://127.0.0.1:"), line
        self.url = line.split()[-1]
        self.stranger = httpx.Client(base_url=self.url, timeout=HANG_GUARD_SECONDS)
        self.client = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=HANG_GUARD_SECONDS
        )

    def kill(self) -> None:
        """SIGKILL: no chance to tidy up."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self._end(signal.SIGTERM)

    def terminate(self) -> None:
        """SIGTERM, without waiting for the end."""
        self._process.send_signal(signal.SIGTERM)

    def _end(self, number: int) -> int:
        self._process.send_signal(number)
        code = self._process.wait(HANG_GUARD_SECONDS)
        self.client.close()
        self.stranger.close()
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def behave(self, **how: Any) -> None:
        """Tell it how to behave; without arguments: well."""
        assert self.client.put("/sandbox/behaviour", json=how).status_code == 200

    def post(self, path: str, body: Any = None, key: str | None = None) -> httpx.Response:
        """A call of the merchant with an Idempotency-Key, a new one unless given."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        content = b"" if body is None else json.dumps(body).encode()
        return self.client.post(
            f"/api/v1/payments{path}",
            content=content,
            headers={**headers, "Content-Type": "application/json"},
        )

    def create(self, **fields: Any) -> dict[str, Any]:
        """A new payment's data."""
        response = self.post("", order(**fields))
        assert response.status_code == 201, response.text
        return data(response)

    def create_in(self, outcome: str, **fields: Any) -> str:
        """The id of a new payment that was paid, declined or expired."""
        payment_id: str = self.create(**fields)["paymentId"]
        self.force(payment_id, outcome=outcome)
        return payment_id

    def force(self, payment_id: str, **body: Any) -> httpx.Response:
        """Make something of a payment as its payer would."""
        return self.client.post(f"/sandbox/payments/{payment_id}/outcome", json=body)

    def read(self, payment_id: str) -> dict[str, Any]:
        """The payment as the merchant sees it."""
        return data(self.client.get(f"/api/v1/payments/{payment_id}"))


def launch(environment: dict[str, str]) -> subprocess.Popen[str]:
    """The bare process; standard error is passed through, so that a failing test shows it."""
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "payment_sandbox"],
        env=environment,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running_sandbox(data_dir: Path, webhook_url: str, **environment: str) -> Iterator[SandboxProcess]:
    """A sandbox that is gone at the end, whatever happens."""
    sandbox = SandboxProcess(data_dir, webhook_url, **environment)
    try:
        yield sandbox
    finally:
        sandbox.stop()


def order(**fields: Any) -> dict[str, Any]:
    """A body that is accepted, with some fields changed."""
    body = {
        "amount": 2500,
        "currency": "EUR",
        "resourceType": "ticket",
        "resourceId": str(uuid.uuid4()),
        "returnUrl": "http://shop.test/booking?lang=nl",
        "metadata": {"description": "Canal museum"},
    }
    return {**body, **fields}


def data(response: httpx.Response) -> Any:
    """What a success carries."""
    assert response.json()["success"] is True, response.text
    return response.json()["data"]


def code(response: httpx.Response) -> tuple[int, str]:
    """Status and code of a refusal."""
    assert response.json()["success"] is False, response.text
    assert response.json()["error"]["message"]
    return response.status_code, response.json()["error"]["code"]
