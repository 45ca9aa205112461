"""Log lines as they are read back, one by one."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from common.monitoring import logs, tracing

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What this process writes as its log."""
    root, stream = logging.getLogger(), io.StringIO()
    before = root.handlers[:], root.level, logs._Installed.send
    logs.install("test-service", "info", stream)
    yield stream
    root.handlers[:], root.level = before[:2]
    logs._Installed.send = before[2]
    tracing.enter(None)


@pytest.fixture
def lines(written: io.StringIO) -> Lines:
    """The lines; each has to be JSON of its own for every reader, whatever it takes for a line break."""
    return lambda: [orjson.loads(line) for line in written.getvalue().splitlines()]
