"""An S3 server of its own: moto's, in memory."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Self

import boto3
from botocore.config import Config

from tests.servers.process import Process, free_port

ACCESS_KEY, SECRET_KEY = "tests-access-key", "tests-secret-key"
# One request after the other: the server has threads, its memory was not made for them.
PROGRAM = """
import sys, threading
from moto import server

answered, one_at_a_time = server.DomainDispatcherApplication.__call__, threading.Lock()

def answer(app, environ, start_response):
    with one_at_a_time:
        return list(answered(app, environ, start_response))

server.DomainDispatcherApplication.__call__ = answer
server.main(sys.argv[1:])
"""


class S3Server:
    """`with S3Server() as server:`; buckets are made by `new_bucket`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = Process(
            [sys.executable, "-W", "ignore", "-c", PROGRAM, "-H", "127.0.0.1", "-p", str(self.port)],
            name="moto",
        )
        self._buckets = 0

    def client(self) -> Any:
        """A client that looks at what is stored past the adapter under test."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(s3={"addressing_style": "path"}),
        )

    def new_bucket(self) -> str:
        self._buckets += 1
        name = f"media-{self._buckets}"
        self.client().create_bucket(Bucket=name)
        return name

    def __enter__(self) -> Self:
        self.process.start()
        self.process.wait_for_port(self.port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.close()
