"""`make run`, `make try` and a second `make run`, as a person has them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.servers.process import ROOT, Process, free_port

READY_SECONDS = 90.0


@contextmanager
def running(env: Mapping[str, str]) -> Iterator[Process]:
    """`python -m demo.run` until the block ends; then Ctrl-C."""
    with Process([sys.executable, "-m", "demo.run"], env=env, name="make run") as process:
        process.wait_until(lambda: "Ready in " in process.output(), seconds=READY_SECONDS)
        yield process
        process.send(signal.SIGINT)
        assert process.wait() == 0, process.tail()


def taken(module: str, env: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip


def printed(output: str) -> re.Match[str] | None:
    """Address and password of the administrator, where they are printed."""
    return re.search(r"(admin@destination\.example) ([\w-]{20,})", output)


def sign_in_as_printed(url: str, output: str) -> None:
    """The administrator signs in at the gateway, and ticketing takes that token too."""
    found = printed(output)
    assert found is not None
    body = {"email": found[1], "password": found[2], "refreshTokenIn": "body"}
    signed_in = httpx.post(f"{url}/admin/auth/login", json=body)
    assert signed_in.status_code == 200, signed_in.text
    bearer = {"Authorization": f"Bearer {signed_in.json()['accessToken']}"}
    assert httpx.get(f"{url}/admin/users", headers=bearer).status_code == 200
    assert httpx.get(f"{url}/vouchers", headers=bearer).status_code == 200


def everything(url: str, token: str) -> dict[str, object]:
    """What the API tells of the catalogue."""
    bearer = {"Authorization": f"Bearer {token}"}
    tickets = httpx.get(f"{url}/tickets", params={"limit": 100}).json()["data"]
    vouchers = httpx.get(f"{url}/vouchers", headers=bearer).json()["data"]
    first = tickets[0]["id"]
    schedule = httpx.get(f"{url}/tickets/{first}/schedule", headers=bearer).json()
    return {"tickets": tickets, "vouchers": [each["id"] for each in vouchers], "schedule": schedule}


def test_the_demo_is_loaded_sold_from_and_kept(tmp_path: Path) -> None:
    names = ("GATEWAY_PORT", "ADMIN_PORT", "TICKETING_PORT", "PAYMENT_PORT")
    ports = {name: str(free_port()) for name in names}
    env = {**ports, "DATA_DIR": str(tmp_path / "data"), "WEB_WORKERS": "1"}
    url = f"http://127.0.0.1:{ports['GATEWAY_PORT']}/api/v1"
    with running(env) as first:
        assert "made 16 tickets, 16 schedules, 3 vouchers" in first.output()
        sign_in_as_printed(url, first.output())
        tour = taken("demo.try_it", env)
        assert tour.returncode == 0, tour.stdout + tour.stderr + first.tail(60)
        assert re.search(r"\nAll as it should be: sold .* gave back 29\.70 EUR", tour.stdout)
        assert "\033[" not in tour.stdout, "colours are for terminals"
        token = taken("demo.within", env, "ticketing_service.commands.token", "ticket_manager").stdout.strip()
        before = everything(url, token)
    with running(env) as second:
        assert "all of it was there already" in second.output()
        assert printed(second.output()) is None, "the password is shown once"
        assert everything(url, token) == before


def test_the_tour_without_a_run_ends_with_one_clear_message(tmp_path: Path) -> None:
    tour = taken("demo.try_it", {"GATEWAY_PORT": str(free_port()), "DATA_DIR": str(tmp_path)})
    assert tour.returncode == 1
    assert "no answer from http://127.0.0.1:" in tour.stderr
    assert "Is `make run` up" in tour.stderr
    assert "Traceback" not in tour.stderr


def test_a_token_needs_a_run_to_belong_to(tmp_path: Path) -> None:
    done = taken("demo.within", {"DATA_DIR": str(tmp_path)}, "ticketing_service.commands.token", "gate")
    assert done.returncode == 2
    assert "has nothing of `make run` in it" in done.stderr
