"""Choosing and changing passwords, with and without mail."""

from __future__ import annotations

import email
import email.policy
import re
from pathlib import Path

import pytest

from admin_service.domain.audit import Origin
from admin_service.domain.users import User
from admin_service.tasks import handlers
from common.auth.passwords import Argon2Passwords
from common.outbox.port import StoredTask
from tests.http.admin.desk import Desk, Reply, pointers, refusal
from tests.http.admin.people import (
    OTHER_PASSWORD,
    PASSWORD,
    enrolled,
    login,
    person,
    refreshed,
    signed_in,
)

ACCENTED, DECOMPOSED = "café au lait à Gand", "cafe\u0301 au lait a\u0300 Gand"


def work(desk: Desk) -> list[StoredTask]:
    """Carry out what the outbox holds, as the worker does."""
    tasks = desk.ports.store.outbox.claim(desk.clock.now, desk.clock.now, 100)
    for task in tasks:
        handlers(desk.ports)[task.kind](task)
        desk.ports.store.outbox.done(task.id)
    return list(tasks)


def mails(desk: Desk) -> list[email.message.EmailMessage]:
    """What was sent, the oldest first."""
    found = sorted(Path(desk.settings.data_dir / "mail").glob("*.eml"))
    return [email.message_from_bytes(each.read_bytes(), policy=email.policy.default) for each in found]


def link_in(message: email.message.EmailMessage) -> str:
    """The token of the link in a mail."""
    body = message.get_body(("plain",))
    assert body is not None
    found = re.search(r"http://desk\.test:3001/admin/password#token=(\S+)", body.get_content())
    assert found is not None
    return found[1]


def choose(desk: Desk, token: str, password: str = OTHER_PASSWORD):
    return desk.call("POST", "/auth/reset", {"token": token, "newPassword": password})


def test_changing_the_password_ends_the_other_sessions(any_desk: Desk) -> None:
    desk = any_desk
    person(desk, "editor")
    mine, other = signed_in(desk), signed_in(desk)
    body = {"currentPassword": PASSWORD, "newPassword": OTHER_PASSWORD}
    assert desk.call("POST", "/auth/password", body, token=mine.access).status_code == 204
    assert desk.call("GET", "/auth/me", token=mine.access).status_code == 200
    refreshed(desk, mine)
    assert refusal(desk.call("GET", "/auth/me", token=other.access)) == (401, "TOKEN_INVALID")
    assert refusal(login(desk)) == (401, "SIGN_IN_REFUSED")
    assert login(desk, password=OTHER_PASSWORD).status_code == 200


def test_whoever_changes_a_password_knows_the_present_one(desk: Desk) -> None:
    person(desk, "editor")
    tokens = signed_in(desk)
    body = {"currentPassword": "a guess of a thief", "newPassword": OTHER_PASSWORD}
    for _ in range(5):
        assert refusal(desk.call("POST", "/auth/password", body, token=tokens.access)) == (
            403,
            "PASSWORD_WRONG",
        )
    right = {**body, "currentPassword": PASSWORD}
    answer = desk.call("POST", "/auth/password", right, token=tokens.access)
    assert refusal(answer) == (423, "ACCOUNT_LOCKED")


@pytest.mark.parametrize(
    "password, code",
    [
        ("xK9$vq2mpL4!wz", "PASSWORD_TOO_SHORT"),
        ("x" * 129, "PASSWORD_TOO_LONG"),
        ("password12345678", "PASSWORD_TOO_COMMON"),
        ("qwertyuiop123456", "PASSWORD_TOO_COMMON"),
        ("aaaaaaaaaaaaaaaa", "PASSWORD_TOO_COMMON"),
        ("abcdefgh12345678", "PASSWORD_TOO_COMMON"),
        ("P@ssw0rdP@ssw0rd", "PASSWORD_TOO_COMMON"),
        ("ann@example.org", "PASSWORD_TOO_COMMON"),
        ("ann@example.org2026!", "PASSWORD_TOO_COMMON"),
        ("AnnExample12345", "PASSWORD_TOO_COMMON"),
        ("Ann.Example.2026", "PASSWORD_TOO_COMMON"),
    ],
)
def test_what_is_short_long_or_easy_to_guess_is_refused(desk: Desk, password: str, code: str) -> None:
    person(desk, "editor")
    tokens = signed_in(desk)
    body = {"currentPassword": PASSWORD, "newPassword": password}
    answer = desk.call("POST", "/auth/password", body, token=tokens.access)
    assert refusal(answer) == (422, code)
    assert pointers(answer) == [("/newPassword", code)]
    assert desk.passwords.computed == 2, "the one that was made, and the one of the sign-in"


@pytest.mark.parametrize(
    "password",
    [
        "xK9$vq2mpL4!wz7",
        "correct horse battery staple",
        "雨の日は家で本を読むのが好きだ",
        "é" * 3 + "zq!Lw 8 vier",
        "k7" * 4 + "Qz" + "ü" * 118,
    ],
)
def test_length_and_surprise_are_all_that_is_asked(desk: Desk, password: str) -> None:
    person(desk, "editor")
    tokens = signed_in(desk)
    body = {"currentPassword": PASSWORD, "newPassword": password}
    answer = desk.call("POST", "/auth/password", body, token=tokens.access)
    assert answer.status_code == 204, answer.json
    assert login(desk, password=password).status_code == 200


def test_beside_a_second_factor_a_password_may_be_shorter_and_not_without_it(desk: Desk) -> None:
    person(desk, "editor")
    tokens = signed_in(desk)
    enrolled(desk, tokens.access)
    short = "xK9$vq2m"

    def change(current: str, new: str) -> Reply:
        body = {"currentPassword": current, "newPassword": new}
        return desk.call("POST", "/auth/password", body, token=tokens.access)

    assert refusal(change(PASSWORD, "xK9$vq2")) == (422, "PASSWORD_TOO_SHORT")
    assert refusal(change(PASSWORD, "Passw0rd")) == (422, "PASSWORD_TOO_COMMON")
    assert change(PASSWORD, short).status_code == 204
    give_up = {"password": short}
    answer = desk.call("POST", "/auth/mfa/disable", give_up, token=tokens.access)
    assert (refusal(answer), pointers(answer)) == (
        (422, "PASSWORD_TOO_SHORT"),
        [("/password", "PASSWORD_TOO_SHORT")],
    )
    assert login(desk, password=short).json["step"] == "code"
    assert change(short, OTHER_PASSWORD).status_code == 204
    answer = desk.call("POST", "/auth/mfa/disable", {"password": OTHER_PASSWORD}, token=tokens.access)
    assert answer.status_code == 204
    assert refusal(change(OTHER_PASSWORD, short)) == (422, "PASSWORD_TOO_SHORT")


def test_who_must_have_a_second_factor_may_choose_the_shorter_password_before_it_is_there(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, f"sqlite:///{tmp_path / 'store.db'}", MFA_REQUIRED_FOR="platform_admin")
    for role, status in (("platform_admin", 204), ("editor", 422)):
        address = f"{role}@example.org"
        person(desk, role, email=address, password=None)
        work(desk)
        (token,) = {link_in(each) for each in mails(desk) if address in each["To"]}
        assert choose(desk, token, "xK9$vq2m").status_code == status
    desk.close()


def test_a_password_is_the_same_however_the_keyboard_makes_its_accents(desk: Desk) -> None:
    person(desk, "editor")
    tokens = signed_in(desk)
    body = {"currentPassword": PASSWORD, "newPassword": ACCENTED}
    assert desk.call("POST", "/auth/password", body, token=tokens.access).status_code == 204
    assert ACCENTED != DECOMPOSED
    assert login(desk, password=DECOMPOSED).status_code == 200


def test_a_forgotten_password_is_chosen_anew_by_mail_once(any_desk: Desk) -> None:
    desk = any_desk
    person(desk, "editor")
    tokens = signed_in(desk)
    for _ in range(5):
        login(desk, password="wrong password")
    answer = desk.call("POST", "/auth/forgot", {"email": "Ann@Example.org"})
    assert (answer.status_code, answer.json) == (202, {"status": "accepted"})
    work(desk)
    (message,) = mails(desk)
    assert message["To"] == "Ann Example <ann@example.org>"
    token = link_in(message)
    assert choose(desk, token).status_code == 204
    assert refusal(choose(desk, token)) == (410, "LINK_ENDED")
    assert login(desk, password=OTHER_PASSWORD).status_code == 200, "the lock is gone with it"
    assert refusal(desk.call("GET", "/auth/me", token=tokens.access)) == (401, "TOKEN_INVALID")


def test_a_task_that_is_repeated_makes_a_used_link_no_better(desk: Desk) -> None:
    person(desk, "editor")
    desk.call("POST", "/auth/forgot", {"email": "ann@example.org"})
    (task,) = work(desk)
    first = link_in(mails(desk)[0])
    assert choose(desk, first).status_code == 204
    handlers(desk.ports)["mail"](task)
    (again,) = mails(desk)
    assert link_in(again) == first
    assert refusal(choose(desk, first)) == (410, "LINK_ENDED")


def test_a_link_ends_after_an_hour_and_with_the_next_password(desk: Desk) -> None:
    person(desk, "editor")
    for _ in range(2):
        desk.call("POST", "/auth/forgot", {"email": "ann@example.org"})
    work(desk)
    one, two = map(link_in, mails(desk))
    assert choose(desk, one).status_code == 204
    assert refusal(choose(desk, two)) == (410, "LINK_ENDED")
    desk.clock.move(hours=1)
    desk.call("POST", "/auth/forgot", {"email": "ann@example.org"})
    work(desk)
    late = link_in(mails(desk)[-1])
    desk.clock.move(minutes=60)
    assert refusal(choose(desk, late)) == (410, "LINK_ENDED")


def test_a_link_for_which_the_new_password_is_refused_stays_good(desk: Desk) -> None:
    person(desk, "editor")
    desk.call("POST", "/auth/forgot", {"email": "ann@example.org"})
    work(desk)
    token = link_in(mails(desk)[0])
    assert refusal(choose(desk, token, "password12345678")) == (422, "PASSWORD_TOO_COMMON")
    assert refusal(choose(desk, token, "Ann.Example.2026")) == (422, "PASSWORD_TOO_COMMON"), "it knows whose"
    assert refusal(choose(desk, token, "too short")) == (422, "PASSWORD_TOO_SHORT")
    assert choose(desk, token).status_code == 204


def test_a_link_in_the_mailbox_of_an_old_address_opens_nothing(desk: Desk) -> None:
    user = person(desk, "editor")
    desk.call("POST", "/auth/forgot", {"email": "ann@example.org"})
    work(desk)
    headers = {"If-Match": '"1"'}
    body = {"email": "new@example.org"}
    answer = desk.call("PATCH", f"/users/{user.id}", body, role="platform_admin", headers=headers)
    assert answer.status_code == 200
    assert refusal(choose(desk, link_in(mails(desk)[0]))) == (410, "LINK_ENDED")


@pytest.mark.parametrize("address", ["ann@example.org", "nobody@example.org"])
def test_mail_is_sent_three_times_an_hour_at_most_and_the_answer_is_the_same(
    desk: Desk, address: str
) -> None:
    person(desk, "editor")
    for _ in range(5):
        answer = desk.call("POST", "/auth/forgot", {"email": address})
        assert (answer.status_code, answer.json) == (202, {"status": "accepted"})
    assert desk.ports.store.outbox.depth(desk.clock.now)[0] == 3
    work(desk)
    assert len(mails(desk)) == (3 if address == "ann@example.org" else 0)
    desk.clock.move(hours=1)
    desk.call("POST", "/auth/forgot", {"email": address})
    assert desk.ports.store.outbox.depth(desk.clock.now)[0] == 1


@pytest.mark.parametrize(
    "language, subject",
    [
        ("en", "Your access to the destination's administration"),
        ("es", "Su acceso a la administración del destino"),
        ("de", "Ihr Zugang zur Verwaltung des Reiseziels"),
        ("nl", "Uw toegang tot het beheer van de bestemming"),
        ("fr", "Votre accès à l'administration de la destination"),
    ],
)
def test_an_invitation_lets_its_owner_choose_a_password(desk: Desk, language: str, subject: str) -> None:
    body = {"email": "new@example.org", "name": "Nia & Co > 'New'", "roles": ["editor"], "language": language}
    answer = desk.call("POST", "/users", body, role="platform_admin")
    assert answer.status_code == 201
    assert answer.json["hasPassword"] is False
    work(desk)
    (message,) = mails(desk)
    assert message["Subject"] == subject
    html = message.get_body(("html",))
    assert html is not None
    assert "Nia &amp; Co &gt;" in html.get_content()
    assert "Co >" not in html.get_content()
    desk.clock.move(days=6, hours=23)
    assert choose(desk, link_in(message)).status_code == 204
    assert login(desk, "new@example.org", OTHER_PASSWORD).status_code == 200


def test_a_hash_of_other_parameters_is_renewed_at_the_next_sign_in(desk: Desk) -> None:
    user = person(desk, "editor", password=None)
    old = Argon2Passwords(memory_kib=16, passes=1).hashed(PASSWORD)
    event = desk.ports.event(Origin(actor="test"), "users.password", user.id)
    desk.ports.store.users.set_password(user.id, old, None, event)
    for renewed in (True, False):
        before = stored_hash(desk, user)
        assert login(desk).status_code == 200
        assert (stored_hash(desk, user) != before) is renewed
    assert "m=8," in stored_hash(desk, user)


def stored_hash(desk: Desk, user: User) -> str:
    found = desk.ports.store.users.get(user.id)
    assert found is not None
    assert found.password_hash is not None
    return found.password_hash


def test_hashes_are_argon2id_with_the_parameters_of_owasp() -> None:
    stored = Argon2Passwords().hashed(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
