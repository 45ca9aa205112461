"""One child process: start, wait for a condition, tail of its output, stop, kill -9, pause and resume."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers import warm

ROOT = Path(__file__).resolve().parents[2]
POLL_SECONDS = 0.02
HEEDING = ("env", "--default-signal=HUP,INT,QUIT")
"""In a shell's background, or under nohup, a test run ignores these, and so would all that it starts."""
PORTS = range(20_000, 32_000)
"""Below those that the kernel gives to outgoing connections, which would take them without asking."""
LAST_PORT = Path(f"/tmp/test-ports-{os.getuid()}")
"""One for all runs of a user, wherever their other files are."""


class ProcessFailed(AssertionError):
    """A process ended, or did not reach a condition in time; the message holds the end of its output."""


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on; test runs side by side get different ones."""
    with os.fdopen(os.open(LAST_PORT, os.O_RDWR | os.O_CREAT, 0o600), "r+") as last:
        fcntl.flock(last, fcntl.LOCK_EX)
        number = int(last.read() or 0)
        while True:
            number = (number + 1) % len(PORTS)
            if _can_listen(PORTS[number]):
                break
        last.seek(0)
        last.truncate()
        last.write(str(number))
    return PORTS[number]


def _can_listen(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def port_is_open(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether somebody accepts connections on a TCP port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, port)) == 0


def connections_to(port: int) -> int:
    """How many established connections of this machine lead to `port`."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return sum(line.split()[2].endswith(f":{port:04X}") and line.split()[3] == "01" for line in lines)


def eventually(
    condition: Callable[[], bool],
    *,
    seconds: float = 20,
    every: float = POLL_SECONDS,
    what: str = "the condition",
) -> None:
    """Wait until `condition()` is true, asking `every` so many seconds; AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds:g} s")
        time.sleep(every)


def descendants(pid: int) -> list[int]:
    """Return the process ids of all children of `pid` that live, and theirs, nearest first."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []
    direct: list[int] = []
    for thread in threads:
        try:
            direct += [int(child) for child in (thread / "children").read_text().split()]
        except OSError:
            continue
    direct = [child for child in direct if is_alive(child)]
    return direct + [below for child in direct for below in descendants(child)]


def is_alive(pid: int) -> bool:
    """Tell whether a process exists and is not a zombie."""
    return _state(Path(f"/proc/{pid}")) not in ("Z", "")


def _state(task: Path) -> str:
    """Of a process or thread, as proc_pid_stat(5) has it; empty when there is none."""
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _stands(pid: int) -> bool:
    """Whether no thread of the process runs any more."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return True
    return all(_state(thread) in ("T", "t", "Z", "") for thread in threads)


def _group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0


class Process:
    """A child process in a session of its own; its output goes to a file, so that a chatty one costs nothing.

    Start it from a thread that lives as long as it: the kernel ends the child with the thread that made it,
    which is how a killed test run leaves nothing behind.
    """

    warm = False
    """Whether our own programs are forked from a process that has their imports (tests/servers/warm.py)."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        name: str | None = None,
    ) -> None:
        """`env` is laid over this process's environment."""
        self.argv = [str(word) for word in argv]
        self.name = name or Path(self.argv[0]).name
        self._env = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
        self._cwd = cwd
        self._popen: subprocess.Popen[bytes] | warm.Started | None = None
        self._output = tempfile.TemporaryFile(prefix=f"{self.name}-")  # noqa: SIM115 - closed by stop()

    def start(self) -> Self:
        """Start (again); the output of all starts stays together."""
        assert not self.running, f"{self.name} is running already"
        if self._output.closed:
            self._output = tempfile.TemporaryFile(prefix=f"{self.name}-")  # noqa: SIM115 - closed by stop()
        if self.warm and warm.knows(self.argv, self._env):
            starter = warm.starter(os.getpid())
            self._popen = starter.start(self.argv, self._env, self._cwd, self._output.fileno())
            return self
        # setpriv is in util-linux, which every Debian has; on TERM nginx and gunicorn end their workers.
        tied = [shutil.which("setpriv") or "setpriv", "--pdeathsig", "TERM", "--", *HEEDING]
        self._popen = subprocess.Popen(
            [*tied, *self.argv],
            env=self._env,
            cwd=self._cwd,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return self

    @property
    def pid(self) -> int:
        """The process id; also the id of its process group."""
        assert self._popen is not None, f"{self.name} was never started"
        return self._popen.pid

    @property
    def running(self) -> bool:
        """True from `start` until it has ended."""
        return self._popen is not None and self._popen.poll() is None

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return None if self._popen is None else self._popen.poll()

    def wait_until(self, condition: Callable[[], bool], *, seconds: float = 20, what: str = "ready") -> None:
        """Wait for `condition()`; raise ProcessFailed, with its last output, when it ends or time is up."""
        deadline = time.monotonic() + seconds
        while not condition():
            if not self.running:
                raise ProcessFailed(f"{self.name} ended with {self.returncode} before {what}:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise ProcessFailed(f"{self.name} was not {what} within {seconds:g} s:\n{self.tail()}")
            time.sleep(POLL_SECONDS)

    def wait_for_port(self, port: int, *, seconds: float = 20) -> None:
        """Wait until the port accepts connections."""
        self.wait_until(lambda: port_is_open(port), seconds=seconds, what=f"listening on {port}")

    def wait(self, *, seconds: float = 20) -> int:
        """Wait for its own end and return the exit status; raise ProcessFailed when it goes on."""
        assert self._popen is not None
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise ProcessFailed(f"{self.name} still runs after {seconds:g} s:\n{self.tail()}") from None

    def output(self) -> str:
        """All that it has written so far (stdout and stderr together)."""
        if self._output.closed:
            return ""
        # pread, because the child shares the file offset.
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), size, 0).decode(errors="replace")

    def tail(self, lines: int = 30) -> str:
        """The last lines of its output."""
        return "\n".join(self.output().splitlines()[-lines:])

    def children(self) -> list[int]:
        """Process ids below it (gunicorn's or nginx's workers)."""
        return descendants(self.pid)

    def send(self, signum: signal.Signals) -> None:
        """Send a signal to the process alone."""
        if self.running:
            os.kill(self.pid, signum)

    def pause(self) -> None:
        """SIGSTOP the process and all below it: connections are accepted by the kernel and never answered.

        They stand when this returns; a thread on another core goes on for a moment.
        """
        self._signal_group(signal.SIGSTOP)
        members = [pid for pid in (self.pid, *descendants(self.pid)) if _group_of(pid) == self.pid]
        eventually(lambda: all(map(_stands, members)), every=0.001, what="the processes standing still")

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        self._signal_group(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL the process and all in its group, as when the machine loses power."""
        if self._popen is None:
            return
        self._signal_group(signal.SIGKILL)
        self._popen.wait(10)

    def stop(self, *, seconds: float = 15) -> int | None:
        """SIGTERM, then SIGKILL after `seconds`; return the exit status (None: was never started)."""
        if self._popen is None:
            return None
        if self.running:
            self._signal_group(signal.SIGCONT)
            os.kill(self.pid, signal.SIGTERM)
            try:
                self._popen.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self._signal_group(signal.SIGKILL)  # what a dead master may have left
        return self._popen.returncode

    def close(self) -> None:
        """Stop, and let go of its output."""
        self.stop()
        self._output.close()

    def _signal_group(self, signum: signal.Signals) -> None:
        try:
            os.killpg(self.pid, signum)
        except ProcessLookupError:
            return

    def __enter__(self) -> Self:
        return self if self.running else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
