"""`make run`, `make try` and a second `make run`, as a person has them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from admin_service.domain.permissions import ROLES as PRODUCT_ROLES
from demo.reselling import read_keys
from demo.staff import Account, read_staff, write_staff
from tests.demo.running import free_ports, running
from tests.servers.process import ROOT, free_port


def taken(module: str, env: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


def signed_in(url: str, account: Account) -> dict[str, str]:
    """The Authorization header of somebody who signs in at the gateway."""
    answer = httpx.post(f"{url}/admin/auth/login", json=account.body)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['accessToken']}"}


def everything(url: str, staff: dict[str, Account]) -> dict[str, object]:
    """What the API tells of users, places and catalogue."""
    manager, admin = signed_in(url, staff["ticket_manager"]), signed_in(url, staff["platform_admin"])
    tickets = httpx.get(f"{url}/tickets", params={"limit": 100}).json()["data"]
    vouchers = httpx.get(f"{url}/vouchers", headers=manager).json()["data"]
    users = httpx.get(f"{url}/admin/users", headers=admin).json()["data"]
    places = httpx.get(f"{url}/admin/pois", params={"limit": 100}, headers=admin).json()["data"]
    schedule = httpx.get(f"{url}/tickets/{tickets[0]['id']}/schedule", headers=manager).json()
    return {
        "tickets": tickets,
        "vouchers": [each["id"] for each in vouchers],
        "schedule": schedule,
        "users": {each["email"]: each["roles"] for each in users},
        "places": {each["externalId"]: (each["id"], each["status"], each["version"]) for each in places},
    }


def test_the_demo_is_loaded_sold_from_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    env = free_ports() | {"DATA_DIR": str(folder), "WEB_WORKERS": "1"}
    url = f"http://127.0.0.1:{env['GATEWAY_PORT']}/api/v1"
    with running(env) as first:
        assert "made 9 users, 14 places, 16 tickets, 16 schedules, 3 vouchers, 2 keys" in first.output()
        staff = read_staff(folder)
        assert staff.keys() == PRODUCT_ROLES.keys()
        tour = taken("demo.try_it", env)
        assert tour.returncode == 0, tour.stdout + tour.stderr + first.tail(60)
        told = (
            r"\nAll as it should be: published a place .* audit entries intact; sold .* gave back 29\.70 EUR"
        )
        assert re.search(told, tour.stdout)
        assert "\033[" not in tour.stdout, "colours are for terminals"
        keys = read_keys(folder)
        assert keys.keys() == {"live", "test"}
        assert (folder / "reseller.txt").stat().st_mode & 0o777 == 0o600
        sold = httpx.get(f"{url}/octo/products/", headers={"Authorization": f"Bearer {keys['live']}"})
        assert len(sold.json()) == 16, sold.text
        secrets = [*keys.values(), *(account.password for account in staff.values())]
        assert not [secret for secret in secrets if secret in tour.stdout + first.output()]
        before = everything(url, staff)
        assert before["users"] == {account.email: [role] for role, account in staff.items()}
    with running(env) as second:
        assert "all of it was there already" in second.output()
        assert (read_staff(folder), read_keys(folder)) == (staff, keys)
        assert everything(url, staff) == before


def test_a_changed_password_is_kept_and_a_lost_one_is_chosen_anew(tmp_path: Path) -> None:
    """Neither keeps the product from starting."""
    folder = tmp_path / "data"
    env = free_ports() | {"DATA_DIR": str(folder), "WEB_WORKERS": "1"}
    url = f"http://127.0.0.1:{env['GATEWAY_PORT']}/api/v1"
    with running(env):
        staff = read_staff(folder)
        body = {"currentPassword": staff["editor"].password, "newPassword": "seven quiet herons wade"}
        headers = signed_in(url, staff["editor"])
        changed = httpx.post(f"{url}/admin/auth/password", json=body, headers=headers)
        assert changed.status_code == 204, changed.text
    lost = ("platform_admin", "support")
    write_staff(folder, {role: account for role, account in staff.items() if role not in lost})
    with running(env) as second:
        assert "nothing was loaded: editor@destination.example cannot sign in" in second.output()
        assert httpx.get(f"{url}/platform/pois").status_code == 200
        found = read_staff(folder)
        for role in lost:
            assert found[role].password != staff[role].password
            signed_in(url, found[role])


def test_the_tour_without_a_run_ends_with_one_clear_message(tmp_path: Path) -> None:
    tour = taken("demo.try_it", {"GATEWAY_PORT": str(free_port()), "DATA_DIR": str(tmp_path)})
    assert tour.returncode == 1
    assert "Is `make run` up, with the same DATA_DIR and GATEWAY_PORT?" in tour.stderr
    assert "Traceback" not in tour.stderr
