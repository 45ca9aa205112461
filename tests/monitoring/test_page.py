"""What docs/operations.md tells somebody to type does what it says, on a running service."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.test_operations import commands, section
from tests.monitoring.watched import KEY, PREFIX, Watched
from tests.servers.process import eventually

pytestmark = pytest.mark.parametrize(
    "service", [pytest.param("embedded", marks=pytest.mark.xdist_group("monitoring-embedded"))], indirect=True
)
UNTIL = "until=$(date -u -d '+30 minutes' +%Y-%m-%dT%H:%M:%S.000Z)"
MASTER = "python.* .*gunicorn .*ticketing_service.wsgi"
WORKER = "python.* -m ticketing_service.worker"


@pytest.fixture
def shell(service: Watched, tmp_path: Path) -> dict[str, str]:
    """The variables that the page sets first, and where the logs are."""
    key, logs = tmp_path / "key", tmp_path / "logs"
    key.write_text(f"Authorization: Bearer {KEY}")
    logs.write_text(service.stack.ticketing.output())
    return {
        **os.environ,
        "G": service.stack.gateway_url,
        "M": f"{service.stack.ticketing_url}{PREFIX}",
        "K": str(key),
        "LOGS": str(logs),
        "DATA_DIR": str(service.stack.data_dir),
    }


def said(command: str, shell: dict[str, str]) -> str:
    done = subprocess.run(
        ["bash", "-c", command], env=shell, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{command}: {done.stderr}{done.stdout}"
    return done.stdout


def test_every_call_on_the_page_is_answered_with_success(service: Watched, shell: dict[str, str]) -> None:
    for command in dict.fromkeys(commands()):
        # `-f`: curl says so when the status is none of success; the body follows in any case.
        answer = said(f"{UNTIL}; {command.replace('curl -s ', 'curl --fail-with-body -s ', 1)}", shell)
        if "prometheus" in command:
            assert answer.startswith("# HELP ticketing_")
        else:
            assert isinstance(json.loads(answer), dict), command
    service.wait_for_check("circuitBreakers", "healthy")
    assert {row["mode"] for row in service.rows("payment-api").values()} == {"automatic"}


@pytest.mark.parametrize(
    "line",
    [
        'df -h "$DATA_DIR"; df -i "$DATA_DIR"',
        'du -xah "$DATA_DIR" | sort -h | tail -20',
        "until curl -sf $M/ready; do sleep 0.5; done",
        ': > "$DATA_DIR/gateway/access.log"',
        "curl -s -m 5 $M/live; curl -s $G/health/all",
    ],
)
def test_the_other_lines_work_too(service: Watched, shell: dict[str, str], line: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert line in page
    eventually(
        lambda: (
            subprocess.run(
                ["bash", "-c", line], env=shell, timeout=60, check=False, capture_output=True
            ).returncode
            == 0
        )
    )


def test_the_operator_finds_who_did_what(service: Watched, shell: dict[str, str]) -> None:
    body = {"mode": "automatic", "reason": "looked for on the page"}
    assert service.ask("PUT", "/circuit-breakers/mail", body).status == 200
    (line,) = re.findall(r"`(grep '\"logger[^`]+)`", section("BreakerOverridden"))

    def found() -> bool:
        Path(shell["LOGS"]).write_text(service.stack.ticketing.output())
        return body["reason"] in said(line, shell)

    eventually(found, what="the line")


@pytest.mark.parametrize("pattern", [MASTER, WORKER])
def test_the_process_to_restart_is_found(service: Watched, shell: dict[str, str], pattern: str) -> None:
    """The oldest that looks so is the master: others may run on this machine."""
    text = section("Restart without loss")
    assert f"pgrep -of '{pattern}'" in text
    found = [int(pid) for pid in said(f"pgrep -f '{pattern}'", shell).split()]
    master = service.stack.ticketing.pid if pattern == MASTER else service.stack.worker.pid
    others = set(service.stack.web_worker_pids()) if pattern == MASTER else set()
    assert master in found
    assert all(_began(master) <= _began(pid) for pid in others & set(found))


def _began(pid: int) -> int:
    """In ticks since the machine began."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def test_the_page_says_of_everything_in_the_data_folder_whether_it_may_go(
    service: Watched, shell: dict[str, str]
) -> None:
    text = section("Free a full disk")
    for path in service.stack.data_dir.iterdir():
        name = (
            f"{path.name}/"
            if path.is_dir()
            else path.suffix
            if path.suffix in (".turn", ".migrating")
            else path.name
        )
        assert f"`{name}" in text, name
