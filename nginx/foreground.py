"""nginx in the foreground, ending on SIGTERM as the services do: what it has accepted is answered."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from types import FrameType

_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
_PASSED_ON = (signal.SIGHUP, signal.SIGUSR1)


class Foreground:
    """Runs nginx and hands on its signals. To nginx, SIGTERM means to drop what it does, SIGQUIT to finish
    it: so whoever asks for the end gets the latter, and the former when asked again.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._nginx: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []
        self._stopping = False

    def run(self) -> int:
        """Run it to its end; return the exit status, 0 when the end was asked for."""
        for handled in (*_STOP, *_PASSED_ON):
            signal.signal(handled, self._on_signal)
        self._nginx = subprocess.Popen(self._command)
        for signum in self._early:
            self._pass_on(signum, self._nginx.pid)
        status = self._nginx.wait()
        return 0 if self._stopping else status

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        if self._nginx is None:
            self._early.append(signum)
        else:
            self._pass_on(signum, self._nginx.pid)

    def _pass_on(self, signum: int, pid: int) -> None:
        if signum in _STOP:
            passed_on: int = signal.SIGTERM if self._stopping else signal.SIGQUIT
            self._stopping = True
        else:
            passed_on = signum
        try:
            os.kill(pid, passed_on)
        except ProcessLookupError:
            return
