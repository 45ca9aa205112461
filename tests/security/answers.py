"""What a refusal must look like, and what may never be in one."""

from __future__ import annotations

import re
from typing import Any

from admin_service.app import CODES as ADMIN_CODES
from common.web.field_errors import FIELD_CODES
from common.web.problems import PROBLEM_CODES
from tests.http.ticketing.shop import API, Reply
from tests.sandbox.running import SECRET, TOKEN
from ticketing_service.app import CODES as TICKETING_CODES

STATUSES = frozenset({400, 401, 403, 404, 405, 409, 410, 412, 413, 415, 422, 423, 428, 429, 503})
CODES = {**TICKETING_CODES, **ADMIN_CODES}
KNOWN = {**CODES, **PROBLEM_CODES}
# Stack, SQL, paths of ours, secrets.
_LEAK = re.compile(
    r'Traceback|File "|\.py\b|sqlalchemy|pymysql|sqlite3?|marshmallow|site-packages|object at 0x|127\.0\.0\.1'
    r"|INSERT INTO|SELECT .* FROM|UPDATE .* SET|FOREIGN KEY|UNIQUE con|/(?:tmp|home|usr|work|root|var)/"
    rf"|{SECRET}|{TOKEN}"
)


def check_problem(answer: Reply, what: object = "") -> dict[str, Any]:
    """The problem document of a refusal, held to the contract."""
    text = answer.get_data(as_text=True)
    if answer.request.path.startswith(f"{API}/octo/"):
        return _check_octo(answer, what)
    assert answer.content_type == "application/problem+json", (what, answer.status_code, text[:500])
    assert answer.status_code in STATUSES, (what, answer.status_code, text[:500])
    document: dict[str, Any] = answer.json
    assert document.keys() >= {"type", "title", "status", "detail", "instance", "code"}, (what, text)
    assert document["status"] == answer.status_code, (what, text)
    assert document["instance"] == answer.headers["X-Request-Id"], what
    assert KNOWN[document["code"]].status == answer.status_code, (what, text)
    if document["code"] == "VALIDATION_FAILED":
        assert document["errors"], (what, text)
    for error in document.get("errors", []):
        assert error.keys() == {"pointer", "code", "detail"}, (what, text)
        assert error["code"] in FIELD_CODES or error["code"] in CODES, (what, text)
    assert not _LEAK.search(text), (what, text)
    assert "Retry-After" in answer.headers or answer.status_code not in (429, 503), what
    return document


def _check_octo(answer: Reply, what: object) -> dict[str, Any]:
    """OCTO's own shape in its place, told in the words of a problem document."""
    text = answer.get_data(as_text=True)
    assert answer.content_type == "application/json", (what, answer.status_code, text[:500])
    assert answer.status_code in (400, 401, 403, 404, 429, 503), (what, answer.status_code, text[:500])
    assert answer.json.keys() >= {"error", "errorMessage"}, (what, text)
    assert not _LEAK.search(text), (what, text)
    assert "Retry-After" in answer.headers or answer.status_code not in (429, 503), what
    code = "DOCUMENT_PENDING" if answer.status_code == 503 else answer.json["error"]
    return {"status": answer.status_code, "code": code}
