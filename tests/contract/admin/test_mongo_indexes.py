"""What is asked of MongoDB finds its documents by an index, by the declarations, whatever server it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from admin_service.domain import workflow
from admin_service.domain.geo import Point
from admin_service.domain.imports import Outcome
from admin_service.domain.poi import PoiStatus
from admin_service.domain.searching import PoiQuery, Sort
from admin_service.domain.users import UserStatus, email_hash
from admin_service.storage.mongo.store import COLLECTIONS, open_store
from admin_service.storage.port import Store
from admin_service.storage.ports.audit import AuditQuery
from admin_service.storage.ports.media import MediaQuery
from admin_service.storage.ports.users import UserQuery
from common.identifiers import uuid7
from common.mongo.collections import Collection
from tests.contract.admin.places import BY, fill, poi, world, write
from tests.contract.admin.test_config import revision
from tests.contract.admin.test_media import add, make_media
from tests.contract.admin.test_people import ORIGIN, event, make_key, make_user, put_session, put_user
from tests.contract.admin.test_poi_plans import INDEXED
from tests.contract.admin.test_pois import job
from tests.contract.builders import NOW

pytestmark = pytest.mark.parametrize(
    "store_url", [pytest.param("mongodb", marks=pytest.mark.mongodb)], indirect=True
)

Ask = Callable[[Store], Any]
LATER = NOW + timedelta(days=9)


def _edit(store: Store) -> None:
    made = store.pois.create(write(poi()))
    after = workflow.verified(made, BY.actor, "", NOW)
    store.pois.replace(write(after, made, "verified"))


def _import(store: Store) -> None:
    made = job()
    store.imports.begin(made)
    store.imports.add_chunk(made.id, 0, b"x")
    store.imports.received(made.id, 1, NOW, event())
    store.imports.write_rows(made.id, 0, (write(poi()),), (), NOW)
    list(store.imports.chunks(made.id))
    store.imports.finish(made.id, None, NOW)


def _sign_in(store: Store) -> None:
    user = put_user(store)
    session = put_session(store, user)
    store.sessions.attempt(email_hash(user.email), NOW)
    store.sessions.take_back(email_hash(user.email))
    store.sessions.refresh("t-1", "t-2", NOW, ORIGIN)
    store.sessions.refresh("t-1", "t-3", NOW, ORIGIN)
    store.sessions.end(user.id, session.id, NOW, event())
    store.users.put_link("link", user.id, "reset", LATER)
    store.users.spend_link("link", "$", NOW, event())
    store.users.by_link("link", NOW)
    store.users.erase(make_user("gone@example.org", id=user.id, version=9), "x", event())


ASKED: dict[str, Ask] = {
    **INDEXED,
    "a common word": lambda store: store.pois.search(PoiQuery(words=("m", "ol"), city="Gent")),
    "a tag": lambda store: store.pois.search(PoiQuery(tag="old", sort=Sort.UPDATED)),
    "a word near by": lambda store: store.pois.search(
        PoiQuery(words=("tow",), near=Point(52, 5), radius_km=2, sort=Sort.DISTANCE)
    ),
    "what is one's own or named": lambda store: store.pois.search(
        PoiQuery(owner="ann", places=frozenset([uuid7()]), statuses=tuple(PoiStatus), sort=Sort.NEWEST)
    ),
    "a place": lambda store: store.pois.poi(uuid7()),
    "its history": lambda store: (
        store.pois.history(uuid7(), 10, None),
        store.pois.version(uuid7(), 1),
        store.duplicates.merges_of(uuid7(), 10),
    ),
    "how many places": lambda store: (store.pois.counts(), store.pois.counts_by_category()),
    "an edited place": _edit,
    "resemblances": lambda store: store.duplicates.put({uuid7(): ()}, NOW),
    "what is compared": lambda store: store.duplicates.sketches([uuid7()]),
    "an import": _import,
    "imports": lambda store: (
        store.imports.jobs("ann", 10, None),
        store.imports.jobs(None, 10, None),
        store.imports.reports(uuid7(), Outcome.REFUSED, 10, None),
        store.imports.forget_broken_off(LATER, 10),
    ),
    "people": lambda store: (
        store.users.page(UserQuery(text="a", role="editor", status=UserStatus.ACTIVE)),
        store.users.by_email("ann@example.org"),
        store.sessions.of_user(uuid7(), NOW),
        store.sessions.active(NOW),
    ),
    "somebody who signs in and goes": _sign_in,
    "what is over": lambda store: (store.sessions.purge(LATER, 10), store.outbox.purge(LATER, 10)),
    "keys": lambda store: (make_key(store), store.api_keys.page(10, None), store.standing.read(NOW)),
    "the trail": lambda store: (
        store.audit.page(AuditQuery(actor="access:ann", action="pois", at_from=NOW)),
        store.audit.after(0, 10),
        store.audit.counted(("pois.created",), NOW),
        store.audit.erase(("x",), event()),
    ),
    "an upload": lambda store: (
        add(store, make_media("b")),
        store.media.page(MediaQuery(text="x", used=False)),
        store.media.give_up(LATER, LATER, 10),
        store.media.uses(uuid7()),
    ),
    "a change of the configuration": lambda store: (
        store.config.change(revision(1), event()),
        store.config.page(10, None),
        store.config.mode(),
    ),
    "tasks": lambda store: (store.outbox.claim(LATER, LATER, 10), store.outbox.given_up(10, None)),
}


class _Listener(CommandListener):
    def __init__(self) -> None:
        self.commands: list[Mapping[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.commands.append(dict(event.command))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> _Listener:
    listener = _Listener()
    monkeypatch.setattr("common.mongo.database.Commands", lambda _: listener)
    return listener


@pytest.fixture
def store(store_url: str, sent: _Listener) -> Iterator[Store]:
    opened = open_store(store_url, 4, heard=lambda name, seconds: None)
    yield opened
    opened.close()


@pytest.mark.parametrize("name", ASKED)
def test_every_condition_begins_an_index(name: str, store: Store, sent: _Listener) -> None:
    fill(store, world(6))
    sent.commands.clear()
    ASKED[name](store)
    asked = [each for command in sent.commands for each in _conditions(command)]
    assert asked
    for collection, condition, sort in asked:
        assert _begins(collection, condition, sort), (collection.name, condition)
    hints = {command["hint"] for command in sent.commands if "hint" in command}
    assert hints <= {"_id_", *(index.name for each in COLLECTIONS.made for index in each.indexes)}


def _conditions(command: Mapping[str, Any]) -> Iterator[tuple[Collection, Mapping[str, Any], Sequence[str]]]:
    """What a command looks for, and in which order it wants it."""
    by_name = {each.name: each for each in COLLECTIONS.made}
    if "find" in command:
        yield by_name[command["find"]], command.get("filter", {}), list(command.get("sort", {}))
    elif "aggregate" in command:
        yield by_name[command["aggregate"]], command["pipeline"][0]["$match"], ()
    for verb, part in (("update", "updates"), ("delete", "deletes")):
        for each in command.get(part, ()):
            yield by_name[command[verb]], each["q"], ()


def _begins(collection: Collection, condition: Mapping[str, Any], sort: Sequence[str]) -> bool:
    """Whether a field that is compared with a value, or the order, is the first of an index; of alternatives,
    one in each.
    """
    first = {"_id", *(each.keys[0][0] for each in collection.indexes)}
    if set(sort[:1]) & first or condition.keys() & first:
        return True
    parts = (_begins(collection, each, ()) for each in condition.get("$and", ()))
    others = [_begins(collection, each, ()) for each in condition.get("$or", ())]
    return any(parts) or (bool(others) and all(others))
