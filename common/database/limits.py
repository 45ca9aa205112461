"""How long the calls of a database may take, in seconds, whatever database it is."""

from __future__ import annotations

CONNECT_SECONDS = 1
STATEMENT_SECONDS = 2
POOL_WAIT_SECONDS = 0.3
