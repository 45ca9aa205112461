"""SecantusDB as docs/mongodb.md tells operators to set up a server: what a client that is gone has not
committed is kept from the others for seconds only.

python -m tests.servers.secantus_daemon [the options of secantusd-py]
"""

from __future__ import annotations

import functools
import sys

from secantus import cli

LIFETIME_SECONDS = 5.0
"""A server has 60 unless it is told otherwise, and a test does not wait for that."""


def main() -> int:
    cli.SecantusDBServer = functools.partial(
        cli.SecantusDBServer, transaction_lifetime_seconds=LIFETIME_SECONDS
    )
    return int(cli.main())


if __name__ == "__main__":
    sys.exit(main())
