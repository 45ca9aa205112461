"""Both storages of media keep one contract."""

from __future__ import annotations

import os
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from admin_service.clients.folder_storage import DRAFT_SECONDS, DRAFTS, FolderStorage
from admin_service.clients.port import Storage, StorageUnavailable, StoredObject
from admin_service.clients.s3_storage import Bucket, S3Storage
from tests.servers.process import free_port
from tests.servers.s3 import ACCESS_KEY, SECRET_KEY, S3Server

KEY, OTHER = "0195-a/small.webp", "0195-a/large.webp"
PICTURE = StoredObject(content=b"\x00RIFF\xff" * 1000, media_type="image/webp")
LEADING_OUT = [
    "../secret.webp",
    "a/../../secret.webp",
    "/etc/passwd",
    "a/b/c.webp",
    "a//b.webp",
    "a/.htaccess",
    "a/b.webp/",
    ".drafts/a.webp",
    "a/b",
    "a\\b.webp",
    "a/b.we\0bp",
    "a/b.webp\n",
    "%2e%2e/b.webp",
    "A/b.webp",
    "",
    "a/" + "b" * 300 + ".webp",
]


@pytest.fixture(scope="module")
def s3_server() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


def bucket_of(server: S3Server, **more: str) -> Bucket:
    return Bucket(
        name=server.new_bucket(),
        endpoint_url=server.url,
        access_key_id=ACCESS_KEY,
        secret_access_key=SECRET_KEY,
        **more,
    )


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return FolderStorage(tmp_path / "media")
    return S3Storage(bucket_of(request.getfixturevalue("s3_server"), prefix="destination/media"))


def test_what_was_put_is_got(storage: Storage) -> None:
    assert storage.get(KEY) is None
    storage.put(KEY, PICTURE)
    assert storage.get(KEY) == PICTURE.content
    assert storage.get(OTHER) is None


def test_put_replaces_and_may_be_repeated(storage: Storage) -> None:
    storage.put(KEY, PICTURE)
    storage.put(KEY, PICTURE)
    storage.put(KEY, StoredObject(content=b"", media_type="image/webp"))
    assert storage.get(KEY) == b""


def test_what_was_deleted_is_gone_and_its_neighbour_stays(storage: Storage) -> None:
    storage.put(KEY, PICTURE)
    storage.put(OTHER, PICTURE)
    storage.delete([KEY, "never/there.webp"])
    assert storage.get(KEY) is None
    assert storage.get(OTHER) == PICTURE.content
    storage.delete([KEY, OTHER])
    storage.delete([KEY, OTHER])
    assert storage.get(OTHER) is None


def test_after_a_deletion_the_key_can_be_used_again(storage: Storage) -> None:
    storage.put(KEY, PICTURE)
    storage.delete([KEY])
    storage.put(KEY, PICTURE)
    assert storage.get(KEY) == PICTURE.content


@pytest.mark.parametrize("key", LEADING_OUT)
def test_no_key_leads_out(storage: Storage, tmp_path: Path, key: str) -> None:
    before = sorted(path for path in tmp_path.rglob("*"))
    for ask in (
        lambda: storage.put(key, PICTURE),
        lambda: storage.get(key),
        lambda: storage.delete([OTHER, key]),
    ):
        with pytest.raises(ValueError, match="not a key"):
            ask()
    assert sorted(path for path in tmp_path.rglob("*")) == before


def test_one_bad_key_deletes_nothing(storage: Storage) -> None:
    storage.put(KEY, PICTURE)
    with pytest.raises(ValueError, match="not a key"):
        storage.delete([KEY, "../x.webp"])
    assert storage.get(KEY) == PICTURE.content


def test_many_at_once(storage: Storage) -> None:
    def put(number: int) -> None:
        storage.put(
            f"item-{number}/small.webp", StoredObject(content=b"%d" % number, media_type="image/webp")
        )
        storage.put(KEY, StoredObject(content=b"%d" % number * 5000, media_type="image/webp"))

    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [storage.get(f"item-{number}/small.webp") for number in range(8)] == [b"%d" % n for n in range(8)]
    assert storage.get(KEY) in [b"%d" % number * 5000 for number in range(8)]


def test_a_sign_of_life(storage: Storage) -> None:
    storage.ping()


def test_a_folder_that_cannot_be_written_to_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file where the folder should be")
    storage = FolderStorage(tmp_path / "media")
    for ask in (lambda: storage.put(KEY, PICTURE), storage.ping):
        with pytest.raises(StorageUnavailable):
            ask()
    assert storage.get(KEY) is None


def test_a_link_in_the_folder_is_not_followed_when_writing(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path / "media")
    storage.put(KEY, PICTURE)
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "media" / KEY).unlink()
    (tmp_path / "media" / KEY).symlink_to(victim)
    storage.put(KEY, PICTURE)
    assert victim.read_bytes() == b"precious"


def test_no_draft_is_left_and_one_of_a_died_process_is_removed(tmp_path: Path) -> None:
    storage = FolderStorage(tmp_path / "media")
    storage.put(KEY, PICTURE)
    drafts = tmp_path / "media" / DRAFTS
    assert list(drafts.iterdir()) == []
    (drafts / "old").write_bytes(b"half")
    (drafts / "young").write_bytes(b"half")
    os.utime(drafts / "old", times=(1_000_000, 1_000_000))
    os.utime(drafts / "young", times=(1_000_000 + DRAFT_SECONDS, 1_000_000 + DRAFT_SECONDS))
    FolderStorage(tmp_path / "media", now=lambda: 1_000_001 + DRAFT_SECONDS).ping()
    assert "old" not in [path.name for path in drafts.iterdir()]
    assert "young" in [path.name for path in drafts.iterdir()]


def test_what_a_browser_is_told_is_stored_with_the_object(s3_server: S3Server) -> None:
    bucket = bucket_of(s3_server, prefix="p")
    document = StoredObject(content=b"%PDF-", media_type="application/pdf", disposition="attachment")
    S3Storage(bucket).put("a/document.pdf", document)
    stored = s3_server.client().head_object(Bucket=bucket.name, Key="p/a/document.pdf")
    assert stored["ContentType"] == "application/pdf"
    assert stored["ContentDisposition"] == "attachment"
    assert "immutable" in stored["CacheControl"]


def test_a_bucket_that_is_not_there_is_unavailable(s3_server: S3Server) -> None:
    storage = S3Storage(
        Bucket(name="nowhere", endpoint_url=s3_server.url, access_key_id="a", secret_access_key="b")
    )
    for ask in (lambda: storage.put(KEY, PICTURE), lambda: storage.get(KEY), storage.ping):
        with pytest.raises(StorageUnavailable):
            ask()


def test_a_server_that_is_not_there_is_unavailable() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    storage = S3Storage(Bucket(name="media", endpoint_url=url, access_key_id="a", secret_access_key="b"))
    with pytest.raises(StorageUnavailable):
        storage.put(KEY, PICTURE)


def test_secrets_do_not_show(s3_server: S3Server) -> None:
    assert SECRET_KEY not in repr(bucket_of(s3_server))
    assert urllib.request.urlopen(s3_server.url).status == 200  # the server that was spoken to is there
