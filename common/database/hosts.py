"""One database behind several servers, such as the nodes of a Galera cluster.

All processes prefer the servers in the same order, so that writes meet on one of them: transactions on
different nodes of a cluster lose against each other only when they commit. A server that failed is passed
over for a while, whatever it answers.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from pymysql.connections import Connection
from pymysql.err import Error, OperationalError
from sqlalchemy import URL, Engine, event, make_url

from common.database.failures import MYSQL_STATEMENT_TOO_LONG, NODE_NOT_READY, mysql_code
from common.database.mysql_connection import MysqlConnection

Address = tuple[str, int]

PASSED_OVER_SECONDS = 10.0
DEFAULT_PORT = 3306

logger = logging.getLogger(__name__)


def split_hosts(url: str) -> tuple[URL, tuple[Address, ...]]:
    """A URL that names one server, the first, and the addresses of all that `url` names.

    Args:
        url: `mysql+pymysql://user:password@host[:port][,host[:port]]/name`, or that of a file.
    """
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    user, at, servers = authority.rpartition("@")
    first, *others = servers.split(",")
    parsed = make_url(f"{scheme}://{user}{at}{first}{slash}{path}")
    named = [parsed, *(make_url(f"{scheme}://{other}/") for other in others)]
    return parsed, tuple((each.host or "localhost", each.port or DEFAULT_PORT) for each in named)


class Hosts:
    """Chooses the server of each new connection. Safe for threads.

    Args:
        addresses: the servers, the preferred one first.
        clock: seconds that never go back.
    """

    def __init__(self, addresses: tuple[Address, ...], clock: Callable[[], float] = time.monotonic) -> None:
        self._addresses, self._clock = addresses, clock
        self._passed_over_until: dict[Address, float] = {}
        self._mutex = threading.Lock()

    @property
    def are_several(self) -> bool:
        """Whether there is a choice."""
        return len(self._addresses) > 1

    def serve(self, engine: Engine) -> None:
        """Have `engine` connect to one of these."""
        if not self.are_several:
            event.listen(
                engine, "do_connect", lambda _, __, words, options: MysqlConnection(*words, **options)
            )
            return
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "invalidate", self._lost)

    def in_order(self) -> list[Address]:
        """Those to try, best first: the ones that were not seen failing lately, then the others."""
        now = self._clock()
        with self._mutex:
            until = dict(self._passed_over_until)
        return sorted(self._addresses, key=lambda address: until.get(address, 0.0) > now)

    def failed(self, address: Address) -> None:
        """Pass over `address` for a while."""
        with self._mutex:
            self._passed_over_until[address] = self._clock() + PASSED_OVER_SECONDS

    def _connect(
        self, dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]
    ) -> Connection[Any]:
        error: Error | None = None
        for address in self.in_order():
            if self._was_failing(address):
                # whoever comes meanwhile shall not wait for the same silence
                self.failed(address)
            try:
                connection = self._opened(arguments, {**options, "host": address[0], "port": address[1]})
            except Error as caught:
                logger.warning("database server passed over", extra={"server": f"{address[0]}:{address[1]}"})
                self.failed(address)
                error = caught
            else:
                with self._mutex:
                    self._passed_over_until.pop(address, None)
                return connection
        assert error is not None  # noqa: S101 there is at least one address
        raise error

    def _was_failing(self, address: Address) -> bool:
        with self._mutex:
            return address in self._passed_over_until

    @staticmethod
    def _opened(arguments: list[Any], options: dict[str, Any]) -> Connection[Any]:
        connection: Connection[Any] = MysqlConnection(*arguments, **options)
        try:
            with connection.cursor() as cursor:
                # a node that lost sight of most others accepts connections, and refuses what matters
                cursor.execute("SHOW STATUS LIKE 'wsrep_ready'")
                ready = cursor.fetchone()
        except BaseException:
            connection.close()
            raise
        if ready is not None and ready[1] != "ON":
            connection.close()
            raise OperationalError(NODE_NOT_READY, "the node is not part of its cluster")
        return connection

    def _lost(self, connection: Any, record: Any, error: BaseException | None) -> None:
        """A connection is given up. A statement that took too long says nothing of the server."""
        if error is not None and mysql_code(error) == MYSQL_STATEMENT_TOO_LONG:
            return
        if connection is not None:
            self.failed((connection.host, connection.port))
