"""Media over HTTP: uploads, and what is told of them."""

from __future__ import annotations

import io
import uuid
from typing import Any

import pytest
from pikepdf import Dictionary, Name
from PIL import Image

from tests.http.admin.desk import Desk, pointers, refusal
from tests.http.admin.sending import stored, upload, uploaded
from tests.unit.admin.files import PLACE, archive, pdf, picture, png_claiming, with_place

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
HTML = b"<!doctype html><script>alert(1)</script>"


def test_a_picture_is_stored_in_three_sizes_and_told_of(any_desk: Desk) -> None:
    desk = any_desk
    sent = with_place("JPEG", size=(3000, 1500))
    answer = upload(
        desk, ("..\\..\\Tower <1>.jpg", sent), licence="CC-BY-4.0", author="Ann", source="https://a.example/1"
    )
    assert answer.status_code == 201
    (media,) = answer.json["data"]
    assert (media["type"], media["mediaType"], media["fileName"]) == ("picture", "image/jpeg", "Tower 1.jpg")
    assert (media["licence"], media["author"], media["source"]) == ("CC-BY-4.0", "Ann", "https://a.example/1")
    assert (media["uploadedBytes"], media["created"], media["uses"]) == (len(sent), True, 0)
    assert set(media["sizes"]) == {"small", "medium", "large"}
    for size in media["sizes"].values():
        base = "http://desk.test:3001/media/"
        assert size["url"].startswith(base)
        content = (desk.settings.data_dir / "media" / size["url"].removeprefix(base)).read_bytes()
        assert len(content) == size["bytes"]
        assert PLACE.encode() not in content
        image = Image.open(io.BytesIO(content), formats=["WEBP"])
        assert image.size == (size["width"], size["height"])
    assert len(stored(desk)) == 3
    shown = desk.call("GET", f"/media/{media['id']}", role="reviewer")
    assert shown.headers["ETag"] == '"1"'
    assert shown.json == {name: value for name, value in media.items() if name != "created"}
    (entry,) = desk.call("GET", "/audit?action=media", role="platform_admin").json["data"]
    assert (entry["action"], entry["subject"], entry["after"]["digest"]) == (
        "media.upload",
        media["id"],
        media["digest"],
    )


def test_ten_files_come_at_once_in_their_order(desk: Desk) -> None:
    files = [(f"{n}.png", picture("PNG", (20 + n, 20))) for n in range(9)]
    answer = upload(desk, *files, ("plan.pdf", pdf()))
    assert answer.status_code == 201
    names = [media["fileName"] for media in answer.json["data"]]
    assert names == [f"{n}.png" for n in range(9)] + ["plan.pdf"]
    document = answer.json["data"][9]
    assert (document["type"], set(document["sizes"])) == ("document", {"document"})
    assert document["sizes"]["document"]["url"].endswith("/document.pdf")
    assert refusal(upload(desk, *files, *files)) == (422, "VALIDATION_FAILED")


def test_the_same_file_again_is_the_same_medium(desk: Desk) -> None:
    first = uploaded(desk)
    again = upload(desk, ("other-name.png", picture("JPEG")), role="poi_owner").json["data"][0]
    assert again == {**first, "created": False}
    twice = upload(desk, ("a.gif", picture("GIF")), ("b.gif", picture("GIF"))).json["data"]
    assert len(twice) == 1
    assert desk.call("GET", "/media/quota", role="editor").json["files"] == 2


def test_a_repetition_under_its_key_gets_the_first_answer(desk: Desk) -> None:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    first = upload(desk, ("a.jpg", picture()), headers=headers)
    again = upload(desk, ("a.jpg", picture()), headers=headers)
    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = upload(desk, ("a.jpg", picture("PNG")), headers=headers)
    assert refusal(other) == (422, "IDEMPOTENCY_KEY_REUSED")


@pytest.mark.parametrize(
    "content, code",
    [
        (SVG, "MEDIA_TYPE_REFUSED"),
        (HTML, "MEDIA_TYPE_REFUSED"),
        (archive(), "MEDIA_TYPE_REFUSED"),
        (picture() + archive(), "MEDIA_POLYGLOT"),
        (picture() + HTML, "MEDIA_POLYGLOT"),
        (picture()[:300], "MEDIA_UNREADABLE"),
        (png_claiming(60_000, 60_000), "MEDIA_TOO_MANY_PIXELS"),
        (b"", "MEDIA_EMPTY"),
    ],
)
@pytest.mark.parametrize("name", ["a.jpg", "../../../etc/cron.d/x", "a.jpg\x00.svg", "shell.php"])
def test_a_file_that_is_refused_is_named_and_nothing_is_stored(
    desk: Desk, name: str, content: bytes, code: str
) -> None:
    answer = upload(desk, ("good.png", picture("PNG")), (name, content))
    assert refusal(answer) == (422, "VALIDATION_FAILED")
    assert pointers(answer) == [("/files/1", code)]
    assert stored(desk) == []
    assert desk.call("GET", "/media", role="editor").json["data"] == []
    assert list((desk.settings.data_dir / "uploads").iterdir()) == []
    assert desk.call("GET", "/media/quota", role="editor").json["usedBytes"] == 0


def test_a_pdf_that_acts_is_refused(desk: Desk) -> None:
    acting = pdf(AA=Dictionary(WC=Dictionary(S=Name.JavaScript)))
    assert pointers(upload(desk, ("a.pdf", acting))) == [("/files/0", "MEDIA_ACTIVE_CONTENT")]


def test_a_file_of_more_than_10_mb_is_refused(desk: Desk) -> None:
    answer = upload(desk, ("a.jpg", picture() + b"\0" * 10_000_000))
    assert refusal(answer) == (413, "CONTENT_TOO_LARGE")
    assert pointers(answer) == [("/files/0", "TOO_LONG")]
    assert stored(desk) == []


@pytest.mark.parametrize(
    "texts, pointer",
    [
        ({"licence": "mine"}, ("/licence", "NOT_A_CHOICE")),
        ({"author": "x" * 201}, ("/author", "TOO_LONG")),
        ({"source": "javascript:alert(1)"}, ("/source", "INVALID")),
        ({"uploadedBy": "access:eve"}, ("/uploadedBy", "UNKNOWN_FIELD")),
        ({"id": str(uuid.uuid4())}, ("/id", "UNKNOWN_FIELD")),
    ],
)
def test_what_stands_beside_the_files_is_checked(
    desk: Desk, texts: dict[str, str], pointer: tuple[str, str]
) -> None:
    answer = upload(desk, ("a.jpg", picture()), **texts)
    assert (answer.status_code, pointers(answer)) == (422, [pointer])


def test_who_is_to_be_named_must_be(desk: Desk) -> None:
    answer = upload(desk, ("a.jpg", picture()), licence="CC-BY-SA-4.0")
    assert refusal(answer) == (422, "ATTRIBUTION_MISSING")
    media = uploaded(desk)
    changed = patch(desk, media, {"licence": "CC-BY-4.0"})
    assert refusal(changed) == (422, "ATTRIBUTION_MISSING")
    assert patch(desk, media, {"licence": "CC-BY-4.0", "author": "Ann"}).status_code == 200


def patch(desk: Desk, media: dict[str, Any], body: Any, *, version: int = 1, **who: Any) -> Any:
    who = who or {"role": "editor"}
    return desk.call("PATCH", f"/media/{media['id']}", body, headers={"If-Match": f'"{version}"'}, **who)


def test_texts_change_and_the_file_does_not(desk: Desk) -> None:
    media = uploaded(desk)
    changed = patch(desk, media, {"alt": {"en": "A tower", "nl": "Een toren"}})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert changed.json["alt"] == {"en": "A tower", "nl": "Een toren"}
    assert changed.json["sizes"] == media["sizes"]
    assert refusal(patch(desk, media, {"alt": {}})) == (412, "VERSION_CONFLICT")
    assert patch(desk, media, {"alt": {}}, version=2).json["alt"] == {}
    without = desk.call("PATCH", f"/media/{media['id']}", {"alt": {}}, role="editor")
    assert refusal(without) == (428, "PRECONDITION_REQUIRED")


@pytest.mark.parametrize(
    "body",
    [
        {"alt": {"xx": "a"}},
        {"alt": {"en": ""}},
        {"alt": {"en": "x" * 301}},
        {"alt": "text"},
        {"alt": {"en": 5}},
        {"alt": {"en": "a\u0000b"}},
        {"licence": 5},
        {"source": "ftp://x"},
        {"source": 'https://x"onmouseover="alert(1)'},
        {"uses": 0},
        {"digest": "0" * 64},
        {"uploadedBy": "access:eve"},
        {"version": 9},
        {"state": "ready"},
        [],
        "text",
    ],
)
def test_what_cannot_be_a_change_changes_nothing(desk: Desk, body: Any) -> None:
    media = uploaded(desk)
    assert patch(desk, media, body).status_code == 422
    assert desk.call("GET", f"/media/{media['id']}", role="editor").json["version"] == 1


def test_an_owner_changes_their_own_alone(desk: Desk) -> None:
    ann, bob = (desk.token("poi_owner", subject=str(uuid.UUID(int=n))) for n in (1, 2))
    media = uploaded(desk, token=ann)
    for token, status in ((bob, 403), (ann, 200)):
        assert patch(desk, media, {"alt": {"en": "Mine"}}, token=token).status_code == status
    assert refusal(desk.call("DELETE", f"/media/{media['id']}", token=bob)) == (403, "MEDIA_NOT_YOURS")
    assert desk.call("DELETE", f"/media/{media['id']}", token=ann).status_code == 204
    mine = uploaded(desk, (50, 50), token=ann)
    uploaded(desk, (60, 60), token=bob)
    listed = desk.call("GET", "/media?mine=true", token=ann).json["data"]
    assert [each["id"] for each in listed] == [mine["id"]]
