"""Points of interest in the store: versions, history, what maps count, and who is told."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from admin_service.domain import workflow
from admin_service.domain.clusters import CellKey, Tally, counted, summed
from admin_service.domain.duplicates import Resemblance
from admin_service.domain.errors import Code, Refused
from admin_service.domain.geo import Box, Point
from admin_service.domain.imports import Fault, ImportJob, ImportStatus, Outcome, RowReport
from admin_service.domain.merging import merged, unmerged
from admin_service.domain.poi import Poi, PoiStatus
from admin_service.domain.searching import counted_as
from admin_service.storage.changes import Change
from admin_service.storage.port import Store
from common.identifiers import uuid7
from tests.contract.admin.looking import kept_counts, kept_words
from tests.contract.admin.places import BY, content, fill, poi, world, write
from tests.contract.builders import NOW, make_idempotency
from tests.counts import counts

WORLD = Box(-180, -90, 180, 90)


def renamed(before: Poi, name: str) -> Poi:
    return workflow.edited(before, replace(before.content, names={"en": name}), BY.actor, NOW)


def refusal(error: pytest.ExceptionInfo[Refused]) -> Code:
    assert isinstance(error.value.code, Code)
    return error.value.code


def test_what_is_written_is_read(store: Store) -> None:
    for each in world(20):
        store.pois.create(write(each))
        assert store.pois.poi(each.id) == each
    assert store.pois.poi(uuid7()) is None


def test_a_stale_write_is_refused_and_changes_nothing(store: Store) -> None:
    first = store.pois.create(write(poi()))
    second = store.pois.replace(write(renamed(first, "Second"), first, "changed"))
    with pytest.raises(Refused) as error:
        store.pois.replace(write(renamed(first, "Third"), first, "changed"))
    assert refusal(error) is Code.VERSION_CONFLICT
    assert error.value.facts == {"version": 2}
    assert store.pois.poi(first.id) == second
    assert len(store.pois.history(first.id, 10, None).items) == 2
    with pytest.raises(Refused) as error:
        unknown = poi()
        store.pois.replace(write(renamed(unknown, "x"), unknown, "changed"))
    assert refusal(error) is Code.POI_NOT_FOUND


def test_of_many_writers_of_one_version_one_wins(store: Store) -> None:
    first = store.pois.create(write(poi()))

    def rename(number: int) -> str:
        try:
            store.pois.replace(write(renamed(first, f"Name {number}"), first, "changed"))
        except Refused as refused:
            return refused.code.name
        return "done"

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(rename, range(16))) == {"done": 1, "VERSION_CONFLICT": 15}
    assert [entry.version for entry in store.pois.history(first.id, 10, None).items] == [2, 1]


def test_an_external_id_is_taken_once(store: Store) -> None:
    store.pois.create(write(poi(content(external_id="x"))))
    with pytest.raises(Refused) as error:
        store.pois.create(write(poi(content(external_id="x"))))
    assert refusal(error) is Code.EXTERNAL_ID_TAKEN
    assert sum(store.pois.counts().values()) == 1
    found = store.pois.by_external_ids({"x", "y"})
    assert set(found) == {"x"}


def test_a_create_under_one_key_happens_once(store: Store) -> None:
    made = poi()
    store.pois.create(write(made), idempotency=make_idempotency())
    with pytest.raises(Exception, match="answered before"):
        store.pois.create(write(poi()), idempotency=make_idempotency())
    assert sum(store.pois.counts().values()) == 1


def test_a_write_is_told_and_so_is_what_came_of_it(store: Store, heard: list[Change]) -> None:
    made = store.pois.create(write(poi()))
    store.pois.replace(write(renamed(made, "x"), made, "changed"))
    assert [(change.verb, change.ids, change.what) for change in heard] == [
        ("pois.create", frozenset({made.id}), "created"),
        ("pois.replace", frozenset({made.id}), "changed"),
    ]


def test_the_trail_has_each_write_once(store: Store) -> None:
    made = store.pois.create(write(poi()))
    with pytest.raises(Refused):
        store.pois.create(write(replace(made, content=replace(made.content, external_id="other"))))
    assert [entry.event.action for entry in store.audit.after(0, 10)] == ["pois.created"]


def counts_of(pois: Iterable[Poi]) -> dict[CellKey, Tally]:
    return summed(counted(each.content.point, counted_as(each)) for each in pois if each.shown)


def test_the_maps_count_what_is_shown_whatever_happens(store: Store, store_url: str) -> None:
    chance = random.Random(7)
    pois = {each.id: each for each in world(12)}
    fill(store, list(pois.values()))
    assert kept_counts(store_url) == counts_of(pois.values())
    for _ in range(counts(60, 600)):
        before = chance.choice(list(pois.values()))
        after = _changed(before, chance)
        pois[after.id] = store.pois.replace(write(after, before, "changed"))
    assert kept_counts(store_url) == counts_of(pois.values())
    shown = sum(each.shown for each in pois.values())
    assert sum(cluster.count for cluster in store.pois.clusters(WORLD, 3, None)) == shown


def _changed(before: Poi, chance: random.Random) -> Poi:
    what = chance.choice(("move", "category", "status", "name"))
    made = before.content
    status = before.status
    if what == "move":
        made = replace(made, point=Point(chance.uniform(-89, 89), chance.uniform(-180, 180)))
    elif what == "category":
        made = replace(made, category=chance.choice(("museum", "park", "gallery")))
    elif what == "status":
        status = chance.choice(list(PoiStatus))
    else:
        made = replace(made, names={"en": f"Name {chance.random()}"})
    return replace(before, content=made, status=status, version=before.version + 1)


def test_clusters_are_the_same_in_whatever_order_the_places_came(store: Store) -> None:
    pois = [replace(each, status=PoiStatus.PUBLISHED) for each in world(30)]
    fill(store, pois)
    first = store.pois.clusters(Box(4, 51, 6, 53), 9, None)
    for each in pois:
        gone = store.pois.replace(write(workflow.moved(each, workflow.Step.ARCHIVE, NOW), each, "archive"))
        store.pois.replace(write(workflow.moved(gone, workflow.Step.PUBLISH, NOW), gone, "publish"))
    assert store.pois.clusters(Box(4, 51, 6, 53), 9, None) == first
    inside = sum(4 < each.content.point.longitude < 6 for each in pois)
    assert sum(cluster.count for cluster in first) == inside


def test_a_merge_is_written_whole_or_not_at_all(store: Store) -> None:
    one, other = poi(content(external_id="one")), poi(content(external_id="two"))
    fill(store, [one, other])
    after, gone, merge = merged(one, other, uuid7(), "ann", NOW)
    stale = replace(one, version=7)
    with pytest.raises(Refused):
        store.duplicates.merge((write(gone, other, "merged"), write(after, stale, "merged")), merge)
    assert store.pois.poi(other.id) == other
    assert store.duplicates.merge_by_id(merge.id) is None
    store.duplicates.merge((write(gone, other, "merged"), write(after, one, "merged")), merge)
    assert store.pois.poi(other.id) == gone
    assert store.duplicates.merges_of(one.id, 10) == (merge,)
    apart, again = unmerged(after, gone, merge, NOW)
    writes = (write(apart, after, "unmerged"), write(again, gone, "unmerged"))
    assert store.duplicates.unmerge(writes, merge.id, NOW).undone_at == NOW
    with pytest.raises(Refused) as error:
        store.duplicates.unmerge(writes, merge.id, NOW)
    assert refusal(error) is Code.MERGE_UNDONE


def test_likely_duplicates_come_by_page_the_likeliest_first(store: Store) -> None:
    pois = sorted(([poi() for _ in range(6)]), key=lambda each: each.id)
    fill(store, pois)
    pairs = [
        Resemblance(one=a.id, other=b.id, score=score / 1000, name=0.9, metres=5)
        for score, (a, b) in zip(
            (900, 900, 950, 820, 999),
            [(pois[i], pois[j]) for i, j in ((0, 1), (0, 2), (1, 2), (3, 4), (4, 5))],
            strict=True,
        )
    ]
    store.duplicates.put({pois[0].id: pairs[:2], pois[1].id: pairs[2:3], pois[4].id: pairs[3:]}, NOW)
    found: list[Resemblance] = []
    cursor = None
    while True:
        page = store.duplicates.found(2, cursor)
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(found, key=lambda pair: -pair.score) == found
    assert Counter(found) == Counter(pairs)
    archived = workflow.moved(pois[5], workflow.Step.ARCHIVE, NOW)
    store.pois.replace(write(archived, pois[5], "archive"))
    assert pairs[4] not in store.duplicates.found(10, None).items


def job(**changes: object) -> ImportJob:
    made = ImportJob(
        id=uuid7(), status=ImportStatus.RECEIVING, format="csv", dry_run=False, actor=BY.actor, name="a.csv",
        bytes_total=0, rows_done=0, created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def test_rows_are_written_with_their_report_or_not_at_all(store: Store) -> None:
    made = job()
    store.imports.begin(made)
    one = poi(content(external_id="x"))
    fault = Fault("/name", "REQUIRED", "missing")
    reports = (
        RowReport(number=1, outcome=Outcome.CREATED, external_id="x", poi_id=one.id),
        RowReport(number=2, outcome=Outcome.REFUSED, faults=(fault,)),
    )
    after = store.imports.write_rows(made.id, 0, (write(one),), reports, NOW)
    assert (after.rows_done, after.outcomes) == (2, {Outcome.CREATED: 1, Outcome.REFUSED: 1})
    assert store.imports.reports(made.id, None, 10, None).items == reports
    again = store.imports.write_rows(made.id, 0, (write(poi()),), reports, NOW)
    assert again.rows_done == 2
    assert sum(store.pois.counts().values()) == 1
    with pytest.raises(Refused):
        clash = poi(content(external_id="x"))
        store.imports.write_rows(made.id, 2, (write(poi()), write(clash)), reports, NOW)
    assert sum(store.pois.counts().values()) == 1
    assert store.imports.job(made.id) == after


def test_a_file_is_kept_in_its_order_until_the_job_is_over(store: Store) -> None:
    made = job()
    store.imports.begin(made)
    for position, part in enumerate((b"a" * 300_000, b"b", b"c")):
        store.imports.add_chunk(made.id, position, part)
    event = write(poi()).event
    assert event is not None
    waiting = store.imports.received(made.id, 300_002, NOW, event)
    assert (waiting.status, waiting.bytes_total) == (ImportStatus.WAITING, 300_002)
    (task,) = store.outbox.claim(NOW, NOW + timedelta(seconds=30), 10)
    assert (task.kind, task.payload) == ("poi-import", {"importId": str(made.id)})
    assert b"".join(store.imports.chunks(made.id)) == b"a" * 300_000 + b"bc"
    assert store.imports.finish(made.id, None, NOW).status is ImportStatus.DONE
    assert list(store.imports.chunks(made.id)) == []


def test_imports_are_listed_by_account(store: Store) -> None:
    mine, other = job(), job(actor=replace(BY.actor, account="bob"))
    for each in (mine, other):
        store.imports.begin(each)
    assert store.imports.jobs(None, 10, None).items == (other, mine)
    assert store.imports.jobs("bob", 10, None).items == (other,)
    page = store.imports.jobs(None, 1, None)
    assert store.imports.jobs(None, 1, page.next_cursor).items == (mine,)


def test_a_new_poi_is_to_be_compared_and_a_renamed_one_again(store: Store) -> None:
    made = store.pois.create(write(poi()))
    changed = store.pois.replace(write(renamed(made, "x"), made, "changed"))
    store.pois.replace(write(workflow.verified(changed, BY.actor, "", NOW), changed, "verified"))
    tasks = store.outbox.claim(NOW + timedelta(days=1), NOW + timedelta(days=2), 10)
    assert [(task.kind, task.payload) for task in tasks] == [
        ("poi-duplicates", {"poiIds": [str(made.id)]})
    ] * 2


def test_no_word_is_left_behind(store: Store, store_url: str) -> None:
    made = poi(content(names={"en": "Alpha Beta"}, tags=("one",)))
    store.pois.create(write(made))
    store.pois.replace(write(renamed(made, "Gamma"), made, "changed"))
    found, number = kept_words(store_url, made.id)
    assert {"gamma", "gent", "museum", "#one"} <= found
    assert not {"alpha", "beta"} & found
    assert number == len(found)
    assert isinstance(made.id, UUID)
