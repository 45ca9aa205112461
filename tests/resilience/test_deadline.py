"""How much time a block has: never more than what is round it, unless it is given its own anew."""

from __future__ import annotations

import pytest

from common.resilience import deadline
from common.resilience.refusals import DeadlineExceeded


class Monotonic:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_block_inside_gets_no_more_than_is_left() -> None:
    clock = Monotonic()
    with deadline.within(10, clock), deadline.within(60, clock):
        assert deadline.remaining(100) == 10


def test_a_block_that_reckons_for_long_gets_its_own_time_and_the_rest_does_not() -> None:
    clock = Monotonic()
    with deadline.within(10, clock):
        clock.now = 9
        with deadline.anew(55, clock):
            assert deadline.remaining(100) == 55
            clock.now = 40
            assert deadline.remaining(5) == 5
            clock.now = 65
            with pytest.raises(DeadlineExceeded):
                deadline.check()
        with pytest.raises(DeadlineExceeded):
            deadline.check()
    deadline.check()
