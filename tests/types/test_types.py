"""The types of everything, these tests included."""

from __future__ import annotations

import subprocess
import sys

from tests.servers.process import ROOT


def test_every_type_is_right() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "."], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
