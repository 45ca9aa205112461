"""A little of everything that the admin service keeps, made through its ports."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from admin_service.domain.api_keys import ApiKey
from admin_service.domain.duplicates import Resemblance
from admin_service.domain.imports import Fault, Outcome, RowReport
from admin_service.domain.merging import merged
from admin_service.domain.modes import Mode, SystemMode
from admin_service.domain.poi import Image, PoiStatus, Proposal, Verification
from admin_service.domain.users import email_hash
from admin_service.storage.opening import open_store
from admin_service.storage.port import Store
from common.identifiers import uuid7
from tests.contract.admin.places import content, fill, poi, world, write
from tests.contract.admin.test_config import revision
from tests.contract.admin.test_media import add, event, make_media
from tests.contract.admin.test_people import put_session, put_user
from tests.contract.admin.test_pois import job
from tests.contract.builders import NOW, make_idempotency


def fill_admin(url: str) -> None:
    """Put it into the store, which was migrated and is empty."""
    store = open_store(url, threads=2)
    try:
        _people(store)
        _places(store)
        _imports(store)
        store.config.change(revision(1, sales__bookingFee=300), event("config.update"))
        mode = SystemMode(mode=Mode.NORMAL, reason="r", changed_at=NOW, changed_by="access:ann", version=1)
        store.config.set_mode(mode, event("system.mode"))
        store.outbox.add("mail", {"template": "invite"}, NOW, idempotency=make_idempotency())
    finally:
        store.close()


def _people(store: Store) -> None:
    ann = put_user(store, poi_ids=(uuid7(), uuid7()))
    put_user(store, "Émile@example.org", name="ÉMILE", roles=("platform_admin",))
    put_session(store, ann)
    store.users.put_link("f" * 64, ann.id, "reset", NOW + timedelta(hours=1))
    store.sessions.attempt(email_hash("nobody@example.org"), NOW)
    key = ApiKey(
        id=uuid7(), name="Kiosk", start="apk_abcd", hash="a" * 64, roles=("gate",), poi_ids=(uuid7(),),
        created_at=NOW, created_by="access:ann", expires_at=NOW + timedelta(days=30),
    )  # fmt: skip
    store.api_keys.create(key, event("api_keys.create"))


def _places(store: Store) -> None:
    picture = add(store, make_media(alt={"en": "A tower"}))
    add(store, make_media("b"))
    images = (Image(media_id=picture.id, alt={"en": "A tower"}, source="", licence="cc-by"),)
    shown = content(names={"en": "Draft"}, external_id="d-1", images=images)
    fill(store, [*world(30), poi(shown, status=PoiStatus.DRAFT)])
    one, other = poi(content(external_id="one")), poi(content(external_id="two", names={"nl": "Toren"}))
    fill(store, [one, other])
    pair = Resemblance(one=min(one.id, other.id), other=max(one.id, other.id), score=0.9, name=0.8, metres=5)
    store.duplicates.put({one.id: [pair]}, NOW)
    after, gone, merge = merged(one, other, uuid7(), "ann", NOW)
    store.duplicates.merge((write(gone, other, "merged"), write(after, one, "merged")), merge)
    verified = replace(
        after,
        verification=Verification(by="access:rev", at=NOW, note="seen"),
        proposal=Proposal(changes={"names": {"en": "New"}}, by="access:ann", at=NOW),
        version=after.version + 1,
    )
    store.pois.replace(write(verified, after, "verified"))


def _imports(store: Store) -> None:
    made, other = job(), job(name="b.csv")
    store.imports.begin(made)
    store.imports.add_chunk(made.id, 0, b"a,b\n\x00\xff")
    store.imports.add_chunk(made.id, 1, b"c")
    store.imports.begin(other)
    one = poi(content(external_id="x"))
    reports = (
        RowReport(number=1, outcome=Outcome.CREATED, external_id="x", poi_id=one.id),
        RowReport(number=2, outcome=Outcome.REFUSED, faults=(Fault("/name", "REQUIRED", "missing"),)),
    )
    store.imports.write_rows(other.id, 0, (write(one),), reports, NOW)
