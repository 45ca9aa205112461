"""The system as a whole over HTTP: its mode, its services, its jobs."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest

from admin_service.actions.system import ModeWatch
from admin_service.domain.modes import Mode
from tests.http.admin.desk import Desk, Reply, pointers, refusal
from tests.http.admin.sending import upload
from tests.unit.admin.files import picture


def set_mode(desk: Desk, mode: Any, version: int = 0, **more: Any) -> Reply:
    body = {"mode": mode, "reason": "Moving house", **more}
    return desk.call("PUT", "/system/mode", body, role="operator", headers={"If-Match": f'"{version}"'})


@pytest.fixture
def quick(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Writes look at the mode each time, not once a second."""
    monkeypatch.setattr(ModeWatch, "mode", lambda self, ports: ports.store.config.mode().mode)
    return desk


def test_the_mode_is_changed_with_a_reason_and_noted(desk: Desk) -> None:
    shown = desk.call("GET", "/system/mode", role="operator")
    assert (shown.json["mode"], shown.headers["ETag"]) == ("normal", '"0"')
    changed = set_mode(desk, "maintenance")
    assert (changed.status_code, changed.json["mode"], changed.json["version"]) == (200, "maintenance", 1)
    (entry,) = desk.call("GET", "/audit?action=system", role="platform_admin").json["data"]
    assert (entry["before"]["mode"], entry["after"]["mode"]) == ("normal", "maintenance")
    assert refusal(set_mode(desk, "normal")) == (412, "VERSION_CONFLICT")
    assert set_mode(desk, "normal", 1).json["mode"] == "normal"


@pytest.mark.parametrize(
    "body, pointer",
    [
        ({"mode": "off"}, ("/mode", "NOT_A_CHOICE")),
        ({"mode": 1}, ("/mode", "WRONG_TYPE")),
        ({"mode": None}, ("/mode", "REQUIRED")),
        ({"mode": "normal", "reason": ""}, ("/reason", "TOO_SHORT")),
        ({"mode": "normal", "until": "x"}, ("/until", "UNKNOWN_FIELD")),
    ],
)
def test_a_mode_that_is_none_is_refused(desk: Desk, body: dict[str, Any], pointer: tuple[str, str]) -> None:
    answer = set_mode(desk, **body)
    assert (answer.status_code, pointers(answer)) == (422, [pointer])


def test_in_read_only_every_write_is_refused_and_every_read_answered(quick: Desk) -> None:
    desk = quick
    set_mode(desk, "read_only")
    refused = upload(desk, ("a.jpg", picture()))
    assert refusal(refused) == (503, "READ_ONLY")
    assert refused.headers["Retry-After"] == "30"
    body = {"values": {"sales.bookingFee": 1}}
    headers = {"If-Match": '"0"'}
    assert refusal(desk.call("PATCH", "/config", body, role="platform_admin", headers=headers))[0] == 503
    assert refusal(desk.call("DELETE", f"/media/{uuid.uuid4()}", role="editor"))[0] == 503
    for path in ("/media", "/config", "/system/jobs"):
        assert desk.call("GET", path, role="operator" if path != "/media" else "editor").status_code == 200
    assert desk.call("GET", "/api/platform/config").status_code == 200
    assert desk.call("POST", "/monitoring/metrics/reset", role="operator").status_code == 200
    assert set_mode(desk, "normal", 1).status_code == 200
    assert upload(desk, ("a.jpg", picture())).status_code == 201


def test_in_maintenance_staff_goes_on(quick: Desk) -> None:
    set_mode(quick, "maintenance")
    assert upload(quick, ("a.jpg", picture())).status_code == 201


def test_the_mode_is_read_at_most_once_in_a_while(desk: Desk) -> None:
    now = [0.0]
    watch = ModeWatch(1.0, monotonic=lambda: now[0])
    assert watch.mode(desk.ports) is Mode.NORMAL
    set_mode(desk, "read_only")
    now[0] = 0.9
    assert watch.mode(desk.ports) is Mode.NORMAL
    now[0] = 1.0
    assert watch.mode(desk.ports) is Mode.READ_ONLY


def test_services_are_shown_also_when_they_do_not_answer(desk: Desk) -> None:
    services = desk.call("GET", "/system/services", role="operator").json["data"]
    assert [(each["name"], each["status"]) for each in services][1:] == [("ticketing", "unreachable")]
    assert services[0]["name"] == "admin"
    assert services[0]["version"]


def test_jobs_that_were_given_up_are_shown_and_tried_again(any_desk: Desk) -> None:
    desk = any_desk
    outbox = desk.ports.store.outbox
    for _ in range(3):
        outbox.add("media-delete", {"mediaId": str(uuid.uuid4())}, desk.clock.now)
    first, second, _ = outbox.claim(desk.clock.now, desk.clock.now + timedelta(seconds=30), 3)
    outbox.failed(first.id, "the disk is gone", None)
    outbox.failed(second.id, "the disk is gone, too", None)
    work = desk.call("GET", "/system/jobs", role="operator").json
    assert work["kinds"] == [{"kind": "media-delete", "waiting": 1, "givenUp": 2}]
    assert work["heartbeatAt"] is None
    listed = desk.call("GET", "/system/jobs/given-up?limit=1", role="operator").json
    rest = desk.call("GET", f"/system/jobs/given-up?cursor={listed['nextCursor']}", role="operator").json
    assert [each["id"] for each in listed["data"] + rest["data"]] == [str(second.id), str(first.id)]
    assert rest["data"][0]["error"] == "the disk is gone"
    path = f"/system/jobs/{first.id}/retry"
    assert desk.call("POST", path, role="operator").status_code == 204
    assert refusal(desk.call("POST", path, role="operator")) == (404, "JOB_NOT_FOUND")
    assert [task.id for task in outbox.claim(desk.clock.now, desk.clock.now, 9)] == [first.id]
    assert len(desk.call("GET", "/audit?action=system.retry", role="platform_admin").json["data"]) == 1
