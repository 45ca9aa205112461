"""Media over HTTP: what keeps them, their room, and how they end."""

from __future__ import annotations

import uuid

from admin_service.actions import media as media_actions
from admin_service.clients.folder_storage import FolderStorage
from admin_service.domain.media import Use
from admin_service.tasks import handlers, jobs
from tests.contract.admin.test_media import use
from tests.http.admin.desk import Desk, pointers, refusal
from tests.http.admin.places import create, poi_in
from tests.http.admin.sending import stored, upload, uploaded
from tests.unit.admin.files import pdf, picture


def work(desk: Desk) -> None:
    """What the worker does with the tasks that are due."""
    known = handlers(desk.ports)
    for task in desk.ports.store.outbox.claim(desk.clock.now, desk.clock.now, 100):
        known[task.kind](task)
        desk.ports.store.outbox.done(task.id)


def test_what_is_used_stays_and_says_where(any_desk: Desk) -> None:
    desk = any_desk
    media = uploaded(desk)
    use(desk.settings.database_url, [uuid.UUID(media["id"])], Use(kind="poi", object_id="p-1"))
    refused = desk.call("DELETE", f"/media/{media['id']}", role="editor")
    assert refusal(refused) == (409, "MEDIA_IN_USE")
    assert refused.json["uses"] == [{"kind": "poi", "id": "p-1"}]
    uses = desk.call("GET", f"/media/{media['id']}/uses", role="reviewer")
    assert uses.json == {"data": [{"kind": "poi", "id": "p-1"}]}
    assert len(stored(desk)) == 3


def test_what_is_removed_is_gone_for_all_and_then_its_bytes(desk: Desk) -> None:
    media = uploaded(desk)
    path = f"/media/{media['id']}"
    assert desk.call("DELETE", path, role="editor").status_code == 204
    for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"alt": {}})):
        answer = desk.call(method, path, body, role="editor", headers={"If-Match": '"1"'})
        assert refusal(answer) == (404, "MEDIA_NOT_FOUND")
    assert len(stored(desk)) == 3
    work(desk)
    assert stored(desk) == []
    assert desk.call("GET", "/media/quota", role="editor").json == {
        "usedBytes": 0, "quotaBytes": 10_000_000_000, "files": 0
    }  # fmt: skip
    assert uploaded(desk)["id"] != media["id"]


def test_the_quota_is_that_of_the_configuration(desk: Desk) -> None:
    body = {"values": {"media.quotaMegabytes": 10}}
    assert (
        desk.call("PATCH", "/config", body, role="platform_admin", headers={"If-Match": '"0"'}).status_code
        == 200
    )
    ports = desk.ports
    taken = ports.store.media.taken()
    media = uploaded(desk)
    assert ports.store.media.taken().bytes == taken.bytes + media["storedBytes"]
    filled = media_actions.BYTES_OF_MEGABYTE * 10
    assert desk.call("GET", "/media/quota", role="editor").json["quotaBytes"] == filled


def test_an_upload_that_is_not_stored_is_not_there_and_may_come_again(desk: Desk) -> None:
    (desk.settings.data_dir / "media").write_text("a file where the folder should be")
    refused = upload(desk, ("a.jpg", picture()))
    assert refusal(refused) == (503, "STORAGE_UNAVAILABLE")
    assert refused.headers["Retry-After"]
    assert desk.call("GET", "/media", role="editor").json["data"] == []
    (desk.settings.data_dir / "media").unlink()
    assert uploaded(desk)["created"] is True
    assert desk.call("GET", "/media/quota", role="editor").json["files"] == 1


def test_what_died_while_it_was_stored_is_given_up(desk: Desk) -> None:
    (desk.settings.data_dir / "media").write_text("away")
    upload(desk, ("a.jpg", picture()))
    (desk.settings.data_dir / "media").unlink()
    (job,) = (each for each in jobs(desk.ports) if each.name == "unfinished-media")
    job.run()
    assert desk.call("GET", "/media/quota", role="editor").json["files"] == 1
    desk.clock.move(hours=1, seconds=1)
    job.run()
    work(desk)
    assert desk.call("GET", "/media/quota", role="editor").json == {
        "usedBytes": 0, "quotaBytes": 10_000_000_000, "files": 0
    }  # fmt: skip


def test_the_storage_has_its_breaker(desk: Desk) -> None:
    (desk.settings.data_dir / "media").write_text("away")
    for number in range(12):
        upload(desk, (f"{number}.png", picture("PNG", (30 + number, 30))))
    breakers = desk.call("GET", "/monitoring/circuit-breakers").json["circuitBreakers"]
    assert breakers["storage"]["state"] == "OPEN"
    (desk.settings.data_dir / "media").unlink()
    answer = upload(desk, ("a.jpg", picture()))
    assert refusal(answer) == (503, "STORAGE_UNAVAILABLE")


def test_a_list_is_filtered(desk: Desk) -> None:
    uploaded(desk, name="Tower.jpg")
    upload(desk, ("plan.pdf", pdf()))
    for query, names in (
        ("", ["plan.pdf", "Tower.jpg"]),
        ("?type=document", ["plan.pdf"]),
        ("?type=picture", ["Tower.jpg"]),
        ("?q=TOW", ["Tower.jpg"]),
        ("?used=true", []),
        ("?used=false&limit=1", ["plan.pdf"]),
    ):
        listed = desk.call("GET", f"/media{query}", role="poi_owner").json
        assert [media["fileName"] for media in listed["data"]] == names
    for query in ("?type=svg", "?q=", "?limit=0", "?cursor=x", "?cursor=WyJ4Il0", "?state=removed"):
        assert desk.call("GET", f"/media{query}", role="editor").status_code == 422


def test_a_folder_of_media_keeps_what_nobody_asked_to_remove(desk: Desk) -> None:
    one, other = uploaded(desk), uploaded(desk, (90, 90))
    desk.call("DELETE", f"/media/{one['id']}", role="editor")
    work(desk)
    storage = FolderStorage(desk.settings.data_dir / "media")
    assert storage.get(f"{other['id']}/small.webp")
    assert storage.get(f"{one['id']}/small.webp") is None


def test_a_picture_of_a_place_stays_while_the_place_shows_it(any_desk: Desk) -> None:
    desk = any_desk
    media = uploaded(desk)
    image = {"mediaId": media["id"], "alt": {"en": "x"}, "source": "Ann", "licence": "CC0-1.0"}
    unknown = {**image, "mediaId": str(uuid.uuid4())}
    refused = desk.call("POST", "/pois", poi_in(images=[image, unknown]), role="editor")
    assert (refusal(refused), pointers(refused)) == (
        (422, "UNKNOWN_MEDIA"),
        [("/images/1/mediaId", "UNKNOWN_MEDIA")],
    )
    poi = create(desk, images=[image])
    assert desk.call("GET", f"/media/{media['id']}", role="editor").json["uses"] == 1
    kept = desk.call("DELETE", f"/media/{media['id']}", role="editor")
    assert refusal(kept) == (409, "MEDIA_IN_USE")
    assert kept.json["uses"] == [{"kind": "poi", "id": poi["id"]}]
    headers = {"If-Match": f'"{poi["version"]}"'}
    path = f"/pois/{poi['id']}"
    assert desk.call("PATCH", path, {"images": []}, role="editor", headers=headers).status_code == 200
    assert desk.call("DELETE", f"/media/{media['id']}", role="editor").status_code == 204
