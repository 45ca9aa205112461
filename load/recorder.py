"""Writes down, each second, what the load generator saw. Runs in locust's process."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson
from locust.env import Environment

from load.samples import Second, Tally

FLOW = "FLOW"
SOLD_OUT = "sold out"
MAX_ERROR = 160


class Recorder:
    """One JSON line a second. Listens to every answer; `stage` is named by who knows it."""

    def __init__(self, environment: Environment, path: Path) -> None:
        self.stage = ""
        self._environment = environment
        self._file = path.open("ab", buffering=0)
        self._now = Second(at=time.time())
        self._cpu = time.process_time()
        self._goods: dict[str, list[int]] = {}
        environment.events.request.add_listener(self._note)  # type: ignore[no-untyped-call]
        environment.events.quitting.add_listener(self._finish)  # type: ignore[no-untyped-call]

    def run(self) -> None:
        """Write until the process ends."""
        while True:
            time.sleep(1)
            self._write()

    def goodput(self, stage: str) -> float:
        """Right and timely answers a second in the later half of a stage, when its users have come."""
        goods = self._goods.get(stage, [])
        later = goods[len(goods) // 2 :]
        return sum(later) / max(1, len(later))

    def _note(
        self,
        *,
        request_type: str,
        name: str,
        response_time: float,
        exception: Exception | None,
        context: dict[str, Any] | None = None,
        **_: object,
    ) -> None:
        tallies = self._now.flows if request_type == FLOW else self._now.requests
        tallies.setdefault(name, Tally()).add(response_time, failed=exception is not None)
        if exception is not None:
            self._now.errors[f"{name}: {exception}"[:MAX_ERROR]] += 1
        if context and context.get("outcome") == SOLD_OUT:
            self._now.sold_out += 1

    def _write(self) -> None:
        done, self._now = self._now, Second(at=time.time())
        runner = self._environment.runner
        cpu = time.process_time()
        done.users = runner.user_count if runner else 0
        done.stage = self.stage
        done.cpu = round((cpu - self._cpu) / max(0.001, self._now.at - done.at), 3)
        self._cpu = cpu
        good = sum(tally.good for tally in done.requests.values())
        self._goods.setdefault(self.stage, []).append(good)
        self._file.write(orjson.dumps(done.document()) + b"\n")

    def _finish(self, **_: object) -> None:
        self._write()
        self._file.close()
