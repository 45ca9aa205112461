"""The demo's places, brought into the admin service as a destination would bring its own: imported from a
file by an editor, and published.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence

from demo.api import Api, Refused, expect
from demo.catalogue import Json

IMPORT_SECONDS = 60.0
POLL_SECONDS = 0.1


class Places:
    """Places are told apart by their external ids: what somebody has made of one since stays."""

    def __init__(self, api: Api, token: str) -> None:
        """`token` is an editor's."""
        self._api, self._token = api, token
        self.new = 0

    def load(self, features: Sequence[Json]) -> dict[str, str]:
        """The ids by external id, after those that were missing have come. Raises Refused, NobodyAnswers."""
        there = self._there()
        missing = [each for each in features if each["properties"]["externalId"] not in there]
        if missing:
            self._import(missing)
            there = self._there()
        ours = {each["properties"]["externalId"] for each in features}
        self._publish([there[name] for name in ours if _is_fresh(there[name])])
        return {name: there[name]["id"] for name in ours}

    def _there(self) -> dict[str, Json]:
        return {poi["externalId"]: poi for poi in self._all() if poi["externalId"] is not None}

    def _all(self) -> Iterator[Json]:
        asked = {"limit": "100"}
        while True:
            page = expect(self._api.send("GET", "/admin/pois", token=self._token, query=asked), 200)
            yield from page["data"]
            if page["nextCursor"] is None:
                return
            asked["cursor"] = page["nextCursor"]

    def _import(self, features: Sequence[Json]) -> None:
        content = json.dumps({"type": "FeatureCollection", "features": features}).encode()
        query = {"format": "geojson", "name": "the demo's places"}
        answer = self._api.send("POST", "/admin/pois/import", token=self._token, query=query, geojson=content)
        job = expect(answer, 202)
        deadline = time.monotonic() + IMPORT_SECONDS
        while job["status"] not in ("done", "failed"):
            if time.monotonic() > deadline:
                raise Refused(f"the import of the places is still {job['status']}")
            time.sleep(POLL_SECONDS)
            path = f"/admin/pois/imports/{job['id']}"
            job = expect(self._api.send("GET", path, token=self._token), 200)
        if job["status"] == "failed" or job["outcomes"]["refused"]:
            raise Refused(f"the import of the places: {job['problem'] or job['outcomes']}")
        self.new += job["outcomes"]["created"]

    def _publish(self, pois: Sequence[Mapping[str, str]]) -> None:
        if not pois:
            return
        items = [{"id": poi["id"], "version": poi["version"]} for poi in pois]
        body = {"action": "publish", "items": items}
        done = expect(self._api.send("POST", "/admin/pois/bulk", token=self._token, body=body), 200)
        refused = [each for each in done["data"] if each["outcome"] != "done"]
        if refused:
            raise Refused(f"the places cannot be published: {refused[0]['detail']}")


def _is_fresh(poi: Json) -> bool:
    """Imported and never touched: an earlier start may have been cut off before it was published."""
    return (poi["status"], poi["version"]) == ("draft", 1)
