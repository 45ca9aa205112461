"""Breakers over several processes of a service: the coordination is real, time is the test's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from common.coordination.embedded import EmbeddedCoordination
from common.resilience.refusals import CircuitOpen
from common.resilience.registry import Breakers
from common.resilience.sharing import TABLE
from common.resilience.states import DATABASE_WAITS, EXTERNAL_WAITS, BreakerSpec
from tests.resilience.stage import Time, answer, break_down, succeed

SPECS = [
    BreakerSpec(name="database", timeout_seconds=2, waits=DATABASE_WAITS),
    BreakerSpec(name="payment-api", timeout_seconds=8, waits=EXTERNAL_WAITS),
]
Service = Callable[[int], list[Breakers]]


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def service(tmp_path: Path, time: Time) -> Iterator[Service]:
    ends: list[EmbeddedCoordination] = []

    def make(count: int) -> list[Breakers]:
        made = [EmbeddedCoordination(tmp_path / "shared") for _ in range(count)]
        ends.extend(made)
        return [Breakers(each, time.day, SPECS, monotonic=time, chance=lambda: 0.5) for each in made]

    yield make
    for end in ends:
        end.close()


def share(*processes: Breakers) -> None:
    """Let each publish, and each see what all have published."""
    for _ in range(2):
        for process in processes:
            process.sharing.round()


def states(processes: list[Breakers], name: str = "database") -> list[str]:
    return [process[name].state for process in processes]


def test_when_more_than_half_have_opened_the_others_open_too(service: Service):
    processes = service(3)
    succeed(processes[2]["database"], 10)
    for process in processes[:2]:
        break_down(process["database"], 10)
    share(*processes)
    assert states(processes) == ["open"] * 3
    assert states(processes, "payment-api") == ["closed"] * 3
    assert processes[2]["database"].status().events[-1].cause == "2 of 3 processes have opened"


def test_one_bad_process_of_four_opens_nobody_else(service: Service):
    processes = service(4)
    for process in processes[1:]:
        succeed(process["database"], 10)
    break_down(processes[0]["database"], 10)
    share(*processes)
    assert states(processes) == ["open", "closed", "closed", "closed"]


def test_exactly_half_is_not_enough(service: Service):
    processes = service(4)
    for process in processes[2:]:
        succeed(process["database"], 10)
    share(*processes)
    for process in processes[:2]:
        break_down(process["database"], 10)
    share(*processes)
    assert states(processes) == ["open", "open", "closed", "closed"]


def test_processes_without_ten_calls_have_no_vote(service: Service):
    processes = service(4)
    succeed(processes[2]["database"], 9)
    break_down(processes[0]["database"], 10)
    share(*processes)
    assert states(processes) == ["open"] * 4


def test_what_opened_with_the_others_is_no_evidence_itself(service: Service):
    processes = service(5)
    break_down(processes[0]["database"], 10)
    share(*processes[:3])
    assert states(processes[:3]) == ["open"] * 3
    for process in processes[3:]:
        succeed(process["database"], 10)
    share(*processes)
    assert states(processes[3:]) == ["closed"] * 2


def test_who_recovers_first_is_not_opened_again_by_who_still_waits(service: Service, time: Time):
    processes = service(3)
    for process in processes:
        break_down(process["database"], 10)
    share(*processes)
    time.pass_by(1.5)
    succeed(processes[0]["database"], 2)
    for _ in range(8):
        share(*processes)
        time.pass_by(0.5)
    assert processes[0]["database"].state == "closed"
    # What fails anew is fresh evidence.
    for process in processes[1:]:
        break_down(process["database"])
    share(*processes)
    assert processes[0]["database"].state == "open"


def test_who_opened_with_the_others_and_never_calls_closes_with_them(service: Service, time: Time):
    caller, idle = service(2)
    break_down(caller["payment-api"], 10)
    share(caller, idle)
    time.pass_by(31)
    share(caller, idle)
    assert idle["payment-api"].status().condition == "OPEN"  # the caller has not tried yet either
    succeed(caller["payment-api"], 2)
    share(caller, idle)
    assert idle["payment-api"].status().condition == "CLOSED"


def test_before_its_wait_is_over_nobody_closes_with_the_others(service: Service):
    caller, idle = service(2)
    break_down(caller["payment-api"], 10)
    share(caller, idle)
    caller["payment-api"].reset()
    share(caller, idle)
    assert idle["payment-api"].status().condition == "OPEN"


def test_a_dead_process_has_no_vote(service: Service, tmp_path: Path, time: Time):
    processes = service(2)
    succeed(processes[1]["database"], 10)
    end = EmbeddedCoordination(tmp_path / "shared")
    dying = Breakers(end, time.day, SPECS, monotonic=time)
    break_down(dying["database"], 10)
    dying.sharing.round()
    assert processes[0].open_names() == ["database"]
    end.close()
    share(*processes)
    assert states(processes) == ["closed", "closed"]
    assert processes[0].open_names() == []


def test_a_reset_reaches_every_process_and_stale_rows_do_not_undo_it(service: Service, time: Time):
    processes = service(3)
    for process in processes:
        break_down(process["database"], 10)
    share(*processes)
    processes[0].reset("database")
    assert processes[0]["database"].state == "closed"
    processes[0].sharing.round()
    assert processes[0]["database"].state == "closed"
    share(*processes)
    time.pass_by(2)
    share(*processes)
    assert states(processes) == ["closed"] * 3


def test_reset_all_closes_all(service: Service):
    one, two = service(2)
    for name in one:
        break_down(one[name], 10)
    share(one, two)
    assert two.open_names() == ["database", "payment-api"]
    two.reset_all()
    share(one, two)
    assert one.open_names() == two.open_names() == []


def test_a_mode_reaches_every_process_also_one_that_starts_later(service: Service, time: Time):
    one, two = service(2)
    until = time.day() + timedelta(minutes=5)
    one.set_mode("payment-api", "forced_open", "the bank asked for it", until)
    assert one["payment-api"].state == "open"
    two.sharing.round()
    (late,) = service(1)
    late.sharing.round()
    for process in (two, late):
        status = process["payment-api"].status()
        assert (status.mode, status.mode_reason, status.mode_until) == (
            "forced_open",
            "the bank asked for it",
            until,
        )
    assert late["database"].status().mode == "automatic"
    time.pass_by(300)
    for process in (one, two, late):
        process.sharing.round()
        assert process["payment-api"].status().mode == "automatic"
    (later,) = service(1)
    later.sharing.round()
    assert later["payment-api"].status().mode == "automatic"
    assert later["payment-api"].status().events == ()


def test_the_last_of_two_operators_is_right_everywhere(service: Service):
    one, two = service(2)
    one.set_mode("database", "forced_open")
    share(one, two)
    two.set_mode("database", "disabled")
    share(one, two)
    one.set_mode("payment-api", "disabled")
    share(one, two)
    for process in (one, two):
        assert {name: process[name].status().mode for name in process} == {
            "database": "disabled",
            "payment-api": "disabled",
        }


def test_an_old_document_does_not_undo_what_was_set_here(
    service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (process,) = service(1)
    process.set_mode("database", "disabled")
    reader = EmbeddedCoordination(tmp_path / "shared")
    old = reader.shared("breaker-mode:database")
    reader.close()
    process.set_mode("database", "forced_open")
    # What is read may be a quarter of a second old.
    monkeypatch.setattr(EmbeddedCoordination, "shared", lambda *_: old)
    process.sharing.round()
    assert process["database"].status().mode == "forced_open"


def test_another_programs_rows_and_documents_are_left_alone(service: Service, tmp_path: Path):
    (process,) = service(1)
    stranger = EmbeddedCoordination(tmp_path / "shared")
    for row in (b"not json", b'{"format": 99, "breakers": 5}', b"[]"):
        stranger.publish(TABLE, row)
        stranger.share("breaker-mode:database", row)
        process.sharing.round()
        assert process.snapshot(detailed=True)["circuitBreakers"]["database"]["state"] == "CLOSED"
    stranger.close()


def test_at_most_three_trials_over_all_processes(service: Service, time: Time):
    processes = service(5)
    for process in processes:
        break_down(process["database"], 10)
    time.pass_by(1.5)

    def inside() -> Iterator[None]:
        yield

    trials = [process["database"].call_generator(inside) for process in processes]
    entered = 0
    for trial in trials:
        try:
            next(trial)
            entered += 1
        except CircuitOpen:
            continue
    assert entered == 3
    for trial in trials:
        next(trial, None)
    succeed(processes[4]["database"], 2)
    assert processes[4]["database"].state == "closed"


def test_the_snapshot_is_one_answer_for_all_processes(service: Service, time: Time):
    processes = service(3)
    succeed(processes[0]["database"], 5)
    break_down(processes[1]["database"], 10, OSError("10.0.0.7 refused"))
    succeed(processes[2]["database"], 10)
    for process in processes:
        process.sharing.round()
    answers = [process.snapshot(detailed=False) for process in processes]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0] == {
        "timestamp": "2030-05-01T12:00:00.000Z",
        "circuitBreakers": {
            "database": {
                "name": "database",
                "state": "OPEN",
                "mode": "automatic",
                "failureRate": 0.4,
                "requestCount": 25,
                "failureCount": 10,
                "successCount": 15,
                "slowCount": 0,
                "openedAt": "2030-05-01T12:00:00.000Z",
                "nextAttemptTime": "2030-05-01T12:00:01.000Z",
            },
            "payment-api": {
                "name": "payment-api",
                "state": "CLOSED",
                "mode": "automatic",
                "failureRate": 0.0,
                "requestCount": 0,
                "failureCount": 0,
                "successCount": 0,
                "slowCount": 0,
                "openedAt": None,
                "nextAttemptTime": None,
            },
        },
    }
    assert "10.0.0.7" not in json.dumps(answers)


def test_operators_see_errors_events_reasons_and_each_process(service: Service):
    one, two = service(2)
    succeed(one["database"], 10)
    break_down(two["database"], 10, OSError("10.0.0.7 refused"))
    two.set_mode("payment-api", "disabled", "drill")
    share(one, two)
    seen = one.snapshot(detailed=True)["circuitBreakers"]
    database: dict[str, Any] = seen["database"]
    assert database["lastError"]["text"] == "OSError: 10.0.0.7 refused (0.00 s)"
    assert [(event["from"], event["to"]) for event in database["events"]] == [("CLOSED", "OPEN")]
    assert {row["state"] for row in database["processes"].values()} == {"CLOSED", "OPEN"}
    assert len(database["processes"]) == 2
    assert seen["payment-api"]["modeReason"] == "drill"


def test_rows_stay_within_what_the_coordination_takes(tmp_path: Path, time: Time):
    specs = [
        BreakerSpec(name=f"dependency-{number}", timeout_seconds=2, waits=DATABASE_WAITS)
        for number in range(12)
    ]
    end = EmbeddedCoordination(tmp_path / "shared")
    process = Breakers(end, time.day, specs, monotonic=time)
    for breaker in process.values():
        for _ in range(100):
            breaker.reset("x" * 300)
    process.sharing.round()
    (row,) = end.rows(TABLE).values()
    assert len(row) <= 64_000
    end.close()


def test_an_unknown_name_is_a_key_error(service: Service):
    (process,) = service(1)
    with pytest.raises(KeyError):
        process.reset("nobody")
    with pytest.raises(KeyError):
        process.set_mode("nobody", "disabled")
    with pytest.raises(KeyError):
        process["nobody"].call(answer)


def test_a_failing_coordination_hurts_no_call(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    (process,) = service(1)

    def broken(*_: object) -> None:
        raise OSError("gone")

    for verb in ("rows", "publish", "shared"):
        monkeypatch.setattr(EmbeddedCoordination, verb, broken)
    process.start()
    assert process["database"].call(answer) == "answer"
    break_down(process["database"], 9)
    assert process["database"].state == "open"
    process.stop()
    assert "not shared for the moment" in caplog.text
