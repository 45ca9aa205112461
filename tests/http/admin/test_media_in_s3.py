"""Media in a bucket: the same service, told by its settings alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.http.admin.desk import Desk
from tests.http.admin.sending import upload, uploaded
from tests.http.admin.test_media_ends import work
from tests.servers.s3 import ACCESS_KEY, SECRET_KEY, S3Server
from tests.unit.admin.files import pdf


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with S3Server() as server:
        yield server


def test_what_is_uploaded_lies_in_the_bucket_and_is_read_at_its_address(s3: S3Server, tmp_path: Path) -> None:
    bucket = s3.new_bucket()
    desk = Desk(
        tmp_path,
        f"sqlite:///{tmp_path / 'store.db'}",
        MEDIA_STORE=f"s3://{bucket}/destination",
        MEDIA_URL="https://cdn.example.org/m/",
        S3_ENDPOINT_URL=s3.url,
        S3_ACCESS_KEY_ID=ACCESS_KEY,
        S3_SECRET_ACCESS_KEY=SECRET_KEY,
    )

    def keys() -> list[str]:
        listed = s3.client().list_objects_v2(Bucket=bucket).get("Contents", [])
        return sorted(each["Key"] for each in listed)

    try:
        media = uploaded(desk)
        (document,) = upload(desk, ("plan.pdf", pdf())).json["data"]
        small = media["sizes"]["small"]["url"]
        assert small == f"https://cdn.example.org/m/{media['id']}/small.webp"
        assert f"destination/{media['id']}/small.webp" in keys()
        assert len(keys()) == 4
        head = s3.client().head_object(Bucket=bucket, Key=f"destination/{document['id']}/document.pdf")
        assert (head["ContentType"], head["ContentDisposition"]) == ("application/pdf", "attachment")
        assert not (tmp_path / "media").exists()
        assert desk.call("DELETE", f"/media/{media['id']}", role="editor").status_code == 204
        work(desk)
        assert keys() == [f"destination/{document['id']}/document.pdf"]
    finally:
        desk.close()
