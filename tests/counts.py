"""How much a test does: `make test` runs everything at small counts, `make test-full` at the full ones."""

from __future__ import annotations

import os
from typing import TypeVar

Value = TypeVar("Value")


def at_full_counts() -> bool:
    """True under `make test-full`. Raises ValueError for another TEST_COUNTS than small or full."""
    counts = os.environ.get("TEST_COUNTS", "small")
    if counts not in ("small", "full"):
        raise ValueError(f"TEST_COUNTS={counts}: expected small or full")
    return counts == "full"


def counts(small: Value, full: Value) -> Value:
    """Choose between the two figures of a test."""
    return full if at_full_counts() else small
