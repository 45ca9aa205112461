"""At full counts loads come one after the other: of several at once, on two cores, none would get on."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator

import pytest

from tests.counts import at_full_counts


@pytest.fixture(autouse=True)
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One test of all test processes at a time."""
    if not at_full_counts():
        yield
        return
    with (tmp_path_factory.getbasetemp().parent / "one-load").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield
