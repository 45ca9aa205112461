"""Media in a bucket of S3: brought into a folder for a backup, and back."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from common.backups.faults import BackupFault

HEADERS = "headers.json"
"""Beside the objects: what each of them is served with, by its key."""

_KEPT = ("ContentType", "ContentDisposition", "CacheControl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """`store`: s3://name or s3://name/prefix. Without keys boto3 looks for them where it usually does."""

    store: str
    endpoint_url: str = ""
    region: str = ""
    access_key_id: str = field(default="", repr=False)
    secret_access_key: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        return self.store.removeprefix("s3://").partition("/")[0]

    @property
    def prefix(self) -> str:
        """What keys begin with: empty, or ends with a slash."""
        prefix = self.store.removeprefix("s3://").partition("/")[2]
        return f"{prefix}/" if prefix else ""


def mirror(bucket: Bucket, folder: Path) -> None:
    """Make `folder` the same as the bucket. What is under a key never changes, so each object is fetched
    once; one that vanishes meanwhile is left out. Raises BackupFault.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    headers = _headers(folder)
    try:
        client = _client(bucket)
        there = _sizes(client, bucket)
        for key, size in there.items():
            path = _place(folder, key)
            if path.exists() and path.stat().st_size == size and key in headers:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                answer = client.get_object(Bucket=bucket.name, Key=bucket.prefix + key)
            except client.exceptions.NoSuchKey:
                continue
            part = path.with_name(f".{path.name}.part")
            with part.open("wb") as file:
                for piece in answer["Body"].iter_chunks(1 << 20):
                    file.write(piece)
            part.replace(path)
            headers[key] = {name: answer[name] for name in _KEPT if answer.get(name)}
    except (BotoCoreError, ClientError) as error:
        raise BackupFault(f"the bucket {bucket.store} cannot be read: {error}") from error
    for key in headers.keys() - there.keys():
        del headers[key]
        _place(folder, key).unlink(missing_ok=True)
    (folder / HEADERS).write_text(json.dumps(headers, indent=0, sort_keys=True))


def upload(folder: Path, bucket: Bucket) -> int:
    """Bring into the bucket what it has not; says how many objects that were. Raises BackupFault."""
    headers, count = _headers(folder), 0
    try:
        client = _client(bucket)
        there = _sizes(client, bucket)
        for path in sorted(folder.rglob("*")):
            key = str(path.relative_to(folder))
            if not path.is_file() or key == HEADERS or there.get(key) == path.stat().st_size:
                continue
            content = path.read_bytes()
            client.put_object(
                Bucket=bucket.name,
                Key=bucket.prefix + key,
                Body=content,
                **(headers.get(key) or _guessed(path)),
            )
            count += 1
    except (BotoCoreError, ClientError) as error:
        raise BackupFault(f"the bucket {bucket.store} cannot be written to: {error}") from error
    return count


def _sizes(client: Any, bucket: Bucket) -> dict[str, int]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket.name, Prefix=bucket.prefix)
    return {
        each["Key"].removeprefix(bucket.prefix): each["Size"]
        for page in pages
        for each in page.get("Contents", ())
    }


def _headers(folder: Path) -> dict[str, Mapping[str, str]]:
    path = folder / HEADERS
    return dict(json.loads(path.read_text())) if path.exists() else {}


def _guessed(path: Path) -> dict[str, str]:
    """Of media that were in a folder, where nginx decides by the ending: pictures are shown, others saved."""
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    shown = "inline" if media_type.startswith("image/") else "attachment"
    return dict(zip(_KEPT, (media_type, shown, "public, max-age=31536000, immutable"), strict=True))


def _place(folder: Path, key: str) -> Path:
    """Where an object's copy is. A bucket may hold anything: no key leads out of the folder."""
    path = folder.joinpath(*key.split("/"))
    if not path.resolve().is_relative_to(folder.resolve()) or key == HEADERS or key.endswith("/"):
        raise BackupFault(f"the bucket holds {key!r}, which is no medium of ours")
    return path


def _client(bucket: Bucket) -> Any:
    session = boto3.session.Session(
        aws_access_key_id=bucket.access_key_id or None,
        aws_secret_access_key=bucket.secret_access_key or None,
        region_name=bucket.region or "us-east-1",
    )
    options = Config(
        connect_timeout=5,
        read_timeout=60,
        s3={"addressing_style": "path" if bucket.endpoint_url else "auto"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return session.client("s3", endpoint_url=bucket.endpoint_url or None, config=options)
