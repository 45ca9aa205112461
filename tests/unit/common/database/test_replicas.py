"""A replica that failed is passed over, for longer each time, and tried by one caller at a time."""

from __future__ import annotations

import pytest

from common.database.replica import FIRST_PASS_SECONDS, LONGEST_PASS_SECONDS, Replicas
from common.database.unavailable import StoreUnavailable


class Source:
    """A replica at its worst and best, and how often it was asked."""

    def __init__(self) -> None:
        self.now, self.asked, self.is_away = 0.0, 0, False
        self.heard: list[str] = []
        self.replicas = Replicas(lambda name, _: self.heard.append(name), lambda: self.now)

    def __call__(self) -> str:
        self.asked += 1
        if self.is_away:
            raise StoreUnavailable("away")
        return "copy"

    def ask(self) -> str:
        return self.replicas.ask(self, lambda: "own")


@pytest.fixture
def source() -> Source:
    return Source()


def test_it_answers_as_long_as_it_can(source: Source) -> None:
    assert [source.ask(), source.ask()] == ["copy", "copy"]
    assert source.heard == ["replica.read", "replica.read"]


def test_it_is_passed_over_for_longer_each_time_and_asked_again_when_it_answers(source: Source) -> None:
    source.is_away, wait = True, FIRST_PASS_SECONDS
    for tried in range(1, 9):
        assert source.ask() == "own"
        source.now += wait - 0.1
        assert source.ask() == "own"
        assert source.asked == tried
        source.now += 0.1
        wait = min(2 * wait, LONGEST_PASS_SECONDS)
    source.is_away = False
    assert [source.ask(), source.ask()] == ["copy", "copy"]


def test_while_one_tries_it_the_others_do_not(source: Source) -> None:
    source.is_away = True
    source.ask()
    source.now += FIRST_PASS_SECONDS
    meanwhile: list[str] = []

    def tried() -> str:
        meanwhile.append(source.ask())
        return "copy"

    asked = source.asked
    assert source.replicas.ask(tried, lambda: "own") == "copy"
    assert meanwhile == ["own"]
    assert source.asked == asked


def test_a_refusal_is_no_failure_of_the_replica(source: Source) -> None:
    def refuse() -> str:
        raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        source.replicas.ask(refuse, lambda: "own")
    assert source.ask() == "copy"
