"""Media in a bucket are in the backup; and a bucket can hold the backups."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backups.plan import Place, place_of, repository_of
from backups.restoring import restore
from backups.taking import take
from common.backups.restic import Restic
from tests.backups.conftest import PASSWORD, quiet
from tests.servers.s3 import ACCESS_KEY, SECRET_KEY, S3Server

HEADERS = {"ContentType": "image/png", "ContentDisposition": "inline", "CacheControl": "max-age=1"}


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with S3Server() as found:
        yield found


def with_bucket(server: S3Server, files: dict[str, str], bucket: str) -> dict[str, str]:
    return {
        **files,
        "MEDIA_STORE": f"s3://{bucket}/media",
        "S3_ENDPOINT_URL": server.url,
        "S3_ACCESS_KEY_ID": ACCESS_KEY,
        "S3_SECRET_ACCESS_KEY": SECRET_KEY,
    }


def objects(server: S3Server, bucket: str) -> dict[str, tuple[bytes, str, str]]:
    """What is in a bucket, with its type and disposition."""
    client, found = server.client(), {}
    for each in client.list_objects_v2(Bucket=bucket).get("Contents", ()):
        answer = client.get_object(Bucket=bucket, Key=each["Key"])
        found[each["Key"]] = (answer["Body"].read(), answer["ContentType"], answer["ContentDisposition"])
    return found


def test_media_of_a_bucket_go_into_another_one_or_into_a_folder(
    server: S3Server, files: dict[str, str], restic: Restic, tmp_path: Path
) -> None:
    bucket, other, client = server.new_bucket(), server.new_bucket(), server.client()
    place = place_of(with_bucket(server, files, bucket))
    for key in ("media/ab/a.png", "media/ab/b.png"):
        client.put_object(Bucket=bucket, Key=key, Body=key.encode(), **HEADERS)
    take(place, restic, quiet)
    client.delete_object(Bucket=bucket, Key="media/ab/b.png")
    client.put_object(Bucket=bucket, Key="media/cd/c.png", Body=b"new", **HEADERS)
    manifest = take(place, restic, quiet).manifest
    assert set(manifest.trees["media"].files) == {"ab/a.png", "cd/c.png", "headers.json"}

    there = place_of(with_bucket(server, {"DATA_DIR": str(tmp_path / "there")}, other))
    restore(there, restic, "latest", quiet)
    assert objects(server, other) == objects(server, bucket)
    assert len(objects(server, other)) == 2

    folder = place_of({"DATA_DIR": str(tmp_path / "folder")})
    restore(folder, restic, "latest", quiet)
    media = folder.data_dir / "media"
    found = {str(path.relative_to(media)): path.read_bytes() for path in media.rglob("*") if path.is_file()}
    assert found == {"ab/a.png": b"media/ab/a.png", "cd/c.png": b"new"}


def test_media_of_a_folder_get_the_headers_that_browsers_need(
    server: S3Server, small: Place, restic: Restic, tmp_path: Path
) -> None:
    (small.data_dir / "media" / "ab" / "paper.pdf").write_bytes(b"%PDF")
    take(small, restic, quiet)
    bucket = server.new_bucket()
    there = place_of(with_bucket(server, {"DATA_DIR": str(tmp_path / "there")}, bucket))
    restore(there, restic, "latest", quiet)
    assert objects(server, bucket) == {
        "media/ab/a.png": (b"picture", "image/png", "inline"),
        "media/ab/paper.pdf": (b"%PDF", "application/pdf", "attachment"),
    }


def test_backups_go_into_a_bucket_and_come_back(server: S3Server, small: Place, tmp_path: Path) -> None:
    repository = repository_of({
        "DATA_DIR": str(small.data_dir),
        "BACKUP_REPOSITORY": f"s3:{server.url}/{server.new_bucket()}/backups",
        "BACKUP_PASSWORD": PASSWORD,
        "BACKUP_S3_ACCESS_KEY_ID": ACCESS_KEY,
        "BACKUP_S3_SECRET_ACCESS_KEY": SECRET_KEY,
    })  # fmt: skip
    restic = Restic(repository)
    taken = take(small, restic, quiet)
    restic.check(read_data=True)
    there = place_of({"DATA_DIR": str(tmp_path / "there")})
    restore(there, restic, taken.snapshot_id, quiet)
    assert (there.data_dir / "keys" / "x" / "2").read_text() == "second"
