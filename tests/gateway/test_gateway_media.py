"""Media as the gateway serves them, and uploads as it lets them through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from admin_service.domain.media import MAX_FILE_BYTES, MAX_FILES
from common.web.multipart import Multipart
from tests.gateway.conftest import StartGateway
from tests.gateway.gateway import Gateway, assert_problem
from tests.gateway.upstream import Upstream

ID = "01890000-0000-7000-8000-000000000001"
WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(range(256))


@dataclass
class Served:
    gateway: Gateway
    admin: Upstream
    folder: Path

    def put(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.fixture(scope="module")
def served(start_gateway: StartGateway) -> Iterator[Served]:
    with Upstream() as admin:
        gateway = start_gateway(None, "--upstream", f"admin=127.0.0.1:{admin.port}")
        made = Served(gateway, admin, gateway.run_dir.parent / "media")
        for size in ("small", "medium", "large"):
            made.put(f"{ID}/{size}.webp", WEBP)
        made.put(f"{ID}/document.pdf", b"%PDF-1.7 a plan")
        made.put(f"{ID}/page.html", b"<script>alert(1)</script>")
        made.put(f"{ID}/small.svg", b"<svg onload='alert(1)'/>")
        made.put(f"{ID}/.htaccess", b"secret")
        made.put(".drafts/half", b"half")
        (made.folder.parent / "admin.sqlite3").write_bytes(b"SQLite format 3\0")
        (made.folder.parent / "secret.webp").write_bytes(b"secret")
        yield made


def test_a_picture_is_shown_and_never_a_page(served: Served) -> None:
    answer = served.gateway.get(f"/media/{ID}/small.webp")
    assert (answer.status, answer.body) == (200, WEBP)
    assert answer.one("Content-Type") == "image/webp"
    assert answer.one("X-Content-Type-Options") == "nosniff"
    assert answer.one("Content-Security-Policy") == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert answer.one("Content-Disposition") == "inline"
    assert answer.one("Cross-Origin-Resource-Policy") == "cross-origin"
    assert answer.one("Cache-Control") == "public, max-age=31536000, immutable"
    assert answer.one("ETag")


def test_a_document_is_saved(served: Served) -> None:
    answer = served.gateway.get(f"/media/{ID}/document.pdf")
    assert (answer.status, answer.one("Content-Type")) == (200, "application/pdf")
    assert answer.one("Content-Disposition") == "attachment"
    assert "sandbox" in answer.one("Content-Security-Policy")


def test_what_a_browser_has_is_not_sent_again_and_a_part_can_be_had(served: Served) -> None:
    path = f"/media/{ID}/large.webp"
    first = served.gateway.get(path)
    again = served.gateway.get(path, {"If-None-Match": first.one("ETag")})
    assert (again.status, again.body) == (304, b"")
    assert "sandbox" in again.one("Content-Security-Policy")
    part = served.gateway.get(path, {"Range": "bytes=0-3"})
    assert (part.status, part.body) == (206, b"RIFF")
    head = served.gateway.request("HEAD", path)
    assert (head.status, head.body, head.one("Content-Type")) == (200, b"", "image/webp")


@pytest.mark.parametrize(
    "path",
    [
        f"/media/{ID}/page.html",
        f"/media/{ID}/small.svg",
        f"/media/{ID}/.htaccess",
        f"/media/{ID}/small.webp/",
        f"/media/{ID}/SMALL.webp",
        f"/media/{ID}/huge.webp",
        f"/media/{ID}/",
        f"/media/{ID}",
        "/media/",
        "/media",
        "/media/.drafts/half",
        "/media/../secret.webp",
        "/media/../admin.sqlite3",
        "/media/%2e%2e/admin.sqlite3",
        "/media/..%2fadmin.sqlite3",
        "/media/..%5cadmin.sqlite3",
        "/media..%2fadmin.sqlite3",
        "/media../admin.sqlite3",
        "/media/%2e%2e%2fsecret.webp",
        f"/media/{ID}/../../secret.webp",
        f"/media/{ID}/..%2f..%2fsecret.webp",
        f"/media/{ID}/small.webp%00.html",
        f"/media/{ID}/small.webp%20",
        f"/media/{ID}/small.webp;.html",
        f"/media/{ID[:-1]}2/small.webp",
        f"/media//{ID}/small.svg",
    ],
)
def test_nothing_else_of_the_folder_is_reached(served: Served, path: str) -> None:
    answer = served.gateway.get(path)
    assert answer.status in (400, 404), answer.body
    assert_problem(answer, answer.status, "NOT_FOUND" if answer.status == 404 else "BAD_REQUEST")


def test_a_link_in_the_folder_is_not_followed(served: Served) -> None:
    target = served.folder.parent / "secret.webp"
    (served.folder / ID / "medium.webp").unlink()
    (served.folder / ID / "medium.webp").symlink_to(target)
    answer = served.gateway.get(f"/media/{ID}/medium.webp")
    assert answer.status in (403, 404)
    assert b"secret" not in answer.body


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_media_are_not_written_here(served: Served, method: str) -> None:
    answer = served.gateway.request(method, f"/media/{ID}/small.webp", body=b"x")
    assert_problem(answer, 405, "METHOD_NOT_ALLOWED")
    assert (served.folder / ID / "small.webp").read_bytes() == WEBP


def test_an_error_is_not_kept_for_a_year(served: Served) -> None:
    assert served.gateway.get(f"/media/{ID[:-1]}9/small.webp").one("Cache-Control") == "no-store"


def test_uploads_may_be_as_large_as_the_service_takes_them(served: Served) -> None:
    most = Multipart(folder=Path, max_files=MAX_FILES, max_file_bytes=MAX_FILE_BYTES).max_body_bytes
    answer = served.gateway.request("POST", "/api/v1/admin/media", body=b"x" * most)
    assert (answer.status, answer.json()["bodyBytes"]) == (200, most)
    assert answer.json()["path"] == "/api/admin/media"
    declared = b"POST /api/v1/admin/media HTTP/1.1\r\nHost: a\r\nContent-Length: 200000000\r\n\r\n"
    refused = served.gateway.raw(declared)
    assert_problem(refused, 413, "CONTENT_TOO_LARGE")
    assert refused.json()["detail"] == "The body is larger than ten files of 10 MB."


@pytest.mark.parametrize("path", ["/api/v1/admin/pois", "/api/v1/admin/media/x", "/api/v1/admin/config"])
def test_everything_else_keeps_the_general_limit(served: Served, path: str) -> None:
    answer = served.gateway.request("POST", path, body=b"x" * 1_048_577)
    assert_problem(answer, 413, "CONTENT_TOO_LARGE")
    assert answer.json()["detail"] == "The body is larger than 1 MB."


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/internal/sales",
        "/api/v1/internal/people/erase",
        "/api/v1/INTERNAL/people/erase",
        "/api/v1/%69nternal/people/erase",
        "/api/v1//internal/people/erase",
        "/api/v1/x/../internal/people/erase",
        "/api/v1/admin/internal/configuration",
        "/api/v1/admin/%2e%2e/internal/sales",
        "/api/admin/internal/configuration",
    ],
)
def test_what_the_services_ask_each_other_is_for_nobody_else(served: Served, path: str) -> None:
    before = len(served.admin.received)
    for client in ("127.0.0.1", "127.0.0.9"):
        assert_problem(served.gateway.request("POST", path, client=client), 404, "NOT_FOUND")
    assert len(served.admin.received) == before
