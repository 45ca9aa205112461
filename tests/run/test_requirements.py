"""The lock files: pinned, hashed, and bound to no registry, so that they install anywhere."""

from __future__ import annotations

import re

import pytest

from tests.servers.process import ROOT

LOCKS = ["run", "test"]


def requirements(name: str) -> list[str]:
    """Return each requirement of a lock file, its continuation lines joined."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_pinned_and_hashed(name: str) -> None:
    lines = requirements(name)
    assert len(lines) > 20
    for line in lines:
        assert re.match(r"[a-z0-9._-]+==[^\s;]+( ; .+?)?\s+--hash=sha256:[0-9a-f]{64}\b", line), line


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_file_names_a_registry_or_a_path(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert not re.search(r"://|--(index|extra|find|trusted)|file:", text)


@pytest.mark.parametrize("name", LOCKS)
def test_what_is_asked_for_is_locked(name: str) -> None:
    wanted = re.findall(r"^[a-z0-9-]+", (ROOT / "requirements" / f"{name}.in").read_text(), re.MULTILINE)
    locked = {line.partition("==")[0] for line in requirements(name)}
    assert wanted
    assert set(wanted) - {"-c"} <= locked


def test_tests_run_with_the_very_versions_that_run() -> None:
    both = [dict(line.split(" ")[0].split("==") for line in requirements(name)) for name in LOCKS]
    assert all(both[0][name] == both[1][name] for name in both[0].keys() & both[1].keys())
