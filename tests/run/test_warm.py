"""A program that tests start warm is what it would be if it was started as users do."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.servers import warm
from tests.servers.process import Process, free_port

COMMANDS = {
    "worker": [sys.executable, "-m", "ticketing_service.worker"],
    "web": [str(Path(sys.executable).with_name("gunicorn")), "-c", "gunicorn.conf.py", "no_such.wsgi:app"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_its_end_and_its_last_words_are_the_same(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = {"DATA_DIR": str(tmp_path), "DATABASE_URL": "nonsense", "TICKETING_PORT": str(free_port())}
    ends = {}
    for is_warm in (False, True):
        monkeypatch.setattr(Process, "warm", is_warm)
        with Process(COMMANDS[command], env=env) as process:
            code, said = process.wait(seconds=60), process.output().splitlines()
        ends[is_warm] = (code, said[-1].partition('"message"')[2] or said[-1])
    assert ends[True] == ends[False]
    assert ends[True][0] != 0


def test_it_has_its_own_session_and_says_which_signal_it_died_of() -> None:
    ports = [str(free_port()) for _ in range(3)]
    with Process([sys.executable, "-m", "tests.servers.proxying", *ports]) as process:
        assert warm.knows(process.argv, os.environ)
        assert os.getpgid(process.pid) == os.getsid(process.pid) == process.pid
        process.kill()
        assert process.returncode == -signal.SIGKILL
        process.start()
        process.wait_for_port(int(ports[0]))
        assert process.stop() == -signal.SIGTERM


def test_what_the_interpreter_reads_at_its_start_is_not_warm() -> None:
    worker = COMMANDS["worker"]
    assert warm.knows(worker, os.environ)
    assert not warm.knows(worker, {**os.environ, "PYTHONWARNINGS": "error"})
    assert not warm.knows([sys.executable, "-W", "error", *worker[1:]], os.environ)
