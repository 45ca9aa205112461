"""The types of everything, these tests included."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.servers.process import ROOT


@pytest.mark.timeout(1800)  # alone, and with nothing kept, it has more to do than all others
def test_every_type_is_right() -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "."], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
