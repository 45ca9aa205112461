"""When a backup or a drill is due, and a process of its own for each of them."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

from common.backups.desk import BackupDesk, What
from common.backups.state import moment_of, note_backup, note_drill, read_state
from common.clock import Clock
from common.web.schemas import instant_text

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
DRILL_EVERY, DRILL_AGAIN = timedelta(days=7), timedelta(days=1)
TRY_AGAIN = timedelta(hours=1)
STOP_SECONDS = 10.0
Command = Literal["take", "drill", "status"]
Tried = Mapping[str, datetime]


class Run(Protocol):
    """A command that is under way."""

    def status(self) -> int | None:
        """None while it goes on; 0 when it went well."""
        ...

    def last_words(self) -> str: ...

    def stop(self) -> None: ...


def due(state: Mapping[str, Any] | None, now: datetime, hour: int, tried: Tried) -> Command | None:
    """What is to be done now. `state`: what is known, None for nothing. `tried`: when each was begun last, by
    this process. A backup is due once a day from `hour` on, a drill once a week, what failed again later.
    """

    def rested(command: str, pause: timedelta) -> bool:
        return command not in tried or now - tried[command] >= pause

    if state is None:
        # another machine may have made some
        if "status" not in tried:
            return "status"
        state = {}
    good = moment_of(state.get("good"))
    if (good is None or good < _last_time(now, hour)) and rested("take", TRY_AGAIN):
        return "take"
    drill = moment_of(state.get("drill"))
    pause = DRILL_EVERY if (state.get("drill") or {}).get("ok") else DRILL_AGAIN
    if good is not None and (drill is None or now - drill >= pause) and rested("drill", TRY_AGAIN):
        return "drill"
    return None


class Schedule:
    """Does what is due, one after the other. `look` is called every some seconds, and never waits.

    `watch` is told the state each time.
    """

    def __init__(
        self,
        folder: Path,
        desk: BackupDesk,
        clock: Clock,
        watch: Callable[[Mapping[str, Any]], None],
        launch: Callable[[Command], Run] | None = None,
    ) -> None:
        self._folder, self._desk, self._clock, self._watch = folder, desk, clock, watch
        self._launch = launch or (lambda command: _Command(command, folder))
        self._tried: dict[str, datetime] = {}
        self._run: tuple[Command, datetime, Run] | None = None

    def look(self) -> None:
        """Begin what is due, or see how what has begun is doing."""
        if self._run is not None and self._run[2].status() is not None:
            self._ended(*self._run)
            self._run = None
        if self._run is None:
            self._begin()
        state = read_state(self._folder) or {}
        self._watch(state)
        self._desk.publish({**state, "underWay": None if self._run is None else self._run[0]})

    def stop(self) -> None:
        """End what is under way; it is begun anew by the next."""
        if self._run is not None:
            self._run[2].stop()
            self._run = None

    def _begin(self) -> None:
        now = self._clock()
        asked: What | None = self._desk.asked()
        command: Command | None = asked or due(read_state(self._folder), now, self._desk.hour, self._tried)
        if command is None:
            return
        if asked is not None:
            self._desk.begun()
        log.info("backups: %s begins", command)
        self._tried[command] = now
        self._run = (command, now, self._launch(command))

    def _ended(self, command: Command, began: datetime, run: Run) -> None:
        status = run.status()
        if status == 0:
            log.info("backups: %s went well", command)
            return
        fault = run.last_words() or f"ended with {status}"
        # of a repository that is still to be made there is no status
        log.log(
            logging.INFO if command == "status" else logging.ERROR, "backups: %s failed: %s", command, fault
        )
        if command != "status":
            self._note_end(command, began, fault)

    def _note_end(self, command: str, began: datetime, fault: str) -> None:
        """A command that ended before it could note anything, such as one that was killed."""
        kind, note = ("last", note_backup) if command == "take" else ("drill", note_drill)
        noted = moment_of((read_state(self._folder) or {}).get(kind))
        if noted is None or noted < began:
            now = instant_text(self._clock())
            note(self._folder, {"ok": False, "at": now, "startedAt": instant_text(began), "fault": fault})


class _Command:
    """`python -m backups`, behind everything else in the queue for the processor."""

    def __init__(self, command: Command, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._log = folder / f"{command}.log"
        # ended by the kernel with the thread that began it, should this process be killed
        tied = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [*tied, "nice", "-n", "10", sys.executable, "-m", "backups", command],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def status(self) -> int | None:
        return self._process.poll()

    def last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1][:500] if lines else ""

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def _last_time(now: datetime, hour: int) -> datetime:
    """The last moment at which a daily backup became due."""
    today = now.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today <= now else today - timedelta(days=1)
