"""The product's own programs, forked from a process that has imported what they need.

They are started hundreds of times, and most of a start is imports. From its first line on a program is as
in a process of its own: arguments, environment, folder, output, session and exit status are its own. Tests of
`make run` start everything as the Procfile says.

python -m tests.servers.warm DESCRIPTOR
"""

from __future__ import annotations

import ctypes
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = (
    "admin_service.worker",
    "payment_sandbox.__main__",
    "ticketing_service.worker",
    "tests.servers.proxying",
)
"""Imported as themselves; `python -m` then runs each anew."""
PARTS = (
    "admin_service.app",
    "alembic.command",
    "common.monitoring.gunicorn_logs",
    "common.web.draining_worker",
    "gunicorn.app.wsgiapp",
    "pymongo",
    "pymysql",
    "sqlalchemy.dialects.mysql.pymysql",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "ticketing_service.app",
)
LARGEST = 1 << 17
"""Bytes of an order: arguments and environment."""
PR_SET_PDEATHSIG = 1


def knows(argv: Sequence[str], env: Mapping[str, str]) -> bool:
    """Whether this program can be started here; what the interpreter reads at its start needs a new one."""
    same = all(env.get(name) == os.environ.get(name) for name in {*env, *os.environ} if _is_pythons(name))
    return same and bool(_module_of(argv))


def _is_pythons(name: str) -> bool:
    return name.startswith("PYTHON") and name != "PYTHONUNBUFFERED"


def _module_of(argv: Sequence[str]) -> str:
    """Of the program; empty when it is none of ours."""
    if argv[0] == str(Path(sys.executable).with_name("gunicorn")):
        return "gunicorn"
    if argv[:2] == [sys.executable, "-m"] and {argv[2], f"{argv[2]}.__main__"} & set(PROGRAMS):
        return argv[2]
    return ""


class Started:
    """A program that was started so, as subprocess.Popen shows one."""

    def __init__(self, argv: Sequence[str], pid: int, status: int) -> None:
        self._argv, self.pid, self._status = argv, pid, status
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._look(0)

    def wait(self, timeout: float) -> int:
        """Its exit status. Raises subprocess.TimeoutExpired after `timeout` seconds."""
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(list(self._argv), timeout)
        return code

    def _look(self, seconds: float) -> int | None:
        if self.returncode is None and _readable(self._status, seconds):
            told = os.read(self._status, 16)
            os.close(self._status)
            # Nothing is told when the one that forked it was killed; it ends with that one.
            self.returncode = os.waitstatus_to_exitcode(int(told)) if told else -signal.SIGKILL
        return self.returncode


def _readable(descriptor: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


class Starter:
    """Speaks to the process that forks. One for each test process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(
                ["env", "--default-signal=HUP,INT,QUIT", sys.executable, "-m", __name__, str(number)],
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                pass_fds=[number],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def start(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, output: int) -> Started:
        """Start a program; it writes to the descriptor `output`, and ends with this test process."""
        status, theirs = os.pipe()
        order = json.dumps({"argv": list(argv), "env": dict(env), "cwd": str(cwd)}).encode()
        try:
            with self._lock:
                socket.send_fds(self._channel, [order], [output, theirs])
                pid = int(self._channel.recv(16))
        finally:
            os.close(theirs)
        return Started(argv, pid, status)


@functools.cache
def starter(_test_process: int) -> Starter:
    """The one of a test process; a forked one needs its own."""
    return Starter()


@dataclass
class _Forking:
    """The process that forks: it has no threads, and nothing open but what is here."""

    channel: socket.socket
    status_of: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By the descriptor of a child: its process id, and where its end is told."""

    def next_program(self) -> list[str]:
        """Fork for each order; return its arguments in the child. SystemExit when nobody is left to order."""
        while True:
            poll = select.poll()
            for descriptor in (self.channel.fileno(), *self.status_of):
                poll.register(descriptor, select.POLLIN)
            for descriptor, _ in poll.poll():
                if descriptor in self.status_of:
                    self._tell_end(descriptor)
                elif argv := self._fork():
                    return argv

    def _tell_end(self, descriptor: int) -> None:
        pid, status = self.status_of.pop(descriptor)
        os.close(descriptor)
        _, code = os.waitpid(pid, 0)
        with suppress(BrokenPipeError):
            os.write(status, str(code).encode())
        os.close(status)

    def _fork(self) -> list[str]:
        message, descriptors, _, _ = socket.recv_fds(self.channel, LARGEST, 2)
        if not message:
            raise SystemExit
        order = json.loads(message)
        output, status = descriptors
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os.close(status)
            try:
                _become(order["env"], order["cwd"], output, parent)
            finally:
                self.channel.send(str(os.getpid()).encode())
                self._let_go()
            return list(order["argv"])
        os.close(output)
        self.status_of[os.pidfd_open(pid)] = (pid, status)
        return []

    def _let_go(self) -> None:
        self.channel.close()
        for descriptor, (_, status) in self.status_of.items():
            os.close(descriptor)
            os.close(status)


def _become(env: Mapping[str, str], cwd: str, output: int, parent: int) -> None:
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit
    for standard in (1, 2):
        os.dup2(output, standard)
    os.close(output)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)


def _run(argv: list[str]) -> None:
    module = _module_of(argv)
    if module == "gunicorn":
        sys.argv = argv
        sys.exit(importlib.import_module("gunicorn.app.wsgiapp").run())
    sys.argv = argv[2:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def main() -> None:
    """Import, and fork for whoever holds the other end of the channel."""
    for name in (*PARTS, *PROGRAMS):
        importlib.import_module(name)
    for name in PROGRAMS:
        del sys.modules[name]
    gc.collect()
    gc.freeze()
    _run(_Forking(socket.socket(fileno=int(sys.argv[1]))).next_program())


if __name__ == "__main__":
    main()
