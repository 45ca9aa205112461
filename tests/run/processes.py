"""Which processes belong to a run, and that they all end."""

from __future__ import annotations

from pathlib import Path

from tests.servers.process import eventually, is_alive


def carrying(mark: str) -> list[int]:
    """Return the living processes with MARK=mark in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                environ = (entry / "environ").read_bytes()
            except OSError:
                continue
            if f"MARK={mark}".encode() in environ and is_alive(int(entry.name)):
                found.append(int(entry.name))
    return found


def nothing_left(mark: str, seconds: float = 15) -> None:
    """Wait until no process of the run lives."""
    eventually(lambda: not carrying(mark), seconds=seconds, what="the end of every process of the run")


def all_gone(pids: list[int], seconds: float = 15) -> None:
    """Wait until none of the processes lives (nginx writes over its environment, so it carries no mark)."""
    eventually(
        lambda: not any(map(is_alive, pids)), seconds=seconds, what="the end of every process of the run"
    )
