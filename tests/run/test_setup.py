"""deploy/setup.sh in a copy of its own, with stand-ins for apt-get, sudo and the user's id."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.process import ROOT

# Notes what it was asked for and what a package's scripts would be told; an install makes the program appear.
APT_GET = """#!/bin/sh
echo "$*" >> {folder}/apt.log
case "$*" in *" install "*)
  {folder}/policy-rc.d nginx start; echo "policy $?" >> {folder}/apt.log
  touch {folder}/installed; exit {status};;
esac
"""


class Checkout:
    """A folder with the set-up script, one Debian package missing, and a complete environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.policy = folder / "policy-rc.d"
        self.bin = folder / "bin"
        self.bin.mkdir()
        (folder / "deploy").mkdir()
        shutil.copy(ROOT / "deploy" / "setup.sh", folder / "deploy")
        requirements = folder / "requirements"
        requirements.mkdir()
        (requirements / "debian-run.txt").write_text(f"# a remark\ngatewayd  {folder}/installed\n")
        (requirements / "run.txt").write_text("flask==3\n")
        (folder / ".venv" / "bin").mkdir(parents=True)
        self.program(".venv/bin/python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        digest = hashlib.sha256(b"flask==3\n").hexdigest()
        (folder / ".venv" / ".installed-run").write_text(f"{digest}  -\n")

    def program(self, path: str, text: str) -> None:
        file = self.folder / path
        file.write_text(text)
        file.chmod(0o755)

    def user(self, number: int, *, may_sudo: bool = False, apt_status: int = 0) -> None:
        self.program("bin/id", f"#!/bin/sh\necho {number}\n")
        self.program("bin/apt-get", APT_GET.format(folder=self.folder, status=apt_status))
        self.program("bin/systemctl", "#!/bin/sh\nexit 0\n")
        sudo = '[ "$1" = -n ] && shift && exec "$@"' if may_sudo else "exit 1"
        self.program("bin/sudo", f"#!/bin/sh\n{sudo}\n")

    def setup(self) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}", "POLICY_RC_D": str(self.policy)}
        env.pop("VENV", None)
        return subprocess.run(
            ["deploy/setup.sh", "run"],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def apt_log(self) -> list[str]:
        log = self.folder / "apt.log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_without_rights_the_missing_packages_are_one_line_with_the_command(checkout: Checkout) -> None:
    checkout.user(1000)
    done = checkout.setup()
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "setup: missing Debian packages; please run: sudo apt-get install --no-install-recommends gatewayd\n"
    )
    assert checkout.apt_log() == []


@pytest.mark.parametrize("number, may_sudo", [(0, False), (1000, True)])
def test_packages_are_installed_without_letting_a_daemon_start(
    checkout: Checkout, number: int, may_sudo: bool
) -> None:
    checkout.user(number, may_sudo=may_sudo)
    done = checkout.setup()
    assert done.returncode == 0, done.stderr
    update, install, policy = checkout.apt_log()
    assert update.endswith("update")
    assert install.endswith("install --no-install-recommends gatewayd")
    assert policy == "policy 101"
    assert not checkout.policy.exists()


@pytest.mark.parametrize("apt_status", [0, 100])
def test_a_policy_that_was_there_comes_back_even_when_the_installation_fails(
    checkout: Checkout, apt_status: int
) -> None:
    checkout.policy.write_text("#!/bin/sh\nexit 0\n")
    checkout.user(0, apt_status=apt_status)
    assert (checkout.setup().returncode == 0) is (apt_status == 0)
    assert "policy 101" in checkout.apt_log()
    assert checkout.policy.read_text() == "#!/bin/sh\nexit 0\n"
    assert not checkout.policy.with_name("policy-rc.d.before-setup").exists()


def test_with_all_in_place_nothing_is_done_or_said(checkout: Checkout) -> None:
    checkout.user(0)
    checkout.setup()
    calls = len(checkout.apt_log())
    again = checkout.setup()
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert len(checkout.apt_log()) == calls
