"""Large libraries are loaded where they are wanted: every process of a service would start later for them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.servers.process import ROOT

LARGE = {"alembic", "redis", "boto3", "fpdf"}


@pytest.mark.parametrize("service", ["admin_service", "ticketing_service"])
def test_a_web_process_loads_none_for_what_it_was_not_set_to(service: str) -> None:
    program = f"import sys, {service}.app; print(*({LARGE} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
