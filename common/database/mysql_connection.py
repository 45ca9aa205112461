"""The driver's connection to MySQL or MariaDB, opened at less cost."""

from __future__ import annotations

import ssl
from functools import cache
from typing import Any

import pymysql


class MysqlConnection(pymysql.Connection):
    """Where the URL says nothing of TLS, it is used if the server offers it, whoever that is. For that the
    driver would read all the certificates of the system nevertheless, for each connection: 10 ms.
    """

    def _create_ssl_ctx(self, sslp: Any) -> ssl.SSLContext:
        if sslp:
            made: ssl.SSLContext = super()._create_ssl_ctx(sslp)  # type: ignore[misc]
            return made
        return _trusting()


@cache
def _trusting() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made
