"""The users of the demo: their passwords are seen by whoever started it, and by nobody else."""

from __future__ import annotations

import io
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from demo import staff
from demo.api import Api
from demo.processes import Console
from demo.run import Run, welcome
from demo.staff import Account, Hiring, links_to, read_staff, write_staff
from tests.servers.process import ROOT, free_port

PORTS = {"GATEWAY_PORT": 1, "ADMIN_PORT": 2, "TICKETING_PORT": 3, "PAYMENT_PORT": 4}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    "stream, first, told", [(Terminal(), True, 1), (Terminal(), False, 0), (io.StringIO(), True, 0)]
)
def test_the_administrator_s_password_is_told_once_and_at_a_terminal(
    tmp_path: Path, stream: io.StringIO, first: bool, told: int
) -> None:
    accounts = {role: Account(staff.address(role), f"secret-of-{role}") for role in staff.ROLES}
    write_staff(tmp_path, accounts)
    run = Run(data_dir=tmp_path, host="127.0.0.1", ports=PORTS, reset=False)
    welcome(run, Console(stream), 1.0, first=first)
    text = stream.getvalue()
    assert text.count("secret-of-platform_admin") == told
    assert text.count("secret-of-") == told


def test_the_file_is_private_and_read_as_it_was_written(tmp_path: Path) -> None:
    accounts = {"gate": Account("gate@example.org", 'a "b" c\\')}
    write_staff(tmp_path, accounts)
    assert read_staff(tmp_path) == accounts
    assert (tmp_path / staff.FILE).stat().st_mode & 0o777 == 0o600
    assert read_staff(tmp_path / "elsewhere") == {}


def test_links_are_those_to_the_address_the_newest_first(tmp_path: Path) -> None:
    for name, to, token in (
        ("1", "a@x.example", "pwt_1"),
        ("2", "a@x.example", "pwt_2"),
        ("3", "b@x.example", "pwt_3"),
    ):
        mail = EmailMessage()
        mail["To"] = f"Somebody <{to}>"
        mail.set_content(f"Choose: http://127.0.0.1/admin/password#token={token}\n")
        (tmp_path / f"{name}.eml").write_bytes(mail.as_bytes())
    assert links_to(tmp_path, "a@x.example") == ["pwt_2", "pwt_1"]


def test_with_a_mail_server_the_users_are_made_on_the_machine_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invitations to invented addresses are sent to nobody."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{free_port()}")
    monkeypatch.setattr(staff, "ROLES", {role: staff.ROLES[role] for role in ("platform_admin", "gate")})
    subprocess.run([sys.executable, "-m", "admin_service.commands.migrate"], cwd=ROOT, check=True)
    with Api(f"http://127.0.0.1:{free_port()}") as api:
        made = Hiring(api, "/admin/auth", tmp_path, None).run()
        assert made.keys() == {"platform_admin", "gate"}
        assert read_staff(tmp_path) == made
        assert Hiring(api, "/admin/auth", tmp_path, None).run() == made
