"""What every client process does: so many threads, each with a history of its own."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import orjson

Work = Callable[[str, random.Random, BinaryIO], None]
"""A thread's work: its name, its dice, and where its history goes."""


def read_configuration() -> dict[str, Any]:
    """What `load.run_clients` wrote for this process."""
    configuration: dict[str, Any] = orjson.loads(Path(sys.argv[1]).read_bytes())
    return configuration


def run_threads(configuration: dict[str, Any], work: Work) -> int:
    """Do the work in all threads and gather their histories; 1 when one of them failed."""
    failures: list[BaseException] = []

    def run(number: int) -> None:
        name = f"{configuration['name']}.{number}"
        try:
            with Path(f"{configuration['history']}.{number}").open("wb", buffering=0) as out:
                work(name, random.Random(f"{configuration['seed']}/{name}"), out)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=run, args=(number,)) for number in range(configuration["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Path(configuration["history"]).open("wb") as out:
        for number in range(configuration["threads"]):
            out.write(Path(f"{configuration['history']}.{number}").read_bytes())
    return 1 if failures else 0
