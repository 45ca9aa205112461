"""The worker loop: carries out the tasks of an outbox and the jobs of a timetable. It knows no business.

Of several workers one is active: it holds a lease that it renews while it lives. Every task is done at least
once: what a killed worker had begun is claimed again when the task's own lease ends, so handlers must bear
repetition.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from common.clock import Clock
from common.database import StoreUnavailable
from common.monitoring import tracing
from common.outbox.logged import logged
from common.outbox.port import Later, Outbox, Permanent, Task, Watcher

log = logging.getLogger(__name__)

IDLE_CHECK_SECONDS = 0.02


Handler = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done every so many seconds, first at the start. It never overlaps with itself."""

    name: str
    every_seconds: float
    run: Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the loop goes. Seconds, but for counts.

    `lease` is how long the active worker may be silent, `task_lease` how long a task may take before another
    may claim it. Waits between attempts double from `first_retry` to `longest_retry`, each shortened at
    random by up to a quarter; after `max_attempts` failures a task is given up.
    """

    threads: int = 8
    lease: float = 10.0
    task_lease: float = 30.0
    shortest_poll: float = 0.2
    longest_poll: float = 0.5
    store_pause: float = 1.0
    first_retry: float = 0.5
    longest_retry: float = 300.0
    max_attempts: int = 20

    def wait_before(self, attempt: int, chance: float) -> float:
        """Seconds until the attempt after `attempt` failed ones (from 1); `chance` is 0 to 1."""
        doubled = self.first_retry * 2.0 ** min(attempt - 1, 40)
        return min(doubled, self.longest_retry) * (1 - chance / 4)


class Worker:
    """`transient` lists the failures of dependencies: such a task is tried again for as long as it takes.
    While it is `paused` it begins nothing; it stays the active one, and what has begun ends. `closing` ends
    what jobs have left under way.
    """

    def __init__(
        self,
        outbox: Outbox,
        handlers: Mapping[str, Handler],
        jobs: Sequence[Job],
        clock: Clock,
        owner: str,
        *,
        transient: tuple[type[Exception], ...] = (),
        pace: Pace | None = None,
        watcher: Watcher | None = None,
        paused: Callable[[], bool] = lambda: False,
        closing: Callable[[], None] = lambda: None,
    ) -> None:
        self._outbox = outbox
        self._watcher, self._paused, self._closing = watcher, paused, closing
        self._handlers = handlers
        self._jobs = jobs
        self._clock = clock
        self._owner = owner
        self._pace = pace or Pace()
        self._transient: tuple[type[Exception], ...] = (StoreUnavailable, *transient)
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._active_until = 0.0
        self._running: set[Future[None]] = set()
        self._lock = threading.Lock()

    @property
    def active(self) -> bool:
        """Whether this is the worker that works."""
        return time.monotonic() < self._active_until

    def may_begin(self) -> bool:
        """Whether it is not paused."""
        return not self._paused()

    def stop(self) -> None:
        """Begin nothing more; `run` ends with what was begun. Takes locks: no signal handler."""
        self._stopping.set()
        self._wake.set()

    def run(self) -> None:
        """Work until `stop`. Only a fault of the loop itself comes out of it."""
        heart = threading.Thread(target=self._beat_until_stopped, name="heartbeat", daemon=True)
        heart.start()
        # A thread for each job, so that tasks waiting for a slow dependency hold up none of them.
        with ThreadPoolExecutor(self._pace.threads + len(self._jobs), "worker") as pool:
            self._work(pool)
        self._closing()
        heart.join()
        self._let_go()

    def _work(self, pool: ThreadPoolExecutor) -> None:
        due = {job.name: 0.0 for job in self._jobs}
        under_way: dict[str, Future[None]] = {}
        poll = self._pace.shortest_poll
        while not self._stopping.is_set():
            self._wake.clear()
            begun = 0
            if self.active and self.may_begin():
                self._start_jobs(pool, due, under_way)
                begun = self._start_tasks(pool)
            poll = self._pace.shortest_poll if begun else min(poll * 1.5, self._pace.longest_poll)
            # A thread that gets free wakes us, so that a full outbox is worked off without waiting.
            self._wake.wait(poll)

    def _start_jobs(
        self, pool: ThreadPoolExecutor, due: dict[str, float], under_way: dict[str, Future[None]]
    ) -> None:
        now = time.monotonic()
        for job in self._jobs:
            last = under_way.get(job.name)
            if now >= due[job.name] and (last is None or last.done()):
                due[job.name] = now + job.every_seconds
                under_way[job.name] = pool.submit(self._run_job, job)

    def _run_job(self, job: Job) -> None:
        with tracing.work(job=job.name):
            try:
                job.run()
            except self._transient as error:
                log.warning("job %s: %s: %s", job.name, type(error).__name__, error)
            except Exception:
                log.exception("job %s failed", job.name)
            else:
                if self._watcher is not None:
                    self._watcher.job_succeeded(job.name, self._clock())

    def _start_tasks(self, pool: ThreadPoolExecutor) -> int:
        """Claim as many tasks as there are free threads: none is to wait while its lease runs."""
        with self._lock:
            free = self._pace.threads - len(self._running)
        if free <= 0:
            return 0
        now = self._clock()
        try:
            tasks = self._outbox.claim(now, now + timedelta(seconds=self._pace.task_lease), free)
        except StoreUnavailable as error:
            log.warning("the store is away: %s", error)
            self._stopping.wait(self._pace.store_pause)
            return 0
        except Exception:
            log.exception("tasks could not be claimed")
            self._stopping.wait(self._pace.store_pause)
            return 0
        for task in tasks:
            future = pool.submit(self._carry_out, task)
            with self._lock:
                self._running.add(future)
            future.add_done_callback(self._ended)
        return len(tasks)

    def _ended(self, future: Future[None]) -> None:
        with self._lock:
            self._running.discard(future)
        self._wake.set()

    def _carry_out(self, task: Task) -> None:
        with logged(task):
            self._keep_outcome(task)

    def _keep_outcome(self, task: Task) -> None:
        try:
            self._attempt(task)
        except StoreUnavailable as error:
            # The outcome could not be written down: the task is claimed again when its lease ends.
            log.warning("task %s %s: the store is away: %s", task.kind, task.id, error)
        except Exception:
            log.exception("task %s %s: its outcome could not be kept", task.kind, task.id)

    def _attempt(self, task: Task) -> None:
        try:
            handler = self._handlers.get(task.kind)
            if handler is None:
                raise Permanent("nobody knows this kind of task")
            handler(task)
        except Later as reason:
            self._retry(task, str(reason), reason.seconds)
        except Permanent as error:
            self._give_up(task, str(error))
        except self._transient as error:
            log.warning("task %s %s: %s: %s", task.kind, task.id, type(error).__name__, error)
            self._retry(task, f"{type(error).__name__}: {error}", None)
        except Exception as error:
            log.exception("task %s %s failed", task.kind, task.id)
            if task.attempts >= self._pace.max_attempts:
                self._give_up(task, f"{type(error).__name__}: {error}")
            else:
                self._retry(task, f"{type(error).__name__}: {error}", None)
        else:
            self._outbox.done(task.id)

    def _retry(self, task: Task, error: str, seconds: float | None) -> None:
        if seconds is None:
            seconds = self._pace.wait_before(task.attempts, random.random())
        self._outbox.failed(task.id, error, self._clock() + timedelta(seconds=seconds))

    def _give_up(self, task: Task, error: str) -> None:
        log.error("task %s %s is given up: %s", task.kind, task.id, error)
        self._outbox.failed(task.id, error, None)

    def _beat_until_stopped(self) -> None:
        """Renew the lease well before it ends, also while a handler waits for somebody slow."""
        beat_at = 0.0
        while not (self._stopping.is_set() and self._is_idle()):
            if time.monotonic() >= beat_at:
                beat_at = time.monotonic() + self._pace.lease / 3
                self._beat()
            if self._stopping.is_set():
                time.sleep(IDLE_CHECK_SECONDS)
            else:
                self._stopping.wait(self._pace.lease / 3)

    def _is_idle(self) -> bool:
        with self._lock:
            return not self._running

    def _beat(self) -> None:
        asked_at, now = time.monotonic(), self._clock()
        try:
            mine = self._outbox.beat(self._owner, now, now + timedelta(seconds=self._pace.lease))
        except StoreUnavailable:
            # What we hold runs out by itself; nobody can take it over before.
            return
        except Exception:
            log.exception("the heartbeat failed")
            return
        was = self.active
        # A little less than was granted, so that two workers never both believe to be the one.
        self._active_until = asked_at + self._pace.lease * 0.9 if mine else 0.0
        if mine and self._watcher is not None:
            self._watcher.heartbeat(now)
        if mine != was:
            log.info("worker %s is %s", self._owner, "active" if mine else "standing by")
            self._wake.set()

    def _let_go(self) -> None:
        """End our lease, so that a successor need not wait for it."""
        if not self.active:
            return
        now = self._clock()
        try:
            self._outbox.beat(self._owner, now, now)
        except Exception as error:
            log.info("the lease was not given back: %s", error)
