"""Users, sessions and keys in the store: what many do at once comes out as if it was done one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from admin_service.domain.api_keys import ApiKey
from admin_service.domain.audit import AuditEvent, Origin
from admin_service.domain.errors import Code, Refused
from admin_service.domain.sessions import REMEMBERED, Session
from admin_service.domain.users import SecondFactor, User, email_hash
from admin_service.storage.changes import Change
from admin_service.storage.opening import open_store
from admin_service.storage.port import Store
from admin_service.storage.ports.sessions import Refreshed, Turn
from admin_service.storage.ports.users import UserQuery
from common.database import StoreUnavailable
from common.identifiers import uuid7
from tests.contract.admin.test_foundation import is_chain
from tests.contract.builders import NOW, make_idempotency
from tests.invariants.stores import THREADS

ORIGIN = Origin(actor="access:root", address="192.0.2.1", request_id="r-1")
ANN = email_hash("ann@example.org")


def event(action: str = "users.update", subject: object = "u-1") -> AuditEvent:
    return AuditEvent(at=NOW, origin=ORIGIN, action=action, subject=str(subject))


def make_user(email: str = "ann@example.org", **changes: Any) -> User:
    built = User(
        id=uuid7(), email=email, name="Ann", roles=("editor",), password_hash="$argon2id$1",
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    return replace(built, **changes)


def put_user(store: Store, email: str = "ann@example.org", **changes: Any) -> User:
    return store.users.create(make_user(email, **changes), event("users.create"), invite=False)


def put_session(store: Store, user: User, token: str = "t-1", **changes: Any) -> Session:
    session = Session(
        id=uuid7(), user_id=user.id, address="192.0.2.1", agent="", created_at=NOW, used_at=NOW,
        expires_at=NOW + timedelta(days=7),
    )  # fmt: skip
    session = replace(session, **changes)
    store.sessions.open(session, token, email_hash(user.email), event("sessions.create"))
    return session


@pytest.fixture
def crowd(store_url: str) -> Iterator[list[Store]]:
    """Four stores on the database of `store`, as four processes have them."""
    opened = [open_store(store_url, THREADS) for _ in range(4)]
    yield opened
    for each in opened:
        each.close()


def at_once(crowd: list[Store], many: int, call: Callable[[Store, int], Any]) -> list[Any]:
    """What `many` calls side by side answer, over all stores of the crowd; a refusal as its code."""

    def answered(number: int) -> Any:
        while True:
            try:
                return call(crowd[number % len(crowd)], number)
            except Refused as refused:
                return refused.code
            except StoreUnavailable:  # too many at once for the connections that there are
                continue

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(answered, range(many)))


def test_of_fifty_attempts_at_once_five_are_let_through(store: Store, crowd: list[Store]) -> None:
    answers = at_once(crowd, 50, lambda each, _: each.sessions.attempt(ANN, NOW))
    assert answers.count(None) == 5
    assert answers.count(Code.ACCOUNT_LOCKED) == 45
    assert store.sessions.locked_until(ANN, NOW) == NOW + timedelta(hours=2)
    assert store.sessions.locked_until(ANN, NOW + timedelta(hours=2)) is None
    store.sessions.attempt(email_hash("bob@example.org"), NOW)


def test_an_attempt_that_is_taken_back_was_none(store: Store) -> None:
    for _ in range(20):
        store.sessions.attempt(ANN, NOW)
        store.sessions.take_back(ANN)
    for _ in range(5):
        store.sessions.attempt(ANN, NOW)
    with pytest.raises(Refused):
        store.sessions.attempt(ANN, NOW)


def test_of_many_who_bring_one_refresh_token_one_is_served_then_none(
    store: Store, crowd: list[Store]
) -> None:
    user = put_user(store)
    session = put_session(store, user)

    def bring(each: Store, number: int) -> Turn:
        found: Refreshed = each.sessions.refresh("t-1", f"next-{number}", NOW, ORIGIN)
        return found.turn

    answers = at_once(crowd, 12, bring)
    assert answers.count(Turn.REFRESHED) == 1
    assert answers.count(Turn.REUSED) == 1
    assert answers.count(Turn.ENDED) == 10
    stored = store.sessions.get(session.id)
    assert stored is not None
    assert stored.ended_at == NOW
    assert [entry.event.action for entry in store.audit.after(0, 10)][-1] == "sessions.reuse"
    winner = store.sessions.refresh(f"next-{answers.index(Turn.REFRESHED)}", "x", NOW, ORIGIN)
    assert winner.turn is Turn.ENDED


def test_of_many_tabs_that_bring_one_refresh_token_one_has_the_next_and_all_go_on(
    store: Store, crowd: list[Store]
) -> None:
    session = put_session(store, put_user(store))
    later = NOW + timedelta(minutes=1)

    def bring(each: Store, number: int) -> Turn:
        found = each.sessions.refresh("t-1", f"next-{number}", later, ORIGIN, timedelta(seconds=10))
        assert found.session is not None
        assert found.session.id == session.id
        return found.turn

    answers = at_once(crowd, 12, bring)
    assert answers.count(Turn.REFRESHED) == 1
    assert answers.count(Turn.JUST_USED) == 11
    winner = store.sessions.refresh(f"next-{answers.index(Turn.REFRESHED)}", "x", later, ORIGIN)
    assert winner.turn is Turn.REFRESHED


def test_two_administrators_who_take_the_role_from_each_other_leave_one(
    store: Store, crowd: list[Store]
) -> None:
    for round_ in range(6):
        pair = [
            put_user(store, f"root{round_}{number}@example.org", roles=("platform_admin",))
            for number in range(2)
        ]
        others = [user for user in store_admins(store) if user.id not in {each.id for each in pair}]
        for other in others:
            store.users.replace(replace(other, roles=()), other.version, event())
        answers = at_once(crowd, 2, partial(_give_up, pair))
        assert answers.count(Code.LAST_ADMINISTRATOR) == 1
        assert len(store_admins(store)) == 1


def _give_up(pair: list[User], store: Store, number: int) -> User:
    return store.users.replace(replace(pair[number], roles=()), 1, event())


def store_admins(store: Store) -> list[User]:
    return list(store.users.page(UserQuery(role="platform_admin", limit=100)).items)


def test_a_code_and_a_recovery_code_are_used_once(store: Store, crowd: list[Store]) -> None:
    user = put_user(store, factor=SecondFactor(sealed_secret="s", recovery_hashes=("a", "b")))
    assert at_once(crowd, 8, lambda each, _: each.users.use_code(user.id, 7)).count(True) == 1
    assert store.users.use_code(user.id, 6) is False
    assert store.users.use_code(user.id, 8) is True
    used = at_once(crowd, 8, lambda each, _: each.users.use_recovery(user.id, "a", event()))
    assert used.count(True) == 1
    found = store.users.get(user.id)
    assert found is not None
    assert found.factor == SecondFactor(sealed_secret="s", last_step=8, recovery_hashes=("b",))


def test_a_link_is_spent_once(store: Store, crowd: list[Store]) -> None:
    user = put_user(store)
    for _ in range(2):
        store.users.put_link("link", user.id, "reset", NOW + timedelta(hours=1))

    def spend(each: Store, number: int) -> bool:
        return each.users.spend_link("link", f"$hash{number}", NOW, event("users.password", "link"))

    owner = store.users.by_link("link", NOW)
    assert owner is not None
    assert owner.id == user.id
    assert store.users.by_link("link", NOW + timedelta(hours=1)) is None
    assert store.users.by_link("another", NOW) is None
    answers = at_once(crowd, 8, spend)
    assert answers.count(True) == 1
    stored = store.users.get(user.id)
    assert stored is not None
    assert stored.password_hash == f"$hash{answers.index(True)}"
    assert store.users.by_link("link", NOW) is None
    store.users.put_link("link", user.id, "reset", NOW + timedelta(hours=1))
    assert spend(store, 9) is False
    last = store.audit.after(0, 100)[-1].event
    assert (last.subject, last.after) == (str(user.id), {"by": "reset"})


def test_of_two_with_one_address_one_is_there(store: Store, crowd: list[Store]) -> None:
    def create(each: Store, number: int) -> User:
        user = make_user(("Ann@example.org", "ann@EXAMPLE.org")[number % 2])
        return each.users.create(user, event(), invite=True)

    answers = at_once(crowd, 8, create)
    assert answers.count(Code.EMAIL_TAKEN) == 7
    assert store.outbox.depth(NOW)[0] == 1
    assert store.users.by_email(" ANN@example.org ") is not None


def test_everything_done_at_once_is_one_chain_of_entries(store: Store, crowd: list[Store]) -> None:
    users = [put_user(store, f"user{number}@example.org") for number in range(8)]

    def work(each: Store, number: int) -> None:
        user = users[number % 8]
        put_session(each, user, f"t-{number}-{uuid7()}")
        each.sessions.end_all(user.id, None, NOW, event("sessions.end"))

    at_once(crowd, 24, work)
    entries = store.audit.after(0, 1000)
    assert len(entries) >= 8 + 24
    assert is_chain(entries)


def test_a_refused_change_leaves_no_entry(store: Store) -> None:
    user = put_user(store, roles=("platform_admin",))
    before = store.audit.after(0, 10)
    for wrong in (
        lambda: store.users.replace(replace(user, name="X"), 9, event()),
        lambda: store.users.replace(replace(user, roles=()), 1, event()),
        lambda: store.users.set_password(uuid7(), "$", None, event()),
        lambda: store.api_keys.revoke(uuid7(), NOW, event()),
        lambda: store.users.create(make_user(), event(), invite=False),
    ):
        with pytest.raises(Refused):
            wrong()
    assert store.users.spend_link("none", "$", NOW, event()) is False
    assert store.sessions.end(user.id, uuid7(), NOW, event()) is False
    assert store.audit.after(0, 10) == before


def test_the_standing_is_counted_up_by_what_changes_it_alone(store: Store, heard: list[Change]) -> None:
    user = put_user(store)
    session, other = put_session(store, user), put_session(store, user, "t-2")
    key = make_key(store)
    seen = [store.standing.generation()]

    def moved(act: Callable[[], Any]) -> bool:
        act()
        seen.append(store.standing.generation())
        return seen[-1] != seen[-2]

    assert not moved(lambda: store.users.replace(replace(user, name="New"), 1, event()))
    assert not moved(lambda: store.sessions.refresh("t-1", "t-3", NOW, ORIGIN))
    assert not moved(lambda: store.api_keys.used({key.id: NOW}))
    assert not moved(lambda: store.sessions.end_all(uuid7(), None, NOW, event()))
    assert moved(lambda: store.users.replace(replace(user, roles=("reviewer",)), 2, event()))
    assert moved(lambda: store.sessions.end(user.id, session.id, NOW, event()))
    assert moved(lambda: store.users.set_password(user.id, "$", None, event()))
    assert moved(lambda: store.api_keys.revoke(key.id, NOW, event()))
    assert not moved(lambda: store.api_keys.revoke(key.id, NOW, event()))
    told = store.standing.read(NOW)
    assert told.ended == {str(session.id), str(other.id)}
    assert told.privileges == {str(user.id): 2}
    assert told.keys == {}
    assert store.standing.read(NOW + REMEMBERED).ended == frozenset()
    assert {change.aggregate for change in heard} == {"users", "sessions", "api_keys"}


def make_key(store: Store) -> ApiKey:
    key = ApiKey(
        id=uuid7(), name="gate", start="apk_abcdef", hash="h" * 64, roles=("gate",), poi_ids=(UUID(int=1),),
        created_at=NOW, created_by="access:root", expires_at=NOW + timedelta(days=1),
    )  # fmt: skip
    return store.api_keys.create(key, event("api-keys.create"), idempotency=make_idempotency())


def test_a_key_is_told_of_until_its_time(store: Store) -> None:
    key = make_key(store)
    known = store.standing.read(NOW).keys[key.hash]
    assert (known.id, known.roles, known.poi_ids, known.expires_at) == (
        key.id, key.roles, key.poi_ids, key.expires_at,
    )  # fmt: skip
    assert store.standing.read(key.expires_at).keys == {}


def test_what_is_over_is_forgotten_in_chunks(store: Store) -> None:
    user = put_user(store)
    for number in range(5):
        put_session(store, user, f"t-{number}")
        store.sessions.attempt(email_hash(f"x{number}"), NOW)
        store.users.put_link(f"l-{number}", user.id, "reset", NOW)
    later = NOW + timedelta(days=9)
    put_session(store, user, "living", created_at=later, used_at=later, expires_at=later + timedelta(days=7))
    counts: list[int] = []
    while counts[-1:] != [0]:
        counts.append(store.sessions.purge(later, 2))
    assert counts == [6, 6, 3, 0]
    assert store.sessions.active(later) == 1
    assert store.sessions.refresh("living", "next", later, ORIGIN).turn is Turn.REFRESHED
