"""Random schedules of calls, times and processes, against what must hold for any of them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from common.coordination.embedded import EmbeddedCoordination
from common.resilience.breaker import Breaker
from common.resilience.refusals import CircuitOpen
from common.resilience.registry import Breakers
from common.resilience.states import Waits
from tests.resilience.stage import SPEC, Away, Time, answer, fail

PROCESSES = 5
NAME = "database"
MODEL_SPEC = replace(SPEC, name=NAME, timeout_seconds=2, waits=Waits(1, 10))
LEASE = MODEL_SPEC.lease_seconds


def _protected() -> Iterator[str]:
    yield "inside"


@dataclass(eq=False)
class Call:
    """A call that was let through and has not ended."""

    generator: Any
    generation: int
    trial: bool
    began: float


class Process:
    """A process of the service: its own breakers and its own end of the coordination."""

    def __init__(self, folder: Path, time: Time) -> None:
        self.coordination = EmbeddedCoordination(folder)
        self.breakers = Breakers(
            self.coordination, time.day, [MODEL_SPEC], monotonic=time, chance=lambda: 0.5
        )
        self.breaker: Breaker = self.breakers[NAME]
        self.calls: list[Call] = []

    def die(self) -> None:
        """As the kernel sees it: locks and rows are gone."""
        self.coordination.close()


# The first gets most of it, so that schedules go far in one process and still meet in several.
processes = st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3, 4])


class Service(RuleBasedStateMachine):
    """Calls are generators, so that they can be held inside for as long as the schedule likes."""

    @initialize()
    def begin_service(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="breakers-"))
        self.time = Time()
        self.processes = [Process(self.folder, self.time) for _ in range(PROCESSES)]

    def teardown(self) -> None:
        if not hasattr(self, "processes"):
            return
        try:
            self.heal()
        finally:
            for process in self.processes:
                process.die()
            shutil.rmtree(self.folder)

    # --- what may happen ------------------------------------------------------------------------------

    @rule(number=processes, times=st.sampled_from([1, 2, 5, 10]))
    def succeed(self, number: int, times: int) -> None:
        for _ in range(times):
            with suppress(CircuitOpen):
                self.processes[number].breaker.call(answer)

    @rule(number=processes, times=st.sampled_from([1, 5, 10]))
    def break_down(self, number: int, times: int) -> None:
        for _ in range(times):
            with suppress(CircuitOpen, Away):
                self.processes[number].breaker.call(fail)

    @rule(numbers=st.lists(processes, min_size=1, max_size=8))
    def enter(self, numbers: list[int]) -> None:
        for number in numbers:
            process = self.processes[number]
            generator = process.breaker.call_generator(_protected)
            try:
                next(generator)
            except CircuitOpen:
                continue
            # Let in while half-open: a trial. The last successful trial would have closed it already.
            status = process.breaker.status()
            process.calls.append(Call(generator, status.generation, status.state == "half_open", self.time()))

    @rule(number=processes)
    def open_and_wait(self, number: int) -> None:
        self.break_down(number, 10)
        self.time.pass_by(MODEL_SPEC.waits.longest)

    @rule()
    def all_try_at_once(self) -> None:
        for number in range(PROCESSES):
            self.break_down(number, 10)
        self.time.pass_by(MODEL_SPEC.waits.longest)
        self.enter(list(range(PROCESSES)))

    @rule(number=processes, times=st.integers(1, 4))
    def lose_trials(self, number: int, times: int) -> None:
        for _ in range(times):
            self.enter([number])
            self.never_more_trials_than_leased()
            self.time.pass_by(LEASE)

    @rule(number=processes, index=st.integers(0, 20), good=st.booleans())
    def leave(self, number: int, index: int, good: bool) -> None:
        process = self.processes[number]
        if not process.calls:
            return
        call = process.calls.pop(index % len(process.calls))
        before = process.breaker.status()
        with suppress(StopIteration, Away):
            if good:
                next(call.generator)
            else:
                call.generator.throw(Away())
        after = process.breaker.status()
        if call.generation != before.generation:
            assert (after.state, after.generation, after.counts) == (
                before.state,
                before.generation,
                before.counts,
            ), "a late result changed something"
        if call.trial and self.time() - call.began >= LEASE:
            assert after.state != "closed" or before.state == "closed", "a lost trial closed the breaker"

    @rule(seconds=st.sampled_from([0.1, 0.5, 1, 1.5, 3.9, 4, 10, 61]))
    def wait(self, seconds: float) -> None:
        self.time.pass_by(seconds)

    @rule(number=processes)
    def share(self, number: int) -> None:
        self.processes[number].breakers.sharing.round()

    @rule()
    def share_all(self) -> None:
        for process in self.processes:
            process.breakers.sharing.round()

    @rule(number=processes)
    def reset(self, number: int) -> None:
        breaker = self.processes[number].breaker
        self.processes[number].breakers.reset(NAME)
        assert breaker.state == ("open" if breaker.status().mode == "forced_open" else "closed")

    @rule(number=processes, mode=st.sampled_from(["forced_open", "disabled", "automatic"]))
    def set_mode(self, number: int, mode: Any) -> None:
        until = self.time.day() + timedelta(seconds=5)
        self.processes[number].breakers.set_mode(NAME, mode, "drill", until)

    @rule(number=processes)
    def kill(self, number: int) -> None:
        self.processes[number].die()
        self.processes[number] = Process(self.folder, self.time)

    # --- what must hold -------------------------------------------------------------------------------

    @invariant()
    def never_more_trials_than_leased(self) -> None:
        if not hasattr(self, "processes"):
            return
        everywhere = 0
        for process in self.processes:
            status = process.breaker.status()
            trials = [call for call in process.calls if call.trial and call.generation == status.generation]
            leased = sum(self.time() - call.began < LEASE for call in trials)
            assert len(trials) <= 3, "more than three trials in one half-open period"
            assert leased <= 1, "two trials at once in one process"
            everywhere += leased
        assert everywhere <= 3, "more than three trials at once"

    def heal(self) -> None:
        """The dependency is well again, and what hangs hangs for ever: all must be closed before long."""
        for _ in range(4):
            # Longer than the longest wait, a lease and the window together: what failed is forgotten too.
            self.time.pass_by(MODEL_SPEC.waits.longest + LEASE + 61)
            for process in self.processes:
                process.breakers.sharing.round()
                for _ in range(3):
                    with suppress(CircuitOpen):
                        process.breaker.call(answer)
        for process in self.processes:
            status = process.breaker.status()
            assert (status.state, status.mode) == ("closed", "automatic"), f"stuck: {status.events[-3:]}"


Service.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    # Shrinking a schedule of forty steps takes minutes; the steps are printed whole.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestAnySchedule = Service.TestCase
