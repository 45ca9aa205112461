"""One desk for as many attacks as there are: none of them may leave a trace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.admin.desk import Desk
from tests.security.admin.stage import KEY_OF_OPERATORS, Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Shared by a file's tests, as refusals leave nothing behind."""
    folder: Path = tmp_path_factory.mktemp("stage")
    url = f"sqlite:///{folder / 'store.db'}"
    desk = Desk(folder, url, OPERATOR_KEY=KEY_OF_OPERATORS)
    made = Stage(desk, url)
    yield made
    made.watch.close()
    desk.close()
