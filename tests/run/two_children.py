"""Run by the tests: supervises a child that has a child of its own, and a second one given as words."""

import os
import sys
from pathlib import Path

from demo.processes import ChildEnded, Console, StopRequested, Supervisor

STEADY = ["sh", "-c", "sleep 1000 & echo steady is up; wait"]

if __name__ == "__main__":
    console = Console()
    with Supervisor(os.environ, Path.cwd(), console) as supervisor:
        try:
            supervisor.start("steady", STEADY)
            supervisor.start("second", sys.argv[1:])
            supervisor.watch()
        except StopRequested as stop:
            console.line(f"asked to stop by {stop}")
        except ChildEnded as end:
            console.line(str(end))
            sys.exit(1)
