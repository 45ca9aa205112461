"""For every route of the points of interest a call that is meant well, to a POI that is nobody's own."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.http.admin.places import if_match, poi_in
from tests.security.admin.calls import Call

if TYPE_CHECKING:
    from tests.security.admin.stage import Stage

SEARCH = {
    "q": "canal", "category": "museum", "city": "Amsterdam", "tag": "water", "status": "draft", "limit": "5",
    "waiting": "false", "sort": "name",
}  # fmt: skip
BOX = "4,52,5,53"
STEPS = ("publish", "submit", "archive", "close")


class Places:
    """Makes POIs as an editor does, each for one call."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.editor = stage.access(stage.people["editor"])
        self.reviewer = stage.access(stage.people["reviewer"])

    def new(self) -> dict[str, Any]:
        """A draft."""
        return self._asked("POST", "/pois", poi_in(), 201)

    def published(self) -> dict[str, Any]:
        """A POI that visitors see."""
        poi = self.new()
        return self._asked("POST", f"/pois/{poi['id']}/publish", None, 200, if_match(poi["version"]))

    def merged(self) -> dict[str, Any]:
        """A merge that can be undone."""
        one, other = self.published(), self.published()
        body = {"duplicateId": other["id"], "duplicateVersion": other["version"]}
        return self._asked("POST", f"/pois/{one['id']}/merge", body, 201, if_match(one["version"]))

    def imported(self) -> dict[str, Any]:
        """An import that waits."""
        answer = self._stage.send(import_call(self.editor))
        assert answer.status_code == 202, answer.json
        return dict(answer.json)

    def _asked(
        self, method: str, path: str, body: Any, status: int, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        answer = self._stage.desk.call(method, path, body, token=self.editor, headers=headers)
        assert answer.status_code == status, answer.json
        return dict(answer.json)


def import_call(token: str) -> Call:
    content = b"externalId,name_en,category,latitude,longitude,city,country\n"
    headers = {"Content-Type": "text/csv", "Content-Length": str(len(content))}
    query = {"format": "csv", "dryRun": "true", "name": "places.csv"}
    return Call(method="POST", path="/pois/import", query=query, data=content, headers=headers, token=token)


def poi_calls(stage: Stage) -> dict[str, Callable[[], Call]]:
    """By the route's name."""
    places = Places(stage)
    return {**_content(places), **_workflow(places), **_lists(places), **_public(places)}


def _on(places: Places, method: str, tail: str = "", body: Any = None, **more: Any) -> Callable[[], Call]:
    """A call to a new draft, with its version."""

    def make() -> Call:
        poi = places.new()
        headers = if_match(poi["version"]) if method != "GET" else {}
        sent = body(poi) if callable(body) else body
        path = f"/pois/{poi['id']}{tail}"
        return Call(method=method, path=path, body=sent, headers=headers, **{"token": places.editor, **more})

    return make


def _content(places: Places) -> dict[str, Callable[[], Call]]:
    one = "/pois/<uuid:poi_id>"
    return {
        "POST /pois": lambda: Call(method="POST", path="/pois", body=poi_in(), token=places.editor),
        f"GET {one}": _on(places, "GET"),
        f"PUT {one}": _on(places, "PUT", body=poi_in()),
        f"PATCH {one}": _on(places, "PATCH", body={"summary": {"en": "Other"}}),
        f"DELETE {one}": _on(places, "DELETE"),
        f"GET {one}/history": _on(places, "GET", "/history", query={"limit": "5"}),
        f"POST {one}/restore": _on(places, "POST", "/restore", {"version": 1}),
        f"PUT {one}/owner": _on(places, "PUT", "/owner", {"ownerId": str(uuid.UUID(int=9))}),
    }


def _workflow(places: Places) -> dict[str, Callable[[], Call]]:
    one = "/pois/<uuid:poi_id>"
    reviewer = {"token": places.reviewer}

    def merge() -> Call:
        poi, other = places.published(), places.published()
        body = {"duplicateId": other["id"], "duplicateVersion": other["version"]}
        return Call(
            method="POST", path=f"/pois/{poi['id']}/merge", body=body, headers=if_match(poi["version"]),
            token=places.editor,
        )  # fmt: skip

    def undo() -> Call:
        return Call(method="POST", path=f"/pois/merges/{places.merged()['id']}/undo", token=places.editor)

    def dismiss() -> Call:
        path = f"/pois/{places.new()['id']}/duplicates/{places.new()['id']}"
        return Call(method="DELETE", path=path, token=places.editor)

    def bulk() -> Call:
        items = [{"id": places.new()["id"], "version": 1}]
        body = {"action": "publish", "items": items, "reason": "x"}
        return Call(method="POST", path="/pois/bulk", body=body, token=places.editor)

    steps = {f"POST {one}/{name}": _on(places, "POST", f"/{name}", {"reason": "x"}) for name in STEPS}
    return {
        **steps,
        f"POST {one}/approve": _on(places, "POST", "/approve", {"reason": "x"}, **reviewer),
        f"POST {one}/reject": _on(places, "POST", "/reject", {"reason": "x"}, **reviewer),
        f"POST {one}/verify": _on(places, "POST", "/verify", {"note": "x"}, **reviewer),
        f"POST {one}/merge": merge,
        f"GET {one}/merges": _on(places, "GET", "/merges"),
        "POST /pois/merges/<uuid:merge_id>/undo": undo,
        f"GET {one}/duplicates": _on(places, "GET", "/duplicates"),
        f"DELETE {one}/duplicates/<uuid:other_id>": dismiss,
        "POST /pois/bulk": bulk,
    }


def _lists(places: Places) -> dict[str, Callable[[], Call]]:
    def get(path: str, **query: str) -> Callable[[], Call]:
        return lambda: Call(method="GET", path=path, query=query, token=places.editor)

    def of_import(tail: str = "", **query: str) -> Callable[[], Call]:
        return lambda: Call(
            method="GET", path=f"/pois/imports/{places.imported()['id']}{tail}", query=query,
            token=places.editor,
        )  # fmt: skip

    exported = {name: SEARCH[name] for name in ("q", "category", "city", "tag", "status")}
    return {
        "GET /pois": get("/pois", **SEARCH, bbox=BOX, near="52,4", radiusKm="5"),
        "GET /pois/duplicates": get("/pois/duplicates", limit="5"),
        "GET /pois/export": get("/pois/export", format="csv", **exported),
        "POST /pois/import": lambda: import_call(places.editor),
        "GET /pois/imports": get("/pois/imports", limit="5"),
        "GET /pois/imports/<uuid:import_id>": of_import(),
        "GET /pois/imports/<uuid:import_id>/rows": of_import("/rows", limit="5", outcome="refused"),
    }


def _public(places: Places) -> dict[str, Callable[[], Call]]:
    root = "/api/platform"
    shown = {name: SEARCH[name] for name in ("q", "category", "city", "tag", "limit", "sort")}
    search = {
        **shown, "lang": "nl", "bbox": BOX, "near": "52,4", "radiusKm": "5",
        "updatedSince": "2026-01-01T00:00:00Z",
    }  # fmt: skip

    def get(path: str, **query: str) -> Callable[[], Call]:
        return lambda: Call(method="GET", path=root + path, query=query)

    return {
        f"GET {root}/pois": get("/pois", **search),
        f"GET {root}/pois/<uuid:poi_id>": lambda: Call(
            method="GET", path=f"{root}/pois/{places.published()['id']}", query={"lang": "nl"}
        ),
        f"GET {root}/pois/clusters": get("/pois/clusters", bbox=BOX, zoom="9", category="museum"),
        f"GET {root}/categories": get("/categories"),
    }
