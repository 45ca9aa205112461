"""For every route of media, configuration, audit trail, system and privacy a call that is meant well."""

from __future__ import annotations

import io
import itertools
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import encode_multipart

from tests.security.admin.calls import Call
from tests.unit.admin.files import picture

if TYPE_CHECKING:
    from tests.security.admin.stage import Stage

_sides = itertools.count(16)
SEARCH = {"q": "a", "type": "picture", "used": "false", "mine": "false", "limit": "5"}
TRAIL = {
    "actor": "access:x", "action": "media", "subject": "x", "from": "2026-01-01T00:00:00Z",
    "to": "2027-01-01T00:00:00Z",
}  # fmt: skip


def upload_call(token: str) -> Call:
    """A picture that nobody has sent before."""
    body = MultiDict[str, Any]({"licence": "CC-BY-4.0", "author": "Ann", "source": "https://a.example"})
    body.add("files", FileStorage(io.BytesIO(picture("PNG", (next(_sides), 9))), filename="a.png"))
    boundary, data = encode_multipart(body)
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return Call(method="POST", path="/media", data=data, headers=headers, token=token)


def media_calls(stage: Stage) -> dict[str, Callable[[], Call]]:
    """`stage` has people; what the calls need of media each makes for itself."""
    editor, root = stage.access(stage.people["editor"]), stage.root

    def new() -> str:
        answer = stage.send(upload_call(editor))
        assert answer.status_code == 201, answer.json
        return f"/media/{answer.json['data'][0]['id']}"

    patch = {"alt": {"en": "x"}, "licence": "CC0-1.0", "author": "Ann", "source": ""}
    one = new()
    return {
        "POST /media": lambda: upload_call(editor),
        "GET /media": lambda: Call(method="GET", path="/media", query=SEARCH, token=editor),
        "GET /media/quota": lambda: Call(method="GET", path="/media/quota", token=editor),
        "GET /media/<uuid:media_id>": lambda: Call(method="GET", path=one, token=editor),
        "GET /media/<uuid:media_id>/uses": lambda: Call(method="GET", path=f"{one}/uses", token=editor),
        "PATCH /media/<uuid:media_id>": lambda: Call(
            method="PATCH", path=new(), body=patch, headers={"If-Match": '"1"'}, token=editor
        ),
        "DELETE /media/<uuid:media_id>": lambda: Call(method="DELETE", path=new(), token=editor),
        **_config_calls(stage, root),
        **_trail_calls(root),
        **_system_calls(stage),
    }


def _config_calls(stage: Stage, root: str) -> dict[str, Callable[[], Call]]:
    store = stage.desk.ports.store.config

    def tag() -> dict[str, str]:
        return {"If-Match": f'"{store.current().number}"'}

    change = {"values": {"sales.bookingFee": 300, "brand.claim": {"en": "x"}}, "reason": "x"}
    back = {"revision": 0, "reason": "x"}
    return {
        "GET /config": lambda: Call(method="GET", path="/config", token=root),
        "PATCH /config": lambda: Call(method="PATCH", path="/config", body=change, headers=tag(), token=root),
        "GET /config/history": lambda: Call(
            method="GET", path="/config/history", query={"limit": "5"}, token=root
        ),
        "POST /config/rollback": lambda: Call(
            method="POST", path="/config/rollback", body=back, headers=tag(), token=root
        ),
        "GET /internal/configuration": lambda: Call(
            method="GET", path="/internal/configuration", token=stage.service()
        ),
        "GET /api/platform/config": lambda: Call(method="GET", path="/api/platform/config"),
    }


def _trail_calls(root: str) -> dict[str, Callable[[], Call]]:
    person = {"email": "nobody@example.org"}

    def call(method: str, path: str, **more: Any) -> Callable[[], Call]:
        return lambda: Call(method=method, path=path, token=root, **more)

    return {
        "GET /audit": call("GET", "/audit", query={**TRAIL, "limit": "5"}),
        "GET /audit/export.csv": call("GET", "/audit/export.csv", query=TRAIL),
        "GET /audit/verify": call("GET", "/audit/verify"),
        "GET /stats": call("GET", "/stats", query={"days": "7"}),
        "POST /privacy/export": call("POST", "/privacy/export", body=person),
        "POST /privacy/erase": call("POST", "/privacy/erase", body={**person, "reason": "x"}),
    }


def _system_calls(stage: Stage) -> dict[str, Callable[[], Call]]:
    operator = stage.access(stage.people["operator"])
    store = stage.desk.ports.store.config

    def call(method: str, path: str, **more: Any) -> Callable[[], Call]:
        return lambda: Call(method=method, path=f"/system/{path}", token=operator, **more)

    def set_mode() -> Call:
        # one that lets staff go on: the other calls are theirs
        return Call(
            method="PUT",
            path="/system/mode",
            body={"mode": "maintenance", "reason": "x"},
            headers={"If-Match": f'"{store.mode().version}"'},
            token=operator,
        )

    return {
        "GET /system/mode": call("GET", "mode"),
        "PUT /system/mode": set_mode,
        "GET /system/services": call("GET", "services"),
        "GET /system/jobs": call("GET", "jobs"),
        "GET /system/backups": call("GET", "backups"),
        "POST /system/backups": call("POST", "backups"),
        "POST /system/restore-drill": call("POST", "restore-drill"),
        "GET /system/jobs/given-up": call("GET", "jobs/given-up", query={"limit": "5"}),
        "POST /system/jobs/<uuid:job_id>/retry": call("POST", f"jobs/{uuid.UUID(int=7)}/retry"),
    }
