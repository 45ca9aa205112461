"""Those who work at the demo's destination: a user for each role, with random passwords in a file of ours.

A line of the file is a role and the body of its sign-in, so that a command can send it as it is.
"""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from demo.api import Api, Refused, expect
from demo.data_folder import write_private

FILE = "staff.txt"
ADMINISTRATOR = "platform_admin"
ROLES = {
    ADMINISTRATOR: ("admin", "Adriana Platform"),
    "poi_owner": ("owner", "Olaf Owner"),
    "editor": ("editor", "Edda Editor"),
    "reviewer": ("reviewer", "Remi Reviewer"),
    "ticket_manager": ("tickets", "Tara Tickets"),
    "finance": ("finance", "Fenna Finance"),
    "support": ("support", "Sven Support"),
    "gate": ("gate", "Gate One"),
    "operator": ("operator", "Otto Operator"),
}
"""Each role of the product: the first part of its user's address, and the name."""

DOMAIN = "destination.example"
MAIL_SECONDS = 30.0
POLL_SECONDS = 0.1
PASSWORD_BYTES = 15


@dataclass(frozen=True, slots=True)
class Account:
    """What one signs in with."""

    email: str
    password: str

    @property
    def body(self) -> dict[str, str]:
        """That of a sign-in."""
        return {"email": self.email, "password": self.password}


def address(role: str) -> str:
    """The address of the user who has a role."""
    return f"{ROLES[role][0]}@{DOMAIN}"


def read_staff(data_dir: Path) -> dict[str, Account]:
    """The accounts by role; none before there are any."""
    path = data_dir / FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    parted = (line.split(" ", 1) for line in lines)
    return {role: Account(**json.loads(body)) for role, body in parted}


def write_staff(data_dir: Path, staff: Mapping[str, Account]) -> None:
    """Keep the accounts, readable by the owner of the file alone."""
    lines = (f"{role} {json.dumps(account.body)}\n" for role, account in staff.items())
    write_private(data_dir / FILE, "".join(lines))


class SignInRefused(Exception):
    """Somebody cannot sign in with what is in the file: it was changed since."""


def sign_in(api: Api, auth: str, account: Account) -> str:
    """The access token. `auth` is the path or address of the sign-in routes. Raises SignInRefused."""
    answer = api.send("POST", f"{auth}/login", body=account.body)
    token: str | None = answer.json().get("accessToken")
    if token is None:
        why = answer.json().get("detail") or "a second factor is needed"
        raise SignInRefused(f"{account.email} cannot sign in with the password in {FILE}: {why}")
    return token


class Hiring:
    """Makes the users that are not there yet. `mail_folder` is where invitations arrive; without one, where
    mail goes to a server, the users are made on the machine itself, as the first always is.
    """

    def __init__(self, api: Api, auth: str, data_dir: Path, mail_folder: Path | None) -> None:
        self._api, self._auth, self._data_dir, self._mail_folder = api, auth, data_dir, mail_folder
        self.staff = read_staff(data_dir)
        self.new = 0

    def run(self) -> dict[str, Account]:
        """A user for each role. Raises Refused, NobodyAnswers."""
        missing = [role for role in ROLES if role not in self.staff]
        if ADMINISTRATOR in missing:
            self._keep(ADMINISTRATOR, self._by_command(ADMINISTRATOR))
        invited = [role for role in missing if role != ADMINISTRATOR]
        if self._mail_folder is None:
            for role in invited:
                self._keep(role, self._by_command(role))
        elif invited:
            self._invite(invited)
            for role in invited:
                self._keep(role, self._chosen(role, self._mail_folder))
        return self.staff

    def _keep(self, role: str, account: Account) -> None:
        self.staff[role] = account
        self.new += 1
        write_staff(self._data_dir, self.staff)

    def _by_command(self, role: str) -> Account:
        """Its password is printed once, for us alone."""
        email, name = address(role), ROLES[role][1]
        command = [sys.executable, "-m", "admin_service.commands.create_admin", email]
        done = subprocess.run(
            [*command, "--name", name, "--role", role], capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            return Account(email, done.stdout.split()[-1])
        if "is there already" in done.stderr and self._mail_folder is not None:
            # an earlier start was cut off between making the user and keeping the password
            expect(self._api.send("POST", f"{self._auth}/forgot", body={"email": email}), 202)
            return self._chosen(role, self._mail_folder)
        raise Refused(f"{email} cannot be made: {done.stderr.strip()}")

    def _invite(self, roles: list[str]) -> None:
        token = sign_in(self._api, self._auth, self.staff[ADMINISTRATOR])
        for role in roles:
            body = {"email": address(role), "name": ROLES[role][1], "roles": [role]}
            answer = self._api.send("POST", "/admin/users", token=token, body=body)
            if answer.status_code == 409:
                answer = self._api.send("POST", f"{self._auth}/forgot", body={"email": body["email"]})
            expect(answer, 201, 202)

    def _chosen(self, role: str, mail_folder: Path) -> Account:
        """Choose a password by the link in the newest mail that still has a good one."""
        account = Account(address(role), secrets.token_urlsafe(PASSWORD_BYTES))
        deadline, tried = time.monotonic() + MAIL_SECONDS, set[str]()
        while time.monotonic() < deadline:
            for token in links_to(mail_folder, account.email):
                if token in tried:
                    continue
                tried.add(token)
                body = {"token": token, "newPassword": account.password}
                if self._api.send("POST", f"{self._auth}/reset", body=body).status_code == 204:
                    return account
            time.sleep(POLL_SECONDS)
        raise Refused(f"no mail with a link for {account.email} came to {mail_folder}")


def links_to(mail_folder: Path, email: str) -> list[str]:
    """The tokens of links to choose a password that were mailed to `email`, the newest first."""
    found = []
    for path in sorted(mail_folder.glob("*.eml"), reverse=True):
        mail = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(path.read_bytes())
        text = mail.get_body(("plain",))
        if email in str(mail["To"]) and text is not None:
            found += re.findall(r"#token=(\w+)", text.get_content())
    return found
