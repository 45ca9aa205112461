"""Coordination by files: disks that are full, files that are damaged, machines that crash; epochs of tags."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from common.coordination.embedded import EmbeddedCoordination
from common.coordination.slots import SLOTS, Slot
from common.coordination.tags import TAG_WORDS, MappedTagEpochs
from tests.coordination import deeds
from tests.coordination.conftest import World
from tests.servers.process import eventually

Open = Callable[[], EmbeddedCoordination]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "coordination"


@pytest.fixture
def open_one(folder: Path) -> Iterator[Open]:
    """Open one more on the same folder; all are closed at the end."""
    opened: list[EmbeddedCoordination] = []

    def open_() -> EmbeddedCoordination:
        opened.append(EmbeddedCoordination(folder))
        return opened[-1]

    yield open_
    for each in opened:
        each.close()


def use_every_verb(coordination: EmbeddedCoordination) -> None:
    """What is written is read again by the process itself, whatever the disk does."""
    before = coordination.epoch("x")
    assert coordination.bump("x") == coordination.epoch("x") == before + 1
    coordination.share("mode", b"on")
    assert coordination.shared("mode") == b"on"
    coordination.publish("calls", b"row")
    assert coordination.rows("calls") == {str(coordination.slot): b"row"}
    with coordination.flight("key", 0.1) as leads:
        assert leads
    coordination.bump_tags(["tag"])
    coordination.tag_epochs(["tag"])


def test_only_the_owner_can_read_the_files(open_one: Open, folder: Path) -> None:
    use_every_verb(open_one())
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_where_the_folder_cannot_be_had_the_process_serves_alone_and_says_so_once(
    open_one: Open, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.write_text("a file in the way")
    coordination = open_one()
    for _ in range(20):
        use_every_verb(coordination)
    assert coordination.slot >= SLOTS
    assert open_one().epoch("x") == 0
    lines = [record.getMessage() for record in caplog.records]
    assert 0 < len(lines) < 25  # a few a coordination, for each of its files
    one = [line for line in lines if "slots" in line]
    assert len(one) == 1


def test_on_a_full_disk_a_process_serves_alone_and_joins_when_there_is_room(embedded: World) -> None:
    hampered = embedded.node()
    assert hampered.run(deeds.with_a_full_disk, str(embedded.machines[0].folder / "other")) == "served"


def test_a_disk_that_fills_up_while_running_raises_nothing(embedded: World) -> None:
    first, second = embedded.nodes(2)
    assert first.call("bump", "x") == 1
    assert first.run(deeds.fill_the_disk) is None
    assert first.run(deeds.every_verb, 5)[0] < 5
    assert second.call("epoch", "x") == 1
    assert second.run(deeds.rows, "verbs") == {}
    assert first.call("bump", "x") == 2
    assert second.call("epoch", "x") == 2


@pytest.mark.parametrize("name", ["epochs", "tags", "flights", "document-epochs", "documents/mode"])
@pytest.mark.parametrize("damage", [b"", b"\xff" * 100, b"\xff" * 700_000], ids=["empty", "short", "long"])
def test_a_damaged_file_raises_nothing_and_epochs_do_not_go_back(
    open_one: Open, folder: Path, name: str, damage: bytes
) -> None:
    before = open_one()
    use_every_verb(before)
    epoch, tags = before.bump("x"), before.tag_epochs(["tag"])
    before.close()
    if damage:
        (folder / name).write_bytes(damage)
    else:
        (folder / name).unlink()  # an emptied file is a new one
    after = open_one()
    if name == "documents/mode":
        assert after.shared("mode") is None
    if damage:
        assert after.epoch("x") == 0 or after.epoch("x") >= epoch
        assert after.bump("x") > epoch
        assert name != "tags" or after.tag_epochs(["tag"]) > tags
    use_every_verb(after)
    other = open_one()
    assert other.epoch("x") == after.epoch("x") == after.bump("x") - 1 == other.epoch("x") - 1


def test_after_a_crash_of_the_machine_every_epoch_that_was_bumped_is_a_new_one(
    open_one: Open, folder: Path
) -> None:
    before = open_one()
    before.bump_tags(["tag"])
    seen = {before.epoch("x"), *(before.bump("x") for _ in range(5)), *before.tag_epochs(["tag", "other"])}
    before.close()
    for name in ("epochs", "tags"):
        path = folder / name
        whole = bytearray(path.read_bytes())
        whole[32:72] = b"another start of the machine".ljust(40, b"\0")  # the boot in the header
        path.write_bytes(whole)
    after = open_one()
    assert after.epoch("x") > max(seen)
    assert min(after.tag_epochs(["tag", "other"])) > max(seen)
    assert open_one().epoch("x") == after.epoch("x")
    later = after.bump("x")
    after.close()
    assert open_one().epoch("x") == later  # not once more


def test_names_are_kept_apart_and_are_few_and_short(open_one: Open) -> None:
    one, other = open_one(), open_one()
    for number in range(300):
        for _ in range(number % 3 + 1):
            (one if number % 2 else other).bump(f"name-{number}")
    assert [one.epoch(f"name-{n}") for n in range(300)] == [n % 3 + 1 for n in range(300)]
    assert one.bump("ä" * 31) == 1
    for wrong in ("", "ä" * 32):
        with pytest.raises(ValueError, match="1 to 62 bytes"):
            one.bump(wrong)
    with pytest.raises(ValueError, match="one too many"):
        for number in range(2000):
            one.bump(f"more-{number}")
    assert other.epoch("name-299") == 3


def test_tags_that_are_bumped_are_new_and_the_others_are_not(open_one: Open) -> None:
    one, other = open_one(), open_one()
    tags = [f"ticket:{number}" for number in range(500)]
    before = one.tag_epochs(tags)
    assert before == other.tag_epochs(tags) == tuple(one.tag_epochs([tag])[0] for tag in tags)
    other.bump_tags(tags[:10])
    after = one.tag_epochs(tags)
    changed = [tag for tag, old, new in zip(tags, before, after, strict=True) if old != new]
    assert changed[:10] == tags[:10]
    assert len(changed) < 15  # few share a word with another
    one.bump_tags([])
    assert other.tag_epochs([]) == ()


def test_bumps_of_tags_by_many_processes_are_all_counted(embedded: World) -> None:
    nodes = embedded.nodes(4)
    for node in nodes:
        node.begin(deeds.bump_tags_often, ["a", "b"], 500)
    for node in nodes:
        node.result()
    assert nodes[0].call("tag_epochs", ["a", "b", "c"]) == (2000, 2000, 0)


def test_without_its_file_nothing_that_was_kept_with_tags_is_good_until_it_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "late"
    alone = MappedTagEpochs(folder / "tags")
    assert len({alone.tag_epochs(["tag"]) for _ in range(10)}) == 10
    alone.bump_tags(["made alone"])
    folder.mkdir()
    healthy = MappedTagEpochs(folder / "tags")
    before = healthy.tag_epochs(["tag", "made alone"])
    eventually(lambda: alone.tag_epochs(["tag"]) == (before[0],), seconds=5, what="the file")
    assert healthy.tag_epochs(["made alone"]) == (before[1] + 1,)
    healthy.bump_tags(["tag"])
    assert alone.tag_epochs(["tag"]) == (before[0] + 1,)
    alone.close()
    healthy.close()
    assert (folder / "tags").stat().st_size < 8 * TAG_WORDS + 4096


def test_all_slots_taken_is_no_failure(tmp_path: Path) -> None:
    slots = [Slot(tmp_path) for _ in range(SLOTS + 1)]
    assert sorted(slot.number for slot in slots[:SLOTS]) == list(range(SLOTS))
    assert slots[SLOTS].number >= SLOTS
    for slot in slots:
        slot.close()


def test_two_folders_are_two_machines(tmp_path: Path) -> None:
    one, again, other = (EmbeddedCoordination(tmp_path / name) for name in ("one", "one", "other"))
    assert one.machine_id() == again.machine_id() != other.machine_id()
    assert len(one.machine_id()) == 16
    for each in (one, again, other):
        each.close()
