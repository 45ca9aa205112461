"""Processes that each open a coordination and do what they are asked; any of them may be killed or frozen."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from operator import methodcaller
from pathlib import Path
from typing import Any

from common.coordination.embedded import EmbeddedCoordination
from common.coordination.port import Coordination
from common.coordination.redis import RedisCoordination
from common.redis_options import RedisOptions
from tests.forking import context

HANG_SECONDS = 60

Deed = Callable[[Coordination], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What the processes of one machine are opened with."""

    folder: Path
    redis: RedisOptions | None = None

    def open(self) -> EmbeddedCoordination | RedisCoordination:
        """Open a coordination in this process."""
        local = EmbeddedCoordination(self.folder)
        if self.redis is None:
            return local
        shared = RedisCoordination(self.redis.client, local, service="ticketing")
        shared.start()
        return shared


class NodeFailed(AssertionError):
    """A deed raised; the message is the node's traceback."""


class Node:
    """One process. `begin` and `result` let several work at once; `run` and `call` do both."""

    def __init__(self, machine: Machine) -> None:
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, machine), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """The process id."""
        pid = self._process.pid
        assert pid is not None
        return pid

    def begin(self, deed: Callable[..., Any], *arguments: object) -> None:
        """Ask for `deed(coordination, *arguments)`; a function of a module, with arguments that pickle."""
        self._pipe.send(_with_arguments(deed, arguments))

    def result(self, *, seconds: float = HANG_SECONDS) -> Any:
        """What the next unanswered deed returned. Raises NodeFailed."""
        if not self._pipe.poll(seconds):
            raise NodeFailed(f"no answer within {seconds:g} s")
        failure, value = self._pipe.recv()
        if failure:
            raise NodeFailed(failure)
        return value

    def run(self, deed: Callable[..., Any], *arguments: object) -> Any:
        """Do it and return what it returned."""
        self.begin(deed, *arguments)
        return self.result()

    def call(self, verb: str, *arguments: object) -> Any:
        """Call a verb of the coordination."""
        return self.run(methodcaller(verb, *arguments))

    def say(self, word: object = None) -> None:
        """What the running deed gets from its `Talk.hear`."""
        self._pipe.send(word)

    def hear(self) -> Any:
        """What the running deed said with `Talk.say`."""
        assert self._pipe.poll(HANG_SECONDS), "the node says nothing"
        word, _ = self._pipe.recv()
        return word

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        os.kill(self.pid, signal.SIGKILL)
        self._process.join(HANG_SECONDS)

    def close(self) -> None:
        """End it, whatever it does."""
        if self._process.is_alive():
            self.kill()
        self._process.close()
        self._pipe.close()


class Talk:
    """How a running deed talks with its test: `deed(coordination, talk, ...)` when asked for by `talking`."""

    pipe: Connection

    @classmethod
    def say(cls, word: object) -> None:
        """Tell the test something."""
        cls.pipe.send((word, None))

    @classmethod
    def hear(cls) -> Any:
        """Wait for a word of the test."""
        return cls.pipe.recv()


def _with_arguments(deed: Callable[..., Any], arguments: tuple[object, ...]) -> Deed:
    return partial(_appended, deed, arguments)


def _appended(deed: Callable[..., Any], arguments: tuple[object, ...], coordination: Coordination) -> Any:
    return deed(coordination, *arguments)


def _serve(pipe: Connection, machine: Machine) -> None:
    Talk.pipe = pipe
    coordination = machine.open()
    while True:
        try:
            deed = pipe.recv()
        except EOFError:  # the test is over
            return
        try:
            pipe.send(("", deed(coordination)))
        except Exception:
            pipe.send((traceback.format_exc(), None))
