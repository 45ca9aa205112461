"""The second factor: set up, asked for, lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from admin_service.app import create_app
from admin_service.domain.second_factor import code_at
from common.auth.sealing import SealBroken
from common.settings import load
from tests.http.admin.desk import Desk, Reply, refusal
from tests.http.admin.people import PASSWORD, enrolled, login, person, signed_in, tokens_of


def step(answer: Reply) -> tuple[str, str]:
    """What is still needed, and the token that leads there."""
    assert answer.status_code == 200, answer.json
    assert "accessToken" not in answer.json
    return answer.json["step"], answer.json["stepToken"]


def finish(desk: Desk, token: str, **how: str) -> Reply:
    return desk.call("POST", "/auth/mfa", {"stepToken": token, "refreshTokenIn": "body", **how})


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Desk]:
    """Administrators need a second factor here."""
    made = Desk(tmp_path, f"sqlite:///{tmp_path / 'store.db'}", MFA_REQUIRED_FOR="platform_admin")
    yield made
    made.close()


def test_a_code_is_asked_for_once_there_is_a_second_factor(any_desk: Desk) -> None:
    desk = any_desk
    user = person(desk, "editor")
    secret, _ = enrolled(desk, signed_in(desk).access)
    kind, token = step(login(desk))
    assert kind == "code"
    # the step is no sign-in
    assert refusal(desk.call("GET", "/auth/me", token=token)) == (401, "TOKEN_INVALID")
    desk.clock.move(seconds=30)
    tokens = tokens_of(finish(desk, token, code=code_at(secret, desk.clock.now)))
    me = desk.call("GET", "/auth/me", token=tokens.access).json
    assert (me["user"]["secondFactor"], me["recoveryCodesLeft"]) == (True, 10)
    stored = desk.ports.store.users.get(user.id)
    assert stored is not None
    assert secret not in repr(stored)


def test_a_code_is_good_once_and_for_a_minute_and_a_half(desk: Desk) -> None:
    person(desk, "editor")
    secret, _ = enrolled(desk, signed_in(desk).access)
    # the code that confirmed the enrolment is used up
    now_code = code_at(secret, desk.clock.now)
    assert refusal(finish(desk, step(login(desk))[1], code=now_code)) == (401, "CODE_REFUSED")
    desk.clock.move(minutes=2)
    code = code_at(secret, desk.clock.now)
    tokens_of(finish(desk, step(login(desk))[1], code=code))
    assert refusal(finish(desk, step(login(desk))[1], code=code)) == (401, "CODE_REFUSED")
    desk.clock.move(minutes=2)
    before, after = desk.clock.now, desk.clock.now
    old = code_at(secret, before)
    desk.clock.move(seconds=30)
    tokens_of(finish(desk, step(login(desk))[1], code=old))
    desk.clock.move(seconds=31)
    older = code_at(secret, after)
    assert refusal(finish(desk, step(login(desk))[1], code=older)) == (401, "CODE_REFUSED")


def test_wrong_codes_count_like_wrong_passwords(desk: Desk) -> None:
    person(desk, "editor")
    secret, _ = enrolled(desk, signed_in(desk).access)
    desk.clock.move(minutes=1)
    _, token = step(login(desk))
    wrong = "000000" if code_at(secret, desk.clock.now) != "000000" else "000001"
    for _ in range(5):
        assert refusal(finish(desk, token, code=wrong)) == (401, "CODE_REFUSED")
    right = code_at(secret, desk.clock.now)
    assert refusal(finish(desk, token, code=right)) == (423, "ACCOUNT_LOCKED")
    assert refusal(login(desk)) == (423, "ACCOUNT_LOCKED")


def test_asking_for_the_code_again_and_again_locks_nobody(desk: Desk) -> None:
    person(desk, "editor")
    enrolled(desk, signed_in(desk).access)
    for _ in range(8):
        step(login(desk))


def test_a_step_ends_after_five_minutes_and_leads_nowhere_else(strict: Desk) -> None:
    desk = strict
    person(desk, "editor")
    person(desk, "platform_admin", email="root@example.org")
    secret, _ = enrolled(desk, signed_in(desk).access)
    _, code_step = step(login(desk))
    kind, enrol_step = step(login(desk, "root@example.org"))
    assert kind == "enrolment"
    # neither step does the other's work: no new second factor without a code of the old one
    answer = desk.call("POST", "/auth/mfa/enrol", {"stepToken": code_step})
    assert refusal(answer) == (401, "SIGN_IN_STEP_ENDED")
    answer = finish(desk, enrol_step, code="123456")
    assert refusal(answer) == (401, "SIGN_IN_STEP_ENDED")
    desk.clock.move(minutes=5)
    late = finish(desk, code_step, code=code_at(secret, desk.clock.now))
    assert refusal(late) == (401, "SIGN_IN_STEP_ENDED")


def test_who_must_have_a_second_factor_sets_it_up_before_anything_else(strict: Desk) -> None:
    desk = strict
    person(desk, "platform_admin")
    kind, token = step(login(desk))
    assert kind == "enrolment"
    enrolment = desk.call("POST", "/auth/mfa/enrol", {"stepToken": token}).json
    assert enrolment["uri"].startswith("otpauth://totp/")
    assert refusal(desk.call("POST", "/auth/mfa/confirm", {"stepToken": token, "code": "000000"})) == (
        401,
        "CODE_REFUSED",
    )
    body = {
        "stepToken": token,
        "code": code_at(enrolment["secret"], desk.clock.now),
        "refreshTokenIn": "body",
    }
    answer = desk.call("POST", "/auth/mfa/confirm", body)
    assert len(answer.json["recoveryCodes"]) == 10
    tokens = tokens_of(answer)
    assert desk.call("GET", "/users", token=tokens.access).status_code == 200
    body = {"password": PASSWORD}
    answer = desk.call("POST", "/auth/mfa/disable", body, token=tokens.access)
    assert refusal(answer) == (409, "SECOND_FACTOR_NEEDED")


def test_without_a_step_or_a_session_nothing_is_set_up(desk: Desk) -> None:
    sent = {"password": PASSWORD}
    assert refusal(desk.call("POST", "/auth/mfa/enrol", sent)) == (401, "UNAUTHENTICATED")
    assert refusal(desk.call("POST", "/auth/mfa/confirm", {"code": "123456"})) == (401, "UNAUTHENTICATED")
    person(desk, "editor")
    access = signed_in(desk).access
    answer = desk.call("POST", "/auth/mfa/confirm", {"code": "123456"}, token=access)
    assert refusal(answer) == (409, "SECOND_FACTOR_ABSENT")


def test_an_enrolment_that_is_not_confirmed_changes_nothing(desk: Desk) -> None:
    person(desk, "editor")
    access = signed_in(desk).access
    secret, _ = enrolled(desk, access)
    answer = desk.call("POST", "/auth/mfa/enrol", {"password": PASSWORD}, token=access)
    assert answer.status_code == 200
    desk.clock.move(minutes=1)
    tokens_of(finish(desk, step(login(desk))[1], code=code_at(secret, desk.clock.now)))


@pytest.mark.parametrize("there_is_one", [False, True])
def test_a_stolen_session_sets_up_no_second_factor(desk: Desk, there_is_one: bool) -> None:
    user = person(desk, "editor")
    access = signed_in(desk).access
    if there_is_one:
        enrolled(desk, access)
    before = desk.ports.store.users.get(user.id)
    for body, code in (
        ({}, (422, "VALIDATION_FAILED")),
        ({"password": "a guess"}, (403, "PASSWORD_WRONG")),
        ({"password": PASSWORD, "stepToken": "x"}, (422, "VALIDATION_FAILED")),
    ):
        assert refusal(desk.call("POST", "/auth/mfa/enrol", body, token=access)) == code
    assert desk.ports.store.users.get(user.id) == before


def test_a_recovery_code_helps_once(any_desk: Desk) -> None:
    desk = any_desk
    person(desk, "editor")
    access = signed_in(desk).access
    _, codes = enrolled(desk, access)
    typed = f" {codes[3].upper()} "
    tokens_of(finish(desk, step(login(desk))[1], recoveryCode=typed))
    assert refusal(finish(desk, step(login(desk))[1], recoveryCode=typed)) == (401, "CODE_REFUSED")
    tokens_of(finish(desk, step(login(desk))[1], recoveryCode=codes[4]))
    assert desk.call("GET", "/auth/me", token=access).json["recoveryCodesLeft"] == 8
    body = {"password": PASSWORD}
    new = desk.call("POST", "/auth/mfa/recovery-codes", body, token=access).json["recoveryCodes"]
    assert len(new) == 10
    assert set(new).isdisjoint(codes)
    assert refusal(finish(desk, step(login(desk))[1], recoveryCode=codes[5])) == (401, "CODE_REFUSED")


def test_giving_it_up_needs_the_password(desk: Desk) -> None:
    person(desk, "editor")
    access = signed_in(desk).access
    body = {"password": PASSWORD}
    answer = desk.call("POST", "/auth/mfa/disable", body, token=access)
    assert refusal(answer) == (409, "SECOND_FACTOR_ABSENT")
    enrolled(desk, access)
    answer = desk.call("POST", "/auth/mfa/disable", {"password": "not this one"}, token=access)
    assert refusal(answer) == (403, "PASSWORD_WRONG")
    assert desk.call("POST", "/auth/mfa/disable", body, token=access).status_code == 204
    tokens_of(login(desk))


def test_an_administrator_takes_a_lost_one_away(desk: Desk) -> None:
    user = person(desk, "editor")
    enrolled(desk, signed_in(desk).access)
    assert desk.call("DELETE", f"/users/{user.id}/mfa", role="platform_admin").status_code == 204
    tokens_of(login(desk))


def test_a_sealed_secret_opens_for_its_user_alone(desk: Desk) -> None:
    sealed = desk.ports.sealing.seal("JBSWY3DPEHPK3PXP", "ann")
    assert desk.ports.sealing.open(sealed, "ann") == "JBSWY3DPEHPK3PXP"
    other = "A" if sealed[20] != "A" else "B"
    for text, owner in ((sealed, "bob"), (sealed[:20] + other + sealed[21:], "ann"), ("x.y", "ann")):
        with pytest.raises(SealBroken):
            desk.ports.sealing.open(text, owner)


def test_a_role_that_is_none_ends_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = load("admin", {"DATA_DIR": str(tmp_path), "MFA_REQUIRED_FOR": "platfrom_admin"})
    with pytest.raises(SystemExit):
        create_app(settings)
    assert capsys.readouterr().err == "MFA_REQUIRED_FOR: there is no role platfrom_admin\n"
