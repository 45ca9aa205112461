"""Whom connections to other services trust, read from the disk once in a process."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """For `httpx.Client(verify=trusted())`: without it every client reads all certificates anew."""
    return httpx.create_ssl_context()
