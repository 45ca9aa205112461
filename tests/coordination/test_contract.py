"""What `Coordination` promises, in every world: real processes, killed and frozen for real."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.coordination import deeds
from tests.coordination.conftest import World
from tests.coordination.nodes import NodeFailed
from tests.counts import counts
from tests.servers.process import eventually

LARGEST = 64 * 1024


def all_files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_a_slot_is_one_process_s_alone_and_comes_back_after_kill_9(world: World) -> None:
    nodes = world.nodes(20, machine=0)
    assert sorted(node.run(deeds.slot) for node in nodes) == list(range(20))
    victims = [node for node in nodes if node.run(deeds.slot) in (3, 7, 19)]
    for node in victims:
        node.kill()
    assert sorted(node.run(deeds.slot) for node in world.nodes(3, machine=0)) == [3, 7, 19]


def test_the_slot_of_a_process_stays_and_is_free_when_it_closes(world: World) -> None:
    first, second = world.nodes(2, machine=0)
    slots = {first.run(deeds.slot), second.run(deeds.slot)}
    assert slots == {0, 1}
    freed = first.run(deeds.slot)
    first.call("close")
    assert world.node(machine=0).run(deeds.slot) == freed


def test_many_deaths_leave_no_more_than_the_peak_number_of_slots_and_files(world: World) -> None:
    machine = world.machines[0]

    def generation(size: int) -> None:
        nodes = world.nodes(size, machine=0)
        assert max(node.run(deeds.slot) for node in nodes) < size
        for node in nodes:
            node.call("publish", "deaths", b"row")
            node.call("share", "document", b"%d" % node.pid)
            node.call("bump", "epoch")
            node.begin(deeds.fly, "key", 0.0)  # killed in the middle of it
            node.kill()

    generation(10)
    after_the_peak = all_files(machine.folder)
    for _ in range(counts(2, 19)):
        generation(10)
    # A writer that was killed may leave the one temporary file that the next one overwrites.
    assert {path for path in all_files(machine.folder) - after_the_peak if path.name[0] != "."} == set()
    assert len(all_files(machine.folder)) <= len(after_the_peak) + 10


def test_a_child_that_was_forked_has_a_slot_and_a_row_of_its_own(world: World) -> None:
    own, childs, rows, after = world.node().run(deeds.slots_around_a_fork)
    assert (own, after) == (0, 0)
    assert childs == "1"
    assert rows == repr([b"child", b"parent"])


def test_a_child_that_outlives_its_parent_keeps_nothing_of_it(embedded: World) -> None:
    parent, other = embedded.nodes(2)
    parent.begin(deeds.leave_a_child_behind, "key")
    slot, child = parent.hear()
    assert list(other.run(deeds.rows, "left").values()) == [b"row"]
    parent.kill()
    try:
        assert other.run(deeds.rows, "left") == {}
        assert other.run(deeds.slot) == slot
        assert other.run(deeds.fly, "key", 0.0)[0] is True
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_bump_is_seen_by_all_within_a_second(world: World) -> None:
    nodes = world.nodes(4)
    for node in nodes:
        assert node.call("epoch", "flush") == 0
    assert nodes[0].call("bump", "flush") == 1
    assert nodes[0].call("epoch", "flush") == 1
    for node in nodes:
        eventually(lambda node=node: node.call("epoch", "flush") == 1, seconds=1, what="the epoch")  # type: ignore[misc]
    assert nodes[0].call("epoch", "another") == 0


def test_concurrent_bumps_of_eight_processes_are_all_counted(world: World) -> None:
    nodes = world.nodes(8)
    times = counts(200, 2000)
    for node in nodes:
        node.begin(deeds.bump_often, "hot", times)
    answers = [epoch for node in nodes for epoch in node.result()]
    assert sorted(answers) == list(range(1, 8 * times + 1))
    assert nodes[0].call("bump", "hot") == 8 * times + 1


def test_epochs_and_documents_outlive_all_processes(world: World) -> None:
    nodes = world.nodes(3)
    epoch = max(epoch for node in nodes for epoch in node.run(deeds.bump_often, "kept", 5))
    nodes[1].call("share", "mode", b"forced open")
    for node in nodes:
        node.kill()
    again = world.node(machine=0)
    assert again.call("epoch", "kept") == epoch == 15
    assert again.call("shared", "mode") == b"forced open"


def test_documents_are_read_by_all_replaced_and_removed(world: World) -> None:
    first, second, third = world.nodes(3)

    def all_read(document: bytes | None) -> bool:
        return all(node.call("shared", "mode") == document for node in (first, second, third))

    assert all_read(None)
    for node, document in ((first, b"one"), (second, b""), (third, bytes(range(256)) * 256), (first, None)):
        node.call("share", "mode", document)
        assert node.call("shared", "mode") == document
        eventually(lambda document=document: all_read(document), seconds=2, what="the document")  # type: ignore[misc]
    assert second.call("shared", "other") is None


def test_the_last_of_many_shares_is_what_all_read(world: World) -> None:
    nodes = world.nodes(4)
    for number in range(10):
        for node in nodes:
            node.call("share", "race", b"%d of %d" % (number, node.pid))
    last = b"9 of %d" % nodes[-1].pid
    eventually(lambda: all(node.call("shared", "race") == last for node in nodes), seconds=2)


@pytest.mark.parametrize("verb", ["share", "publish"])
def test_more_than_64_kb_is_refused(world: World, verb: str) -> None:
    node = world.node()
    node.call(verb, "large", b"x" * LARGEST)
    with pytest.raises(NodeFailed, match="ValueError"):
        node.call(verb, "large", b"x" * (LARGEST + 1))


def test_rows_are_those_of_the_living_and_each_has_one(world: World) -> None:
    nodes = world.nodes(4)

    def eventually_all_see(*expected: bytes) -> None:
        eventually(
            lambda: all(sorted(node.run(deeds.rows, "calls").values()) == sorted(expected) for node in alive),
            seconds=5,
            what=f"rows {expected}",
        )

    alive = nodes[:]
    eventually_all_see()
    for number, node in enumerate(nodes):
        node.call("publish", "calls", b"old")
        node.call("publish", "calls", b"%d" % number)
        assert b"%d" % number in node.run(deeds.rows, "calls").values()
    eventually_all_see(b"0", b"1", b"2", b"3")
    assert nodes[0].run(deeds.rows, "other") == {}
    nodes[1].kill()
    alive.remove(nodes[1])
    eventually_all_see(b"0", b"2", b"3")
    nodes[2].call("close")
    alive.remove(nodes[2])
    eventually_all_see(b"0", b"3")


def test_a_new_process_does_not_take_over_the_row_of_the_dead_one_in_its_slot(world: World) -> None:
    watcher, victim = world.nodes(2, machine=0)
    watcher.run(deeds.slot)
    victim.call("publish", "calls", b"of the dead")
    slot = victim.run(deeds.slot)
    victim.kill()
    heir = world.node(machine=0)
    assert heir.run(deeds.slot) == slot
    heir.call("publish", "another", b"of the heir")
    eventually(lambda: watcher.run(deeds.rows, "calls") == {}, seconds=5)
    assert list(watcher.run(deeds.rows, "another").values()) == [b"of the heir"]


def test_a_row_is_never_read_torn(world: World) -> None:
    writers, readers = world.nodes(2), world.nodes(2)
    for reader in readers:
        reader.begin(deeds.read_different_rows, "torn", counts(100, 200))
    for writer in writers:
        writer.begin(deeds.publish_until_told, "torn", counts(300, 3000))
    assert [reader.result() for reader in readers] == [0, 0]
    for writer in writers:
        writer.say("stop")
        writer.result()


def rounds_of(world: World, folder: Path, deed: object, *, processes: int, rounds: int) -> list[int]:
    """How often each round's work was done."""
    nodes = world.nodes(processes)
    assert callable(deed)
    for node in nodes:
        node.begin(deed, folder, 4, rounds)
    for number in range(rounds):
        assert [node.hear() for node in nodes] == [number] * processes
        for node in nodes:
            node.say("go")
    assert [wrong for node in nodes for wrong in node.result()] == []
    names = [path.name for path in folder.iterdir()]
    return [sum(name.startswith(f"work-{number}-") for name in names) for number in range(rounds)]


def test_the_work_of_a_round_is_done_once_by_16_processes_of_4_threads(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "rounds"
    folder.mkdir()
    rounds = counts(10, 100)
    assert rounds_of(world, folder, deeds.work_rounds, processes=16, rounds=rounds) == [1] * rounds


def test_when_the_leader_is_killed_the_next_one_leads_and_the_others_wait_for_it(world: World) -> None:
    dead, *waiting = world.nodes(4)
    dead.begin(deeds.lead, "key")
    assert dead.hear() is True
    for node in waiting:
        node.begin(deeds.fly, "key", 30.0)
    dead.kill()
    led = [node.result()[0] for node in waiting]
    assert led.count(True) >= 1
    assert waiting[0].run(deeds.fly, "key", 0.0)[0] is True


def test_a_wait_ends_when_its_time_is_up_and_when_the_leader_leaves(world: World) -> None:
    leader, impatient, patient = world.nodes(3)
    leader.begin(deeds.lead, "key")
    assert leader.hear() is True
    leads, seconds = impatient.run(deeds.fly, "key", 0.2)
    assert leads is False
    assert 0.2 <= seconds < 20
    assert impatient.run(deeds.fly, "another key", 0.0)[0] is True
    patient.begin(deeds.fly_as_told, "key", 60.0)
    assert patient.hear() == "begins"
    assert impatient.run(deeds.fly, "key", 0.5)[0] is False  # by now the patient one waits
    leader.say("leave")
    assert leader.result() is True
    assert patient.result()[0] is False
    assert patient.run(deeds.fly, "key", 0.0)[0] is True


def test_a_leader_that_raises_has_left(world: World) -> None:
    node, other = world.nodes(2)
    assert node.run(deeds.raise_in_flight, "key") == "in flight"
    assert other.run(deeds.fly, "key", 0.0)[0] is True
    assert node.run(deeds.fly, "key", 0.0)[0] is True


def test_a_child_that_is_forked_in_flight_neither_leads_nor_ends_it(embedded: World) -> None:
    leader, other = embedded.nodes(2)
    leader.begin(deeds.flight_around_a_fork, "key")
    assert leader.hear() == "False"
    assert other.run(deeds.fly, "key", 0.0)[0] is False
    leader.say("leave")
    leader.result()
    assert other.run(deeds.fly, "key", 0.0)[0] is True


def test_a_control_without_the_lock_loses_bumps(embedded: World) -> None:
    nodes = embedded.nodes(4)
    times = 20_000
    for node in nodes:
        node.begin(deeds.bump_often_without_lock, "hot", times)
    for node in nodes:
        node.result()
    assert nodes[0].call("epoch", "hot") < 4 * times


def test_a_control_without_the_lock_does_the_work_more_than_once(embedded: World, tmp_path: Path) -> None:
    folder = tmp_path / "rounds"
    folder.mkdir()
    done = rounds_of(embedded, folder, deeds.work_rounds_without_lock, processes=8, rounds=5)
    assert max(done) > 1


def test_a_frozen_process_keeps_its_slot_and_stops_nobody(embedded: World) -> None:
    frozen, other = embedded.nodes(2)
    assert [frozen.run(deeds.slot), other.run(deeds.slot)] == [0, 1]
    frozen.begin(deeds.bump_often, "hot", 1_000_000)
    eventually(lambda: other.call("epoch", "hot") > 0)
    os.kill(frozen.pid, signal.SIGSTOP)
    assert other.run(deeds.every_verb, 5)[0] < 5
    assert embedded.node().run(deeds.slot) == 2
