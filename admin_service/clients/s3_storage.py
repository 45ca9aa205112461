"""Media in a bucket of S3 or what speaks like it (MinIO, Ceph, R2)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from admin_service.clients.port import StorageUnavailable, StoredObject
from admin_service.clients.storage_keys import checked

T = TypeVar("T")

CONNECT_SECONDS, READ_SECONDS = 1.0, 5.0
CONNECTIONS = 16
CACHE_CONTROL = "public, max-age=31536000, immutable"
"""What is under a key never changes: another medium has another key."""

_ABSENT = frozenset({"NoSuchKey", "404"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Where the bucket is. Without keys boto3 looks for them where it usually does: the machine's role, for
    instance."""

    name: str
    prefix: str = ""
    endpoint_url: str = ""
    region: str = ""
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)


class S3Storage:
    """`Storage` in a bucket. Retries are the guard's, not boto3's."""

    def __init__(
        self, bucket: Bucket, *, connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS
    ) -> None:
        self._bucket = bucket
        self._options = Config(
            connect_timeout=connect_seconds,
            read_timeout=read_seconds,
            retries={"total_max_attempts": 1},
            max_pool_connections=CONNECTIONS,
            # A bucket's name as a host is for Amazon's own addresses.
            s3={"addressing_style": "path" if bucket.endpoint_url else "auto"},
            # What speaks like S3 knows the older of both ways to check a body.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        self._lock = threading.Lock()
        self._client: Any = None
        self._client_pid = 0

    def put(self, key: str, stored: StoredObject) -> None:
        """See Storage."""
        place = self._place(key)
        self._asked(
            lambda client: client.put_object(
                Bucket=self._bucket.name,
                Key=place,
                Body=stored.content,
                ContentType=stored.media_type,
                ContentDisposition=stored.disposition,
                CacheControl=CACHE_CONTROL,
            )
        )

    def get(self, key: str) -> bytes | None:
        """See Storage."""
        place = self._place(key)

        def read(client: Any) -> bytes | None:
            try:
                answer = client.get_object(Bucket=self._bucket.name, Key=place)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in _ABSENT:
                    return None
                raise
            content: bytes = answer["Body"].read()
            return content

        return self._asked(read)

    def delete(self, keys: Iterable[str]) -> None:
        """See Storage."""
        for place in [self._place(key) for key in keys]:
            self._asked(lambda client, key=place: client.delete_object(Bucket=self._bucket.name, Key=key))  # type: ignore[misc]

    def ping(self) -> None:
        """See Storage."""
        self._asked(lambda client: client.head_bucket(Bucket=self._bucket.name))

    def _place(self, key: str) -> str:
        return f"{self._bucket.prefix}/{checked(key)}" if self._bucket.prefix else checked(key)

    def _asked(self, call: Callable[[Any], T]) -> T:
        try:
            return call(self._client_here())
        except (BotoCoreError, ClientError) as error:
            # Whatever it says (a wrong key, no such bucket, too busy): no upload is at fault, so it is the
            # storage that cannot be used.
            raise StorageUnavailable(f"S3: {type(error).__name__}: {error}"[:300]) from error

    def _client_here(self) -> Any:
        """The client of this process: one from before a fork would share its connections."""
        with self._lock:
            if self._client is None or self._client_pid != os.getpid():
                bucket = self._bucket
                session = boto3.session.Session(
                    aws_access_key_id=bucket.access_key_id or None,
                    aws_secret_access_key=bucket.secret_access_key or None,
                    region_name=bucket.region or "us-east-1",
                )
                self._client = session.client(
                    "s3", endpoint_url=bucket.endpoint_url or None, config=self._options
                )
                self._client_pid = os.getpid()
            return self._client
