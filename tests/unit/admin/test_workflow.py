"""The course of a POI, decided without a store: states, proposals, merges, duplicates, clusters, texts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_service.domain import workflow
from admin_service.domain.clusters import LEVELS, Tally, clustered, counted, level_for, summed
from admin_service.domain.diffs import FieldChange, diff
from admin_service.domain.duplicates import Sketch, name_likeness, resemblance
from admin_service.domain.errors import Code, Refused
from admin_service.domain.geo import Point
from admin_service.domain.markup import RICH_TAGS, has_markup, plain, sanitised
from admin_service.domain.merging import merged, unmerged
from admin_service.domain.poi import SHOWN, Address, Contact, Poi, PoiContent, PoiStatus, completeness
from admin_service.domain.snapshots import changes_between, content_of, snapshot_of, with_changes
from admin_service.domain.workflow import Actor, Step
from common.identifiers import uuid7

NOW = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
EDITOR = Actor(name="access:ed", account="ed", reviewed=False)
OWNER = Actor(name="access:ann", account="ann", reviewed=True)
CONTENT = PoiContent(
    names={"en": "Tower", "nl": "Toren"}, category="landmark", point=Point(52.0, 5.0),
    time_zone="Europe/Amsterdam", address=Address(city="Gent"),
)  # fmt: skip


def made(status: PoiStatus = PoiStatus.PUBLISHED, content: PoiContent = CONTENT) -> Poi:
    return Poi(
        id=uuid7(), content=content, status=status, owner="ann", version=3, created_at=NOW, updated_at=NOW,
        changed_at=NOW,
    )  # fmt: skip


OTHER = replace(CONTENT, names={"en": "Renamed", "nl": "Toren"}, tags=("new",))
LATER = NOW + timedelta(hours=1)


@given(st.lists(st.sampled_from([*Step, "edit", "propose"]), max_size=12), st.sampled_from(list(PoiStatus)))
def test_whatever_is_done_only_a_decision_shows_what_an_owner_wrote(
    steps: list[Step | str], status: PoiStatus
) -> None:
    poi = made(status)
    for step in steps:
        before = poi
        try:
            if isinstance(step, Step):
                poi = workflow.moved(poi, step, LATER)
            else:
                poi = workflow.edited(poi, OTHER, OWNER if step == "propose" else EDITOR, LATER)
        except Refused:
            continue
        assert poi.version == before.version + (poi != before)
        if step == "propose" and before.approved:
            assert (poi.content, poi.status, poi.changed_at) == (
                before.content, before.status, before.changed_at,
            )  # fmt: skip
        if poi.status in SHOWN and before.status not in SHOWN:
            assert step in (Step.APPROVE, Step.PUBLISH)
        if poi.proposal is not None:
            assert poi.approved
            assert poi.proposal.changes


def test_approving_applies_the_proposal_to_what_is_there_now() -> None:
    proposed = workflow.edited(made(), OTHER, OWNER, LATER)
    assert proposed.proposal is not None
    assert set(proposed.proposal.changes) == {"name", "tags"}
    edited = workflow.edited(proposed, replace(CONTENT, category="monument"), EDITOR, LATER)
    approved = workflow.moved(edited, Step.APPROVE, LATER)
    assert approved.content == replace(OTHER, category="monument")
    assert approved.proposal is None
    rejected = workflow.moved(edited, Step.REJECT, LATER)
    assert rejected.content == edited.content
    assert rejected.status is PoiStatus.PUBLISHED


@pytest.mark.parametrize("step", [Step.APPROVE, Step.REJECT])
def test_there_must_be_something_to_decide(step: Step) -> None:
    with pytest.raises(Refused) as error:
        workflow.moved(made(), step, LATER)
    assert error.value.code is Code.NOTHING_TO_REVIEW


def test_a_snapshot_is_the_content() -> None:
    assert content_of(snapshot_of(OTHER)) == OTHER
    assert with_changes(CONTENT, changes_between(CONTENT, OTHER)) == OTHER
    assert changes_between(OTHER, OTHER) == {}


def test_a_diff_goes_down_to_the_language() -> None:
    found = diff(snapshot_of(CONTENT), snapshot_of(OTHER))
    assert found == (
        FieldChange("/name/en", "Tower", "Renamed"),
        FieldChange("/tags", None, ["new"]),
    )
    assert diff(snapshot_of(OTHER), snapshot_of(OTHER)) == ()
    assert FieldChange("/name/en", None, "Tower") in diff(None, snapshot_of(CONTENT))


def test_completeness_counts_what_could_be_said() -> None:
    found = completeness(CONTENT)
    assert found["en"].percent == 33
    assert found["fr"].missing == ("/name", "/summary", "/description")


def test_merged_and_parted_both_are_as_they_were() -> None:
    one = made(content=replace(CONTENT, contact=Contact(phone="1")))
    other = made(PoiStatus.DRAFT, replace(OTHER, contact=Contact(phone="2", email="a@b.nl"), external_id="x"))
    after, gone, merge = merged(one, other, uuid7(), "ed", LATER)
    assert after.content.contact == Contact(phone="1", email="a@b.nl")
    assert after.content.names == CONTENT.names
    assert (gone.status, gone.merged_into, gone.content.external_id) == (PoiStatus.ARCHIVED, one.id, None)
    apart, again = unmerged(after, gone, merge, LATER)
    assert (apart.content, again.content, again.status) == (one.content, other.content, other.status)
    assert again.merged_into is None


def sketch(name: str, *, east: float = 0.0, category: str = "museum") -> Sketch:
    return Sketch(id=uuid7(), names={"en": name}, category=category, point=Point(52, 5 + east))


@pytest.mark.parametrize(
    "one, other",
    [
        (sketch("Canal Museum"), sketch("canal museum", east=0.001)),
        (sketch("Canal Museum"), sketch("Museum, Canal")),
        (sketch("Musée d'Été"), sketch("Musee d Ete")),
        (sketch("Canal Museum"), sketch("Canal Museum", category="gallery")),
    ],
)
def test_likely_duplicates(one: Sketch, other: Sketch) -> None:
    found = resemblance(one, other)
    assert found is not None
    assert found == resemblance(other, one)
    assert 0.7 < found.score <= 1


@pytest.mark.parametrize(
    "one, other",
    [
        (sketch("Canal Museum"), sketch("Canal Museum", east=0.01)),  # 700 m
        (sketch("Canal Museum"), sketch("Tulip Shop")),
        (sketch("Canal Museum"), sketch("Canal Museum", category="restaurant")),
    ],
)
def test_unlikely_duplicates(one: Sketch, other: Sketch) -> None:
    assert resemblance(one, other) is None
    assert resemblance(one, one) is None


def test_nearer_and_more_alike_is_likelier() -> None:
    one = sketch("Canal Museum")
    same, farther, other = (
        resemblance(one, each)
        for each in (sketch("Canal Museum"), sketch("Canal Museum", east=0.003), sketch("Canal Museums"))
    )
    assert same is not None
    assert farther is not None
    assert other is not None
    assert same.score == 1
    assert same.score > farther.score
    assert same.score > other.score


@given(st.text(max_size=300), st.text(max_size=300))
def test_likeness_is_a_share_whatever_the_names(one: str, other: str) -> None:
    assert 0 <= name_likeness({"en": one}, {"nl": other}) <= 1


points = st.lists(st.builds(Point, st.floats(-90, 90), st.floats(-180, 180)), max_size=30)


@given(points, st.randoms())
def test_counts_are_the_same_in_any_order_and_end_at_nothing(found: list[Point], chance: Random) -> None:
    parts = [counted(point, ("museum", "culture")) for point in found]
    shuffled = list(parts)
    chance.shuffle(shuffled)
    assert summed(parts) == summed(shuffled)
    taken = [{key: -tally for key, tally in part.items()} for part in parts]
    assert summed([*parts, *taken]) == {}
    for level in LEVELS:
        total = sum(
            (tally.count for key, tally in summed(parts).items() if key.level == level and not key.category)
        )
        assert total == len(found)


@given(points, st.integers(17, 24))
def test_clusters_hold_every_place(found: list[Point], level: int) -> None:
    clusters = clustered(found, level)
    assert sum(cluster.count for cluster in clusters) == len(found)
    assert clusters == clustered(list(reversed(found)), level)
    assert Tally(1, 2, 3) + -Tally(1, 2, 3) == Tally(0, 0, 0)


def test_a_cell_is_64_or_128_pixels_wide() -> None:
    for zoom in range(23):
        pixels = 256 / 2 ** (level_for(zoom) - zoom)
        assert pixels in (64, 128)


@given(st.text(max_size=200))
def test_what_is_sanitised_stays_as_it_is(text: str) -> None:
    once = sanitised(text)
    assert sanitised(once) == once
    lowered = once.lower()
    assert "<script" not in lowered
    assert not has_markup(plain(once)) or "<" not in plain(once)


@pytest.mark.parametrize("tag", sorted(RICH_TAGS - {"br", "a"}))
def test_the_tags_of_a_description_stay(tag: str) -> None:
    text = f"<{tag}>x</{tag}>"
    assert sanitised(text) == text


@pytest.mark.parametrize("scheme", ["https:", "mailto:", "tel:"])
def test_links_stay(scheme: str) -> None:
    assert f'href="{scheme}x"' in sanitised(f'<a href="{scheme}x">x</a>')


@pytest.mark.parametrize(
    "scheme", ["javascript:", "data:text/html,", "vbscript:", " jAvAsCrIpT:", "java\tscript:"]
)
def test_links_that_run_do_not(scheme: str) -> None:
    assert "href" not in sanitised(f'<a href="{scheme}x">x</a>')
