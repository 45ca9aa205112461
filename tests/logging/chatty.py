"""A process that logs more than a pipe holds, and works all the while. Arguments: how many lines."""

from __future__ import annotations

import logging
import os
import sys
import time

from common.monitoring import logs


def main(count: int) -> None:
    """Tell on standard error when the work is done, and how long the slowest line took."""
    logs.install("chatty", "info")
    slowest = 0.0
    for number in range(count):
        began = time.monotonic()
        logging.getLogger("chatty").info("line", extra={"number": number, "filling": "x" * 200})
        slowest = max(slowest, time.monotonic() - began)
    child = os.fork()
    if child == 0:
        logging.getLogger("chatty").info("line of a child", extra={"number": -1})
        sys.exit(0)
    os.waitpid(child, 0)
    sys.stderr.write(f"done {slowest}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
