"""The commands of docs/curating.md, pasted into a shell against a real `make run`."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from demo.curating import a_picture
from demo.staff import FILE
from tests.demo.running import free_ports, running
from tests.servers.process import ROOT

PAGE = (ROOT / "docs" / "curating.md").read_text(encoding="utf-8")
GATEWAY, DATA = "http://127.0.0.1:3001/", ".data/"
PICTURE = "pier.jpg"


def script() -> str:
    """All commands of the page, which end at the first that fails."""
    return "set -euo pipefail\n" + "".join(re.findall(r"^```\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))


def test_each_command_prints_what_the_page_says(tmp_path: Path) -> None:
    env = free_ports() | {"DATA_DIR": str(tmp_path / "data"), "WEB_WORKERS": "1"}
    text, expected = script(), re.findall(r"# prints: (.*)$", PAGE, re.MULTILINE)
    assert text.count(GATEWAY) == 1
    assert text.count(f"{DATA}{FILE}") == 1
    text = text.replace(GATEWAY, f"http://127.0.0.1:{env['GATEWAY_PORT']}/").replace(DATA, "data/")
    (tmp_path / PICTURE).write_bytes(a_picture())
    with running(env) as run:
        done = subprocess.run(
            ["bash", "-c", text], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr + run.tail(40)
    assert done.stdout.splitlines() == expected
    assert len(expected) > 15
