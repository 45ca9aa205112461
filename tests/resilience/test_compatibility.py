"""What knows the `circuitbreaker` package knows our breakers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import circuitbreaker
import pytest

from common.resilience.breaker import Breaker
from common.resilience.refusals import CircuitOpen
from common.resilience.states import DATABASE_WAITS, BreakerSpec
from tests.resilience.stage import SPEC, Away, Time, answer, break_down, breaker_of, opened


@pytest.fixture
def time() -> Time:
    return Time()


def test_the_monitor_sees_it(time: Time):
    breaker = breaker_of(time, replace(SPEC, name="seen"))
    monitor = circuitbreaker.CircuitBreakerMonitor
    assert monitor.get("seen") is breaker
    assert breaker in list(monitor.get_closed())
    break_down(breaker, 10)
    assert breaker in list(monitor.get_open())
    breaker.reset()
    assert breaker not in list(monitor.get_open())


def test_a_refusal_is_the_packages_error_and_has_words(time: Time):
    breaker = opened(time)
    with pytest.raises(circuitbreaker.CircuitBreakerError) as caught:
        breaker.call(answer)
    assert str(caught.value) == "payment-api is not asked: its circuit is open, try again in 30.0 s"
    words = circuitbreaker.CircuitBreakerError.__str__(caught.value)
    assert "(10 failures, 30 sec remaining)" in words
    assert "Away: no answer" in words
    assert breaker.open_until == time.day() + timedelta(seconds=30)
    assert str(breaker) == "payment-api"


def test_decorates_a_function_and_keeps_its_name(time: Time):
    breaker = breaker_of(time)

    @breaker
    def pay(amount: int) -> int:
        """Take money."""
        if amount < 0:
            raise Away
        return amount

    assert (pay(3), pay.__name__, pay.__doc__) == (3, "pay", "Take money.")
    for _ in range(9):
        with pytest.raises(Away):
            pay(-1)
    with pytest.raises(CircuitOpen):
        pay(3)


def test_the_fallback_answers_for_a_decorated_function(time: Time):
    breaker = opened(time, replace(SPEC, fallback=lambda word: f"old {word}"))

    @breaker
    def price(word: str) -> str:
        return word

    assert price("price") == "old price"


def test_guards_a_with_block_also_one_in_another(time: Time):
    outer, inner = breaker_of(time), breaker_of(time, replace(SPEC, name="inner"))
    with pytest.raises(Away), outer:
        with inner:
            pass
        with inner, inner:
            pass
        raise Away
    assert inner.status().counts[:2] == (3, 0)
    assert outer.status().counts[:2] == (1, 1)
    broken = opened(time)
    with pytest.raises(CircuitOpen), broken:
        pytest.fail("was let in")


def test_a_with_block_of_one_thread_knows_nothing_of_another(time: Time):
    breaker = breaker_of(time)
    barrier = threading.Barrier(8)

    def work(number: int) -> None:
        try:
            with breaker:
                barrier.wait(10)
                if number % 2:
                    raise Away
        except Away:
            pass

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert breaker.status().counts[:2] == (8, 4)


def test_a_generator_counts_when_it_ends(time: Time):
    breaker = breaker_of(time)

    @breaker
    def numbers(good: bool) -> Iterator[int]:
        yield 1
        if not good:
            raise Away
        yield 2

    assert list(numbers(True)) == [1, 2]
    with pytest.raises(Away):
        list(numbers(False))
    assert breaker.status().counts[:2] == (2, 1)


def test_coroutines_and_their_generators(time: Time):
    breaker = breaker_of(time)

    @breaker
    async def one(good: bool) -> int:
        await asyncio.sleep(0)
        if not good:
            raise Away
        return 1

    @breaker
    async def many() -> AsyncIterator[int]:
        yield 1
        yield 2

    async def everything() -> None:
        assert sum(await asyncio.gather(one(True), one(True))) == 2
        assert [item async for item in many()] == [1, 2]
        for _ in range(7):
            with pytest.raises(Away):
                await one(False)
        with pytest.raises(CircuitOpen):
            await one(True)
        with pytest.raises(CircuitOpen):
            [item async for item in many()]

    asyncio.run(everything())


def test_is_failure_follows_the_classification(time: Time):
    breaker = breaker_of(time, replace(SPEC, classify=lambda error: "success"))
    assert not breaker.is_failure(Away, Away())
    assert breaker_of(time).is_failure(Away, Away())


def test_the_protected_calls_run_side_by_side():
    """All 32 are inside at once: a lock held during the call would keep the second out for ever."""
    breaker = Breaker(BreakerSpec(name="parallel", timeout_seconds=60, waits=DATABASE_WAITS))
    barrier = threading.Barrier(32)
    threads = [threading.Thread(target=breaker.call, args=(barrier.wait, 30)) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert breaker.status().counts[:2] == (32, 0)
