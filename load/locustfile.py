"""What locust runs: the people, how many of them when, and the recorder. LOAD_PLAN names the plan's file."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

from locust import LoadTestShape, events
from locust.env import Environment

from load.people import Gatekeeper, Staff
from load.plan import Plan, Stage, read_plan
from load.recorder import Recorder
from load.stages import over_the_knee
from load.visitor import Visitor

__all__ = ["Gatekeeper", "Shape", "Staff", "Visitor"]


@events.init.add_listener  # type: ignore[untyped-decorator]
def prepare(environment: Environment, **_: Any) -> None:
    """The plan and the recorder go with the environment, which every user knows."""
    plan = read_plan(Path(os.environ["LOAD_PLAN"]))
    recorder = Recorder(environment, Path(plan.samples))
    environment.load_plan = plan  # type: ignore[attr-defined]
    environment.load_recorder = recorder  # type: ignore[attr-defined]
    environment.host = plan.gateway
    # A greenlet, as locust has patched threads.
    threading.Thread(target=recorder.run, name="recorder", daemon=True).start()


class Shape(LoadTestShape):
    """The plan's stages, one after another; with `until_knee` until one brings no more."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._number = 0
        self._begun: float | None = None
        self._goodputs: list[float] = []

    def tick(self) -> tuple[int, float] | None:
        """As locust asks, about once a second: users and how many more a second, or None at the end."""
        environment: Any = self.runner.environment  # type: ignore[union-attr]
        plan: Plan = environment.load_plan
        recorder: Recorder = environment.load_recorder
        now = time.monotonic()
        self._begun = self._begun or now
        stage = plan.stages[self._number]
        if now - self._begun >= stage.seconds:
            if self._is_last(plan, stage, recorder):
                return None
            self._number += 1
            self._begun = now
            stage = plan.stages[self._number]
        recorder.stage = stage.label
        return stage.users, stage.ramp

    def _is_last(self, plan: Plan, stage: Stage, recorder: Recorder) -> bool:
        self._goodputs.append(recorder.goodput(stage.label))
        if plan.until_knee and over_the_knee(self._goodputs):
            return True
        return self._number + 1 >= len(plan.stages)
