"""The POI directory as the admin service tells it: our copy follows, and stands while it is away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from werkzeug.serving import BaseWSGIServer, make_server

from tests.http.admin.desk import Desk
from tests.http.admin.places import if_match, published
from ticketing_service.actions.ports import Ports
from ticketing_service.actions.upkeep import PoiCopy
from ticketing_service.clients.poi_api import PAGE, HttpPoiDirectory
from ticketing_service.clients.port import DirectoryUnavailable
from ticketing_service.domain.catalogue import Poi
from ticketing_service.storage.sql.store import migrate, open_store


class Served:
    """The admin service on a port of its own; what it was asked is noted. `broken` answers instead of it."""

    def __init__(self, desk: Desk) -> None:
        self.asked: list[str] = []
        self.broken: tuple[str, bytes] | None = None
        self._app = desk.app.wsgi_app
        self._server: BaseWSGIServer = make_server("127.0.0.1", 0, self._answer)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.asked.append(environ["QUERY_STRING"])
        if self.broken is not None:
            status, body = self.broken
            start_response(status, [("Content-Type", "application/json")])
            return [body]
        return self._app(environ, start_response)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, f"sqlite:///{tmp_path / 'admin.db'}")
    yield made
    made.close()


@pytest.fixture
def admin(desk: Desk) -> Iterator[Served]:
    served = Served(desk)
    yield served
    served.close()


class Copy:
    """Ticketing's copy of the POIs."""

    def __init__(self, folder: Path, url: str) -> None:
        address = f"sqlite:///{folder / 'ticketing.db'}"
        migrate(address)
        self.store = open_store(address)
        self._job = PoiCopy()
        self._ports = cast(Ports, _Ports(self.store, HttpPoiDirectory(url)))

    def pull(self) -> int:
        return self._job.pull(self._ports)

    def poi(self, poi: Any) -> Poi | None:
        poi_id = UUID(poi["id"])
        return self.store.catalogue.pois([poi_id]).get(poi_id)


class _Ports:
    def __init__(self, store: Any, directory: HttpPoiDirectory) -> None:
        self.store, self.poi_directory = store, directory


@pytest.fixture
def copy(tmp_path: Path, admin: Served) -> Iterator[Copy]:
    made = Copy(tmp_path, admin.url)
    yield made
    made.store.close()


def test_what_is_published_is_taken_over(desk: Desk, copy: Copy) -> None:
    poi = published(desk)
    assert copy.pull() == 1
    taken = copy.poi(poi)
    assert taken is not None
    assert taken.names == {"en": "Canal Museum", "nl": "Grachtenmuseum"}
    assert (taken.city, taken.category, taken.time_zone) == ("Amsterdam", "museum", "Europe/Amsterdam")
    assert (taken.point.latitude, taken.point.longitude) == (52.3702, 4.8897)
    assert taken.version == poi["version"]


def test_a_change_follows_and_nothing_new_is_nothing(desk: Desk, copy: Copy) -> None:
    poi = published(desk)
    copy.pull()
    assert copy.pull() == 0
    desk.clock.move(minutes=5)
    body = {"name": {"en": "Renamed"}}
    desk.call("PATCH", f"/pois/{poi['id']}", body, role="editor", headers=if_match(poi["version"]))
    assert copy.pull() == 1
    taken = copy.poi(poi)
    assert taken is not None
    assert taken.names == {"en": "Renamed"}
    assert copy.pull() == 0


def test_only_what_is_newer_is_asked_for(desk: Desk, admin: Served, copy: Copy) -> None:
    published(desk)
    copy.pull()
    desk.clock.move(minutes=5)
    copy.pull()
    assert admin.asked[0].startswith("updatedSince=1970-01-01T00%3A00%3A00Z")
    assert admin.asked[-1].startswith("updatedSince=2026-07-01T07%3A59%3A50.000Z")


def test_many_come_by_page(desk: Desk, admin: Served, copy: Copy) -> None:
    for index in range(PAGE + 5):
        published(desk, name={"en": f"Place {index}"})
    assert copy.pull() == PAGE + 5
    assert len(admin.asked) == 2


def test_what_is_hidden_stays_in_the_copy(desk: Desk, copy: Copy) -> None:
    poi = published(desk)
    copy.pull()
    desk.call("DELETE", f"/pois/{poi['id']}", role="editor", headers=if_match(poi["version"]))
    assert copy.pull() == 0
    assert copy.poi(poi) is not None


@pytest.mark.parametrize(
    "broken",
    [
        ("500 Internal Server Error", b"{}"),
        ("503 Service Unavailable", b"{}"),
        ("404 Not Found", b"{}"),
        ("200 OK", b"not JSON"),
        ("200 OK", b"[]"),
        ("200 OK", b'{"data": 7}'),
        ("200 OK", b'{"data": [], "nextCursor": 7}'),
        ("302 Found", b""),
    ],
)
def test_the_copy_stands_while_admin_is_broken(
    desk: Desk, admin: Served, copy: Copy, broken: tuple[str, bytes]
) -> None:
    poi = published(desk)
    copy.pull()
    admin.broken = broken
    with pytest.raises(DirectoryUnavailable):
        copy.pull()
    assert copy.poi(poi) is not None
    admin.broken = None
    desk.clock.move(minutes=1)
    other = published(desk)
    assert copy.pull() == 1
    assert copy.poi(other) is not None


def test_nobody_there_is_told_as_that(tmp_path: Path, desk: Desk) -> None:
    served = Served(desk)
    served.close()
    copy = Copy(tmp_path, served.url)
    with pytest.raises(DirectoryUnavailable):
        copy.pull()
    copy.store.close()


def test_an_item_that_cannot_be_used_is_reported_and_the_others_are_taken(
    admin: Served, copy: Copy, caplog: pytest.LogCaptureFixture
) -> None:
    admin.broken = ("200 OK", b'{"data": [7, {"id": "x", "updatedAt": "never"}], "nextCursor": null}')
    assert copy.pull() == 0
    assert "feature 0 cannot be used" in caplog.text


def test_what_could_not_be_stored_is_tried_again(desk: Desk, copy: Copy, monkeypatch: Any) -> None:
    poi = published(desk)
    put, tries = copy.store.catalogue.put_pois, []

    def failing(pois: Any) -> int:
        tries.append(pois)
        if len(tries) == 1:
            raise OSError("the disk is full")
        return put(pois)

    monkeypatch.setattr(copy.store.catalogue, "put_pois", failing)
    with pytest.raises(OSError, match="full"):
        copy.pull()
    assert copy.pull() == 1
    assert copy.poi(poi) is not None
