"""Points of interest as requests send them, and people who curate them."""

from __future__ import annotations

import io
import uuid
from typing import Any

from tests.http.admin.desk import Desk, Reply

ANN, BOB = (str(uuid.UUID(int=number)) for number in (0xA, 0xB))
"""Two owners."""


def poi_in(**changes: Any) -> dict[str, Any]:
    """A museum in Amsterdam, as a request has it."""
    return {
        "name": {"en": "Canal Museum", "nl": "Grachtenmuseum"},
        "summary": {"en": "All about canals"},
        "description": {"en": "<p>Ships and <strong>water</strong>.</p>"},
        "category": "museum",
        "tags": ["Water", "history"],
        "location": {"type": "Point", "coordinates": [4.8897, 52.3702]},
        "address": {"city": "Amsterdam", "street": "Herengracht 1", "country": "NL"},
        "contact": {"phone": "+31 20 123 45 67", "email": "hello@example.org"},
        "openingHours": "Mo-Fr 09:00-17:00",
        **changes,
    }


def create(desk: Desk, role: str = "editor", token: str | None = None, **changes: Any) -> Any:
    """A new POI as the answer has it."""
    answer = desk.call("POST", "/pois", poi_in(**changes), role=None if token else role, token=token)
    assert answer.status_code == 201, answer.json
    return answer.json


def step(desk: Desk, poi: Any, name: str, role: str = "editor", **body: Any) -> Reply:
    """Take a POI, as an answer has it, through a step."""
    return desk.call(
        "POST", f"/pois/{poi['id']}/{name}", body or None, role=role, headers=if_match(poi["version"])
    )


def published(desk: Desk, **changes: Any) -> Any:
    """A POI that visitors see."""
    answer = step(desk, create(desk, **changes), "publish")
    assert answer.status_code == 200, answer.json
    return answer.json


def owned(desk: Desk, owner: str = ANN, **changes: Any) -> Any:
    """A published POI of an owner."""
    poi = create(desk, token=owner_token(desk, owner), **changes)
    answer = step(desk, poi, "approve", role="reviewer")
    assert answer.status_code == 200, answer.json
    return answer.json


def owner_token(desk: Desk, owner: str = ANN) -> str:
    return desk.token("poi_owner", subject=owner)


def read(desk: Desk, poi_id: str, role: str = "editor") -> Any:
    return desk.call("GET", f"/pois/{poi_id}", role=role).json


def if_match(version: int) -> dict[str, str]:
    return {"If-Match": f'"{version}"'}


def send_file(
    desk: Desk, content: bytes | str, file_format: str, token: str | None = None, **query: Any
) -> Any:
    """Import a file and work it off; the job as it is then."""
    raw = content.encode() if isinstance(content, str) else content
    media_type = "text/csv" if file_format == "csv" else "application/geo+json"
    answer = desk.call(
        "POST",
        "/pois/import",
        role=None if token else "editor",
        token=token,
        query_string={"format": file_format, **query},
        input_stream=io.BytesIO(raw),
        headers={"Content-Type": media_type, "Content-Length": str(len(raw))},
    )
    assert answer.status_code == 202, answer.json
    desk.work()
    return desk.call("GET", f"/pois/imports/{answer.json['id']}", role="editor").json


def rows_of(desk: Desk, job: Any, **query: Any) -> list[Any]:
    """The report of an import."""
    answer = desk.call("GET", f"/pois/imports/{job['id']}/rows", role="editor", query_string=query)
    assert answer.status_code == 200, answer.json
    rows: list[Any] = answer.json["data"]
    return rows
