"""What the store of media promises, on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from admin_service.domain.audit import AuditEvent, Origin
from admin_service.domain.errors import Code, Refused
from admin_service.domain.media import Licence, Media, MediaType, Rendition, Rights, Use
from admin_service.storage.port import Store
from admin_service.storage.ports.media import MediaQuery, Reserved, Taken
from admin_service.storage.sql.media import DELETE_TASK
from common.identifiers import uuid7
from common.web.idempotency import Replayed
from tests.contract.admin import looking
from tests.contract.builders import NOW, make_idempotency

QUOTA = 1_000_000
POI = Use(kind="poi", object_id="p-1")


def make_media(digest: str = "a", size: int = 1000, **changes: Any) -> Media:
    defaults: dict[str, Any] = {
        "id": uuid7(),
        "digest": (digest * 64)[:64],
        "media_type": MediaType.JPEG,
        "file_name": "Tower 100%.jpg",
        "uploaded_bytes": 5000,
        "renditions": (Rendition(name="small", media_type="image/webp", bytes=size, width=4, height=3),),
        "uploaded_by": "access:ann",
        "created_at": NOW,
        "changed_at": NOW,
    }
    return Media(**{**defaults, **changes})


def event(action: str = "media.upload") -> AuditEvent:
    return AuditEvent(at=NOW, origin=Origin(actor="access:ann"), action=action, subject="m")


def reserve(store: Store, *media: Media, quota: int = QUOTA) -> tuple[Reserved, ...]:
    return store.media.reserve(media, quota, NOW)


def add(store: Store, media: Media | None = None) -> Media:
    (reserved,) = reserve(store, media or make_media())
    (finished,) = store.media.finish([reserved.media.id], [event()], NOW)
    return finished


def use(url: str, media: list[Any], user: Use = POI) -> None:
    """Let something show `media`, as the store of what shows them does."""
    looking.use(url, media, user)


def refusal(call: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value


def test_what_is_reserved_is_seen_once_it_is_finished(store: Store) -> None:
    media = make_media(alt={"en": "A tower"}, rights=Rights(licence=Licence.CC_BY, author="Ann", source="x"))
    (reserved,) = reserve(store, media)
    assert reserved == Reserved(media=media, is_new=True)
    assert store.media.get(media.id) is None
    assert store.media.page(MediaQuery()).items == ()
    assert store.media.finish([media.id], [event()], NOW) == (media,)
    assert store.media.get(media.id) == media
    assert store.media.page(MediaQuery()).items == (media,)
    assert [entry.event.action for entry in store.audit.after(0, 10)] == ["media.upload"]


def test_the_same_content_is_one_medium(store: Store) -> None:
    first = add(store)
    (again,) = reserve(store, make_media())
    assert again == Reserved(media=first, is_new=False)
    assert store.media.finish([first.id], [], NOW) == (first,)
    assert store.media.taken() == Taken(bytes=1000, files=1)


def test_an_upload_that_did_not_end_is_taken_up_again(store: Store) -> None:
    (first,) = reserve(store, make_media())
    (again,) = reserve(store, make_media())
    assert again == Reserved(media=first.media, is_new=True)
    assert store.media.taken() == Taken(bytes=1000, files=1)
    assert store.media.finish([first.media.id], [], NOW) == (first.media,)
    assert store.media.finish([first.media.id], [], NOW) == (first.media,)


def test_the_quota_is_for_all_and_holds_to_the_byte(store: Store) -> None:
    reserve(store, make_media("a", 600))
    refused = refusal(lambda: reserve(store, make_media("b", 300), make_media("c", 101), quota=1000))
    assert refused.code is Code.QUOTA_EXCEEDED
    assert refused.facts == {"usedBytes": 900, "quotaBytes": 1000}
    assert store.media.taken() == Taken(bytes=600, files=1)
    reserve(store, make_media("b", 300), make_media("c", 100), quota=1000)
    assert store.media.taken() == Taken(bytes=1000, files=3)


def test_many_uploads_at_once_do_not_pass_the_quota(store: Store) -> None:
    def try_one(number: int) -> bool:
        try:
            reserve(store, make_media(f"{number:02}", 100), quota=1000)
        except Refused as refused:
            if refused.code is not Code.QUOTA_EXCEEDED:
                raise
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_one, range(30))) == 10
    assert store.media.taken() == Taken(bytes=1000, files=10)


def test_the_same_file_sent_by_many_at_once_is_one_medium(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: add(store), range(16)))
    assert len({media.id for media in found}) == 1
    assert store.media.taken() == Taken(bytes=1000, files=1)


def test_what_is_used_cannot_be_removed_and_says_where(store: Store, store_url: str) -> None:
    media = add(store)
    use(store_url, [media.id])
    use(store_url, [media.id], Use(kind="config", object_id="brand.logo"))
    refused = refusal(lambda: store.media.remove(media.id, event("media.delete"), NOW))
    assert refused.code is Code.MEDIA_IN_USE
    uses = [{"kind": "config", "id": "brand.logo"}, {"kind": "poi", "id": "p-1"}]
    assert refused.facts == {"uses": uses, "count": 2}
    assert store.media.uses(media.id) == (Use(kind="config", object_id="brand.logo"), POI)
    found = store.media.get(media.id)
    assert found is not None
    assert found.uses == 2
    use(store_url, [])
    use(store_url, [], Use(kind="config", object_id="brand.logo"))
    store.media.remove(media.id, event("media.delete"), NOW)
    assert store.media.get(media.id) is None


def test_uses_are_those_that_were_said_last(store: Store, store_url: str) -> None:
    one, other = add(store, make_media("a")), add(store, make_media("b"))
    use(store_url, [one.id, other.id, one.id])
    use(store_url, [one.id, other.id])
    use(store_url, [other.id])
    counted = {media.id: media.uses for media in store.media.page(MediaQuery()).items}
    assert counted == {one.id: 0, other.id: 1}
    assert store.media.uses(one.id) == ()


def test_what_is_not_there_cannot_be_used(store: Store, store_url: str) -> None:
    (coming,) = reserve(store, make_media("a"))
    gone = add(store, make_media("b"))
    kept = add(store, make_media("c"))
    store.media.remove(gone.id, event(), NOW)
    for media_id in (coming.media.id, gone.id, uuid7()):
        refused = refusal(lambda media_id=media_id: use(store_url, [kept.id, media_id]))
        assert (refused.code, refused.pointer) == (Code.UNKNOWN_MEDIA, "/images/0")
    found = store.media.get(kept.id)
    assert found is not None
    assert found.uses == 0


def test_removed_is_gone_at_once_and_its_room_free_when_its_bytes_are_gone(store: Store) -> None:
    media = add(store)
    store.media.remove(media.id, event("media.delete"), NOW)
    assert store.media.taken() == Taken(bytes=1000, files=1)
    (task,) = store.outbox.claim(NOW, NOW + timedelta(seconds=30), 10)
    assert (task.kind, task.payload) == (DELETE_TASK, {"mediaId": str(media.id)})
    removed = store.media.removed(media.id)
    assert removed is not None
    assert removed.keys == (f"{media.id}/small.webp",)
    assert refusal(lambda: reserve(store, make_media())).code is Code.MEDIA_BUSY
    for _ in range(2):
        store.media.forget(media.id)
        assert store.media.taken() == Taken(bytes=0, files=0)
    assert store.media.removed(media.id) is None
    assert add(store).id != media.id


def test_a_medium_that_stands_is_not_forgotten(store: Store) -> None:
    media = add(store)
    store.media.forget(media.id)
    assert store.media.removed(media.id) is None
    assert store.media.get(media.id) == media
    assert store.media.taken() == Taken(bytes=1000, files=1)


def test_what_never_came_to_its_end_is_given_up(store: Store) -> None:
    (stuck,) = reserve(store, make_media("a"))
    whole = add(store, make_media("b"))
    later = NOW + timedelta(hours=1)
    assert store.media.give_up(NOW, later, 10) == 0
    assert store.media.give_up(NOW + timedelta(seconds=1), later, 10) == 1
    assert store.media.removed(stuck.media.id) is not None
    assert refusal(lambda: store.media.finish([stuck.media.id], [], NOW)).code is Code.MEDIA_BUSY
    assert store.media.get(whole.id) == whole


def test_texts_and_rights_change_with_the_version(store: Store) -> None:
    media = add(store)
    rights = Rights(licence=Licence.CC0, author="Bob", source="https://example.org")
    wanted = replace(media, alt={"nl": "Toren"}, rights=rights, digest="f" * 64, uploaded_by="access:eve")
    changed = store.media.replace(wanted, 1, event("media.update"))
    assert changed == replace(media, alt={"nl": "Toren"}, rights=rights, version=2)
    assert store.media.get(media.id) == changed
    stale = refusal(lambda: store.media.replace(wanted, 1, event()))
    assert (stale.code, stale.facts) == (Code.VERSION_CONFLICT, {"version": 2})
    unknown = replace(media, id=uuid7())
    assert refusal(lambda: store.media.replace(unknown, 1, event())).code is Code.MEDIA_NOT_FOUND
    assert len(store.audit.after(0, 10)) == 2


def test_a_list_is_filtered_and_read_page_by_page(store: Store, store_url: str) -> None:
    pictures = [add(store, make_media(f"{n}", file_name=f"Tower {n}.jpg")) for n in range(5)]
    document = add(
        store,
        make_media("d", media_type=MediaType.PDF, file_name="50%_off.pdf", uploaded_by="access:bob"),
    )
    use(store_url, [pictures[0].id])

    def found(**filters: Any) -> list[str]:
        return [media.file_name for media in store.media.page(MediaQuery(**filters)).items]

    assert found(pictures=False) == [document.file_name]
    assert len(found(pictures=True)) == 5
    assert found(used=True) == ["Tower 0.jpg"]
    assert len(found(used=False)) == 5
    assert found(text="TOWER 3") == ["Tower 3.jpg"]
    assert found(text="%") == [document.file_name]
    assert found(text="_o") == [document.file_name]
    assert found(uploaded_by="access:bob") == [document.file_name]
    names, cursor = list[str](), None
    for _ in range(3):
        page = store.media.page(MediaQuery(limit=2, cursor=cursor))
        names, cursor = names + [media.file_name for media in page.items], page.next_cursor
    assert names == [document.file_name, *(f"Tower {n}.jpg" for n in (4, 3, 2, 1, 0))]
    assert cursor is None


def test_a_repeated_upload_under_its_key_has_one_answer(store: Store) -> None:
    (reserved,) = reserve(store, make_media())
    store.media.finish([reserved.media.id], [event()], NOW, idempotency=make_idempotency())
    with pytest.raises(Replayed):
        store.media.finish([reserved.media.id], [event()], NOW, idempotency=make_idempotency())
    assert len(store.audit.after(0, 10)) == 1
