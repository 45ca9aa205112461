"""The configuration over HTTP: who sets it, who reads it, and what it was."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from admin_service.domain.configuration import KEYS
from common.auth.service_tokens import ServiceTokens
from common.auth.shared_key import service_secrets
from tests.http.admin.desk import PLATFORM, Desk, Reply, pointers, refusal
from tests.http.admin.people import login, person
from tests.http.admin.sending import uploaded

PUBLIC = f"{PLATFORM}/config"


def change(desk: Desk, values: Any, revision: int = 0, **more: Any) -> Reply:
    role = more.pop("role", "platform_admin")
    headers = {"If-Match": f'"{revision}"', **more.pop("headers", {})}
    return desk.call("PATCH", "/config", {"values": values, **more}, role=role, headers=headers)


def value(desk: Desk, key: str) -> Any:
    shown = desk.call("GET", "/config", role="operator").json["values"]
    (found,) = (each for each in shown if each["key"] == key)
    return found


def service_token(desk: Desk, audience: str = "admin") -> str:
    return ServiceTokens(service_secrets(desk.settings), desk.clock).issue("ticketing", audience)


def test_every_key_is_told_with_its_limits(desk: Desk) -> None:
    answer = desk.call("GET", "/config", role="editor")
    assert answer.headers["ETag"] == '"0"'
    assert [each["key"] for each in answer.json["values"]] == list(KEYS)
    fee = value(desk, "sales.bookingFee")
    assert fee == {
        "key": "sales.bookingFee",
        "type": "integer",
        "value": 250,
        "default": 250,
        "isDefault": True,
        "public": True,
        "unit": "minor units",
        "description": "What is added to each booking.",
        "limits": {"minimum": 0, "maximum": 100000},
    }


def test_a_change_holds_at_once_everywhere(any_desk: Desk) -> None:
    desk = any_desk
    before = desk.call("GET", PUBLIC)
    assert before.json["sales"]["bookingFee"] == 250
    changed = change(desk, {"sales.bookingFee": 300, "brand.name": "Delft"}, reason="Season")
    assert (changed.status_code, changed.headers["ETag"], changed.json["revision"]) == (200, '"1"', 1)
    assert value(desk, "sales.bookingFee")["isDefault"] is False
    after = desk.call("GET", PUBLIC)
    assert (after.json["sales"]["bookingFee"], after.json["brand"]["name"]) == (300, "Delft")
    assert after.headers["ETag"] != before.headers["ETag"]
    metrics = desk.call("GET", "/monitoring/metrics").json["config"]["updates"]
    assert metrics == {"sales.bookingFee": 1, "brand.name": 1}


def test_the_public_part_is_kept_and_asked_for_again(desk: Desk) -> None:
    first = desk.call("GET", PUBLIC)
    again = desk.call("GET", PUBLIC, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert "public" in first.headers["Cache-Control"]
    assert "commissionBasisPoints" not in first.json["sales"]
    assert set(first.json) == {"sales", "brand", "languages"}
    assert refusal(desk.call("GET", f"{PUBLIC}?all=true")) == (422, "VALIDATION_FAILED")


@pytest.mark.parametrize(
    "values, pointer",
    [
        ({"sales.bookingfee": 1}, ("/values/sales.bookingfee", "UNKNOWN_FIELD")),
        ({"a/b~c": 1}, ("/values/a~1b~0c", "UNKNOWN_FIELD")),
        ({"__class__": 1}, ("/values/__class__", "UNKNOWN_FIELD")),
        ({"unknown": None}, ("/values/unknown", "UNKNOWN_FIELD")),
        ({"sales.bookingFee": "300"}, ("/values/sales.bookingFee", "WRONG_TYPE")),
        ({"sales.bookingFee": {"$gt": 0}}, ("/values/sales.bookingFee", "WRONG_TYPE")),
        ({"sales.bookingFee": -1}, ("/values/sales.bookingFee", "OUT_OF_RANGE")),
        ({"sales.holdMinutes": True}, ("/values/sales.holdMinutes", "WRONG_TYPE")),
        ({"brand.claim": {"en": 5}}, ("/values/brand.claim/en", "WRONG_TYPE")),
        ({"languages.offered": ["en", "xx"]}, ("/values/languages.offered/1", "NOT_A_CHOICE")),
        (
            {"sales.refundPolicy": [{"hoursBefore": 1, "percent": 0}]},
            ("/values/sales.refundPolicy/0/percent", "OUT_OF_RANGE"),
        ),
        ({"sales.maxUnitsPerItem": 90}, ("/values/sales.maxUnitsPerItem", "CONFIG_CONTRADICTION")),
        ({"languages.offered": ["de"]}, ("/values/languages.default", "CONFIG_CONTRADICTION")),
        ({"brand.logo": str(uuid.UUID(int=7))}, ("/values/brand.logo", "UNKNOWN_MEDIA")),
        ({}, ("/values", "TOO_SHORT")),
        ([], ("/values", "WRONG_TYPE")),
        ("all", ("/values", "WRONG_TYPE")),
        (None, ("/values", "REQUIRED")),
    ],
)
def test_what_cannot_be_changes_nothing(desk: Desk, values: Any, pointer: tuple[str, str]) -> None:
    whole = {"sales.holdMinutes": 20, **values} if isinstance(values, dict) and values else values
    answer = change(desk, whole)
    assert answer.status_code == 422
    assert pointers(answer) == [pointer]
    assert desk.call("GET", "/config", role="editor").json["revision"] == 0
    assert value(desk, "sales.holdMinutes")["value"] == (20 if values == {"sales.holdMinutes": 20} else 15)


def test_all_faults_are_told_at_once(desk: Desk) -> None:
    answer = change(desk, {"sales.bookingFee": "x", "nothing": 1, "brand.name": "ok"})
    assert {pointer for pointer, _ in pointers(answer)} == {"/values/sales.bookingFee", "/values/nothing"}


def test_a_change_names_the_revision_that_it_was_made_from(desk: Desk) -> None:
    assert change(desk, {"sales.bookingFee": 300}).status_code == 200
    stale = change(desk, {"sales.bookingFee": 400})
    assert refusal(stale) == (412, "VERSION_CONFLICT")
    assert stale.json["version"] == 1
    body = {"values": {"sales.bookingFee": 1}}
    missing = desk.call("PATCH", "/config", body, role="platform_admin")
    assert refusal(missing) == (428, "PRECONDITION_REQUIRED")


def test_a_repetition_under_its_key_changes_once(desk: Desk) -> None:
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    first = change(desk, {"sales.bookingFee": 300}, headers=headers)
    again = change(desk, {"sales.bookingFee": 300}, headers=headers)
    assert (again.status_code, again.data, again.headers["ETag"]) == (200, first.data, '"1"')


def test_what_was_is_kept_and_can_be_had_again(any_desk: Desk) -> None:
    desk = any_desk
    admin = desk.token("platform_admin", subject=str(uuid.UUID(int=5)))
    change(desk, {"sales.bookingFee": 300, "sales.holdMinutes": 20}, 0, reason="Season")
    change(desk, {"sales.bookingFee": None}, 1)
    history = desk.call("GET", "/config/history?limit=1", role="editor").json
    assert history["data"][0]["changes"] == [{"key": "sales.bookingFee", "before": 300, "after": 250}]
    rest = desk.call("GET", f"/config/history?cursor={history['nextCursor']}", role="editor").json
    (first,) = rest["data"]
    assert (first["revision"], first["reason"]) == (1, "Season")
    assert {each["key"]: each["after"] for each in first["changes"]} == {
        "sales.bookingFee": 300,
        "sales.holdMinutes": 20,
    }
    body = {"revision": 1, "reason": "Too cheap"}
    back = desk.call("POST", "/config/rollback", body, token=admin, headers={"If-Match": '"2"'})
    assert (back.status_code, back.json["revision"]) == (200, 3)
    assert value(desk, "sales.bookingFee")["value"] == 300
    assert desk.call("GET", PUBLIC).json["sales"]["bookingFee"] == 300
    none = desk.call("POST", "/config/rollback", {"revision": 0}, token=admin, headers={"If-Match": '"3"'})
    assert none.json["revision"] == 4
    assert value(desk, "sales.holdMinutes")["value"] == 15
    audit = desk.call("GET", "/audit?action=config.rollback", role="platform_admin").json["data"]
    assert [entry["before"] for entry in audit] == [
        {"sales.bookingFee": 300, "sales.holdMinutes": 20},
        {"sales.bookingFee": 250},
    ]


@pytest.mark.parametrize(
    "body, status",
    [
        ({"revision": 9}, 404),
        ({"revision": -1}, 422),
        ({"revision": "1"}, 422),
        ({"revision": 2**40}, 422),
        ({}, 422),
    ],
)
def test_a_revision_that_is_not_there_cannot_be_had(desk: Desk, body: Any, status: int) -> None:
    answer = desk.call("POST", "/config/rollback", body, role="platform_admin", headers={"If-Match": '"0"'})
    assert answer.status_code == status


def test_the_logo_is_a_picture_of_ours_and_stays_while_it_is_shown(desk: Desk) -> None:
    media = uploaded(desk)
    assert change(desk, {"brand.logo": media["id"]}).status_code == 200
    refused = desk.call("DELETE", f"/media/{media['id']}", role="editor")
    assert refused.json["uses"] == [{"kind": "config", "id": "brand.logo"}]
    assert change(desk, {"brand.logo": None}, 1).status_code == 200
    assert desk.call("DELETE", f"/media/{media['id']}", role="editor").status_code == 204


def test_ticketing_reads_all_keys_and_the_mode(desk: Desk) -> None:
    change(desk, {"sales.commissionBasisPoints": 900})
    followed = desk.call("GET", "/internal/configuration", token=service_token(desk))
    assert followed.status_code == 200
    assert followed.json["values"].keys() == KEYS.keys()
    assert followed.json["values"]["sales.commissionBasisPoints"] == 900
    assert (followed.json["revision"], followed.json["mode"]) == (1, "normal")


def test_nobody_else_reads_what_is_for_services(desk: Desk) -> None:
    path = "/internal/configuration"
    assert refusal(desk.call("GET", path)) == (401, "UNAUTHENTICATED")
    assert refusal(desk.call("GET", path, role="editor")) == (403, "FORBIDDEN")
    other = service_token(desk, "ticketing")
    assert refusal(desk.call("GET", path, token=other)) == (401, "TOKEN_INVALID")
    old = service_token(desk)
    desk.clock.move(minutes=6)
    assert refusal(desk.call("GET", path, token=old)) == (401, "TOKEN_INVALID")
    assert refusal(desk.call("GET", "/config", token=service_token(desk))) == (403, "FORBIDDEN")


def test_a_reader_does_not_write(desk: Desk) -> None:
    for role in ("editor", "operator", "finance"):
        assert refusal(change(desk, {"sales.bookingFee": 1}, role=role)) == (403, "FORBIDDEN")


def test_administrators_need_a_second_factor_once_that_is_configured(desk: Desk) -> None:
    person(desk, "platform_admin", email="root@example.org")
    person(desk, "editor")
    assert "accessToken" in login(desk, "root@example.org").json
    assert change(desk, {"signIn.mfaRequiredForAdmins": True}).status_code == 200
    step = login(desk, "root@example.org")
    assert "accessToken" not in step.json
    assert "accessToken" in login(desk).json  # an editor need not
