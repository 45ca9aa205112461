"""A service's breakers over all its processes. Calls never come here: one thread a process does it all."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from typing import Any

import orjson

from common.clock import Clock
from common.coordination.port import Coordination
from common.resilience.breaker import Breaker
from common.resilience.quorum import Quorum
from common.resilience.rows import instant_text, packed, unpacked
from common.resilience.states import MODES, Mode, Transition
from common.resilience.trials import Release

log = logging.getLogger(__name__)

TABLE = "breakers"
INTERVAL_SECONDS = 0.25
REPEAT_SECONDS = 2.0
"""A row that has not changed is published again after this, in case the carrier has lost it."""


class SharedPlaces:
    """At most `limit` trials of one dependency at once over all processes; a dead one's place is free."""

    def __init__(self, coordination: Coordination, name: str, limit: int) -> None:
        self._coordination, self._name, self._limit = coordination, name, limit

    def take(self) -> Release | None:
        """See Places."""
        for number in range(self._limit):
            place = self._coordination.flight(f"breaker-trial:{self._name}:{number}", 0.0)
            if place.__enter__():
                return partial(_leave, place)
            _leave(place)
        return None


def _leave(place: AbstractContextManager[bool]) -> None:
    place.__exit__(None, None, None)


class Sharing:
    """Publishes this process's breakers, follows the others', and carries what an operator wants to all.

    `start` after the fork. While the coordination is away everything holds for this process alone.
    """

    def __init__(
        self,
        breakers: Mapping[str, Breaker],
        coordination: Coordination,
        *,
        clock: Clock,
        monotonic: Callable[[], float],
    ) -> None:
        self._breakers, self._coordination = breakers, coordination
        self._clock, self._monotonic = clock, monotonic
        self._process, self.own_name = secrets.token_hex(8), str(coordination.slot)
        self._quorums = {name: Quorum(each.spec.minimum_calls) for name, each in breakers.items()}
        self._resets = {name: coordination.epoch(_reset_of(name)) for name in breakers}
        self._modes: dict[str, tuple[int, bytes]] = {}
        self._published, self._published_at = b"", 0.0
        self._parsed: dict[str, tuple[bytes, Mapping[str, Any]]] = {}
        self._round, self._setting_modes = threading.Lock(), threading.Lock()
        self._wake, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        for breaker in breakers.values():
            breaker.on_transition(self._on_transition)

    def start(self) -> None:
        """Do what operators have asked for before, publish, and go on with both in a thread."""
        self._process, self.own_name = secrets.token_hex(8), str(self._coordination.slot)
        self._stopping.clear()
        self._safe_round()
        self._thread = threading.Thread(target=self._run, name="breakers", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; raises nothing, and may be called twice."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(5)
            self._thread = None

    def round(self) -> None:
        """Once: operators' wishes, then the others' evidence, then our own row."""
        with self._round:
            for name, breaker in self._breakers.items():
                self._follow_mode(name, breaker)
                self._follow_reset(name, breaker)
            rows = self.rows()
            now = self._monotonic()
            for name, breaker in self._breakers.items():
                # By process, not by slot: a slot's next owner is somebody else.
                others = {
                    row["process"]: row["breakers"][name] for row in rows.values() if name in row["breakers"]
                }
                cause = self._quorums[name].cause_to_open(now, breaker.status(), others)
                if cause is not None:
                    breaker.open_with_others(cause)
                elif not any(row["ownEvidence"] and row["state"] != "CLOSED" for row in others.values()):
                    # Whoever never calls the dependency would show its breaker as open for ever.
                    breaker.close_with_others("the processes that had opened have closed")
            self._publish(now)

    def rows(self) -> dict[str, Mapping[str, Any]]:
        """The rows of the other living processes, by the coordination's name for each; ours is `own_name`."""
        rows = self._coordination.rows(TABLE)
        parsed: dict[str, tuple[bytes, Mapping[str, Any]]] = {}
        for process, row in rows.items():
            known = self._parsed.get(process)
            found = known[1] if known is not None and known[0] == row else unpacked(row)
            if found is not None:
                parsed[process] = (row, found)
            if found is not None and found["process"] == self._process:
                self.own_name = process
        self._parsed = parsed
        return {name: found for name, (_, found) in parsed.items() if name != self.own_name}

    def reset(self, name: str) -> None:
        """Close the breaker here at once and everywhere within a second."""
        self._breakers[name].reset()
        self._resets[name] = max(self._resets[name], self._coordination.bump(_reset_of(name)))
        self._wake.set()

    def set_mode(self, name: str, mode: Mode, reason: str, until: datetime | None) -> None:
        """Set the mode here at once and everywhere within a second. Raises ValueError."""
        with self._setting_modes:
            self._breakers[name].set_mode(mode, reason, until)
            version = self._modes.get(name, (0, b""))[0] + 1
            wanted = {"version": version, "mode": mode, "reason": reason, "until": instant_text(until)}
            document = orjson.dumps(wanted)
            self._modes[name] = (version, document)
            self._coordination.share(_mode_of(name), document)
        self._wake.set()

    def _follow_mode(self, name: str, breaker: Breaker) -> None:
        document = self._coordination.shared(_mode_of(name))
        with self._setting_modes:
            version, known = self._modes.get(name, (0, b""))
            if document is None or document == known:
                return
            wanted = _mode_in(document)
            # What is read may be older than what was set here a moment ago.
            if wanted is None or wanted[0] < version:
                return
            version, mode, reason, until = wanted
            self._modes[name] = (version, document)
            over = until is not None and self._clock() >= until
            breaker.set_mode("automatic" if over else mode, "" if over else reason, None if over else until)

    def _follow_reset(self, name: str, breaker: Breaker) -> None:
        epoch = self._coordination.epoch(_reset_of(name))
        if epoch > self._resets[name]:
            self._resets[name] = epoch
            breaker.reset()

    def _publish(self, now: float) -> None:
        row = packed(self._process, os.getpid(), (each.status() for each in self._breakers.values()))
        if row != self._published or now - self._published_at >= REPEAT_SECONDS:
            self._coordination.publish(TABLE, row)
            self._published, self._published_at = row, now

    def _on_transition(self, _event: Transition) -> None:
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(INTERVAL_SECONDS)
            self._wake.clear()
            self._safe_round()

    def _safe_round(self) -> None:
        try:
            self.round()
        except Exception:
            log.exception("breakers are not shared for the moment")


def _reset_of(name: str) -> str:
    return f"breaker-reset:{name}"


def _mode_of(name: str) -> str:
    # A document a breaker, so that two operators who set two of them at once do not undo each other.
    return f"breaker-mode:{name}"


def _mode_in(document: bytes) -> tuple[int, Mode, str, datetime | None] | None:
    """Version, mode, reason and end in a shared document; None when it is not one of ours."""
    try:
        wanted = orjson.loads(document)
        until = None if wanted["until"] is None else datetime.fromisoformat(wanted["until"])
        mode: Mode = next(each for each in MODES if each == wanted["mode"])
        return int(wanted["version"]), mode, str(wanted["reason"]), until
    except (ValueError, TypeError, KeyError, StopIteration):
        log.warning("a shared mode of a breaker cannot be read")
        return None
