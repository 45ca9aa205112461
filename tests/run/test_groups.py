"""One test process has all tests of a group; otherwise what they share would be made in each, in silence."""

from __future__ import annotations

import pytest


def test_the_group_is_in_the_name_that_tests_are_given_out_by(
    request: pytest.FixtureRequest,
) -> None:
    if request.config.getoption("loadgroup", False):
        assert request.node.nodeid.endswith("@tests/run/test_groups.py")
