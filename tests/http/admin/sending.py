"""Uploads as a browser sends them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import encode_multipart

from tests.http.admin.desk import Desk, Reply
from tests.unit.admin.files import picture


def upload(
    desk: Desk, *files: tuple[str, bytes], role: str | None = "editor", token: str | None = None, **more: Any
) -> Reply:
    """POST /media. `headers` are headers; whatever else is named goes beside the files."""
    headers = more.pop("headers", None)
    data = MultiDict[str, Any](more)
    for name, content in files:
        data.add("files", FileStorage(io.BytesIO(content), filename=name))
    # In memory: the client would put a long body into a file that it leaves open.
    boundary, body = encode_multipart(data)
    return desk.call(
        "POST",
        "/media",
        role=None if token else role,
        token=token,
        headers=headers,
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
    )


def uploaded(
    desk: Desk, size: tuple[int, int] = (640, 480), name: str = "tower.jpg", **more: Any
) -> dict[str, Any]:
    """A picture that is there."""
    answer = upload(desk, (name, picture("JPEG", size)), **more)
    assert answer.status_code == 201, answer.json
    return dict(answer.json["data"][0])


def stored(desk: Desk) -> list[str]:
    """What lies in the folder of media, without what a ping left."""
    folder: Path = desk.settings.data_dir / "media"
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and ".drafts" not in str(path)
    )
