"""A foreground supervisor: starts processes, shows their output, ends all with the first, or when told to."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

from demo.log_lines import for_people

TAIL_LINES = 20
GRACE_SECONDS = 10.0
FRONT_GRACE_SECONDS = 5.0
POLL_SECONDS = 0.05
COLOURS = ("36", "33", "32", "35", "34", "31")
# A child begins its work only when it is told to, after the guard knows it; its input ending means never.
GATE = ("sh", "-c", 'read go && exec "$@" </dev/null', "sh")
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequested(Exception):
    """Somebody asked for the end: Ctrl-C, SIGTERM or a terminal that hung up."""


class ChildEnded(Exception):
    """A process ended although it should go on, or failed at a task; the message holds its last lines."""


class Console:
    """Writes whole lines with the name of their process in front; a terminal that is gone is no error."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stdout
        self._lock = threading.Lock()
        self._names: list[str] = []
        self.is_terminal = self._stream.isatty()
        self._coloured = self.is_terminal and "NO_COLOR" not in os.environ

    def introduce(self, name: str) -> None:
        """The next colour is that of the process `name`."""
        if name not in self._names:
            self._names.append(name)

    def line(self, text: str, name: str | None = None) -> None:
        """Write one line; `name` was introduced before."""
        prefix = "" if name is None else self._prefix(name)
        with self._lock:
            try:
                self._stream.write(f"{prefix}{text}\n")
                self._stream.flush()
            except (OSError, ValueError):
                return

    def _prefix(self, name: str) -> str:
        label = f"{name:<16} | "
        if not self._coloured:
            return label
        return f"\033[{COLOURS[self._names.index(name) % len(COLOURS)]}m{label}\033[0m"


class Child:
    """One process in a session of its own, its output read line by line."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: Path,
        console: Console,
        *,
        front: bool = False,
    ) -> None:
        self.name, self.front = name, front
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._console = console
        console.introduce(name)
        self._popen = subprocess.Popen(
            (*GATE, *argv),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.pid = self._popen.pid
        self._reader = threading.Thread(target=self._read, args=(self._popen.stdout,), daemon=True)
        self._reader.start()

    def go(self) -> None:
        """Let it begin."""
        gate = self._popen.stdin
        if gate is not None:
            with contextlib.suppress(BrokenPipeError), gate:
                gate.write("go\n")

    def _read(self, output: IO[str]) -> None:
        with output:
            for line in output:
                text = for_people(line.rstrip("\n"))
                if text is None:
                    continue
                self.tail.append(text)
                self._console.line(text, self.name)

    @property
    def status(self) -> int | None:
        """Exit status (negative: the signal); None while it runs."""
        return self._popen.poll()

    def signal_group(self, signum: signal.Signals) -> None:
        """Signal the process and all in its group."""
        try:
            os.killpg(self.pid, signum)
        except (ProcessLookupError, PermissionError):
            return

    def ended(self) -> ChildEnded:
        """Describe its end."""
        self._reader.join(timeout=1)
        status = self.status
        how = (
            f"was killed by {signal.Signals(-status).name}"
            if status and status < 0
            else f"ended with status {status}"
        )
        last = "\n".join(f"    {line}" for line in self.tail) or "    (it wrote nothing)"
        return ChildEnded(f"{self.name} {how}. Its last lines:\n{last}")


class Supervisor:
    """`with Supervisor(env, cwd) as all_of_them: ...`; leaving the block ends every process."""

    def __init__(self, env: Mapping[str, str], cwd: Path, console: Console | None = None) -> None:
        """`env` is the whole environment of every process."""
        self.console = console or Console()
        self._env = {**env, "PYTHONUNBUFFERED": "1"}
        self._cwd = cwd
        self._children: list[Child] = []
        self._stop_signal: signal.Signals | None = None
        self._handlers: dict[signal.Signals, Callable[[int, FrameType | None], object] | int | None] = {}
        self._guard: subprocess.Popen[str] | None = None

    def start(
        self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None, *, front: bool = False
    ) -> None:
        """Start a process that is to run until all end; what stands in `front` ends before the others."""
        self._children.append(self._launch(name, argv, env, front=front))

    def run(self, tasks: Mapping[str, Sequence[str]]) -> None:
        """Run tasks, by name, side by side to their ends; all others are watched meanwhile.

        Raises ChildEnded when one fails.
        """
        running = [self._launch(name, argv, None) for name, argv in tasks.items()]
        self._children += running
        while running:
            for task in [task for task in running if task.status is not None]:
                running.remove(task)
                self._children.remove(task)
                failure = task.ended()
                self._forget(task)
                if task.status != 0:
                    raise failure
            self._check(except_for=running)
            time.sleep(POLL_SECONDS)

    def wait_until(self, what: str, condition: Callable[[], bool], seconds: float) -> None:
        """Wait for a condition. Raises ChildEnded when a process ends, or when time is up."""
        deadline = time.monotonic() + seconds
        while not condition():
            self._check()
            if time.monotonic() > deadline:
                raise ChildEnded(f"{what} was not ready within {seconds:g} s")
            time.sleep(POLL_SECONDS)

    def watch(self) -> None:
        """Go on until a process ends (ChildEnded) or the end is asked for (StopRequested)."""
        while True:
            self._check()
            time.sleep(POLL_SECONDS)

    def _launch(
        self, name: str, argv: Sequence[str], env: Mapping[str, str] | None, *, front: bool = False
    ) -> Child:
        child = Child(name, argv, {**self._env, **(env or {})}, self._cwd, self.console, front=front)
        self._tell_guard(f"+{child.pid}")
        child.go()
        return child

    def _check(self, except_for: Collection[Child] = ()) -> None:
        if self._stop_signal is not None:
            raise StopRequested(self._stop_signal.name)
        for child in self._children:
            if child not in except_for and child.status is not None:
                raise child.ended()
        if self._guard is not None and self._guard.poll() is not None:
            raise ChildEnded("the guard, which ends the processes when this one is killed, is gone")

    def _forget(self, child: Child) -> None:
        child.signal_group(signal.SIGKILL)  # what the process itself may have left behind
        self._tell_guard(f"-{child.pid}")

    def _tell_guard(self, line: str) -> None:
        if self._guard is None or self._guard.stdin is None:
            return
        try:
            self._guard.stdin.write(f"{line}\n")
            self._guard.stdin.flush()
        except OSError:
            return

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        if self._stop_signal is None:
            self._stop_signal = signal.Signals(
                signum
            )  # the loops look at it; raising here could lose a child
        elif signum == signal.SIGINT:  # Ctrl-C once more: at once
            for child in self._children:
                child.signal_group(signal.SIGKILL)

    def _stop(self) -> None:
        """SIGTERM to all, last started first; SIGKILL after a grace time.

        What stands in front goes first: what it has accepted, the others behind it can still answer.
        """
        latest_first = list(reversed(self._children))
        self._ask_to_end([child for child in latest_first if child.front], FRONT_GRACE_SECONDS)
        self._ask_to_end([child for child in latest_first if not child.front], GRACE_SECONDS)
        for child in self._children:
            self._forget(child)
            child.ended()

    @staticmethod
    def _ask_to_end(children: Collection[Child], seconds: float) -> None:
        for child in children:
            child.signal_group(signal.SIGCONT)
            if child.status is None:
                os.kill(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + seconds
        while any(child.status is None for child in children) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def __enter__(self) -> Self:
        argv = [sys.executable, "-S", "-E", str(Path(__file__).with_name("guard.py"))]
        self._guard = subprocess.Popen(argv, stdin=subprocess.PIPE, text=True, start_new_session=True)
        for signum in STOP_SIGNALS:
            if signal.getsignal(signum) is not signal.SIG_IGN:  # `nohup` asked to outlive the terminal
                self._handlers[signum] = signal.signal(signum, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._stop()
        finally:
            if self._guard is not None and self._guard.stdin is not None:
                self._guard.stdin.close()
                self._guard.wait()
            for signum, handler in self._handlers.items():
                signal.signal(signum, handler)
