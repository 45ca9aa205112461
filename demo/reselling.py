"""A reseller of the demo's destination: one key with which it sells, one with which it tries things out.

The keys are shown once, when they are made; they are kept in a file of ours, a name and a key in a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from demo.api import Api, expect
from demo.data_folder import write_private

FILE = "reseller.txt"
LIVE, TRYING = "live", "test"
NAME = "Demo Travel"
TERMS: Mapping[str, Any] = {
    "name": NAME,
    "netBasisPoints": 8000,
    "maxHolds": 200,
    "credit": [{"currency": "EUR", "limit": 1_000_000}],
}
GOOD_FOR = timedelta(days=365)


def read_keys(data_dir: Path) -> dict[str, str]:
    """The keys by name; none before there are any."""
    path = data_dir / FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return dict(line.split(" ", 1) for line in lines)


class Reselling:
    """Makes the reseller and the keys that are missing or good no more. `token` is an administrator's."""

    def __init__(self, api: Api, token: str, data_dir: Path) -> None:
        self._api, self._token, self._data_dir = api, token, data_dir
        self.new = 0

    def run(self) -> None:
        """Raises Refused, NobodyAnswers."""
        keys = read_keys(self._data_dir)
        wanted = [name for name in (LIVE, TRYING) if name not in keys or not self._is_good(keys[name])]
        if not wanted:
            return
        reseller_id = self._reseller()
        for name in wanted:
            keys[name] = self._made(reseller_id, name)
            self.new += 1
            lines = (f"{each} {key}\n" for each, key in keys.items())
            write_private(self._data_dir / FILE, "".join(lines))

    def _is_good(self, key: str) -> bool:
        return self._api.send("GET", "/octo/supplier", token=key).status_code == 200

    def _reseller(self) -> str:
        asked = {"limit": "100"}
        while True:
            page = expect(self._api.send("GET", "/resellers", token=self._token, query=asked), 200)
            for each in page["data"]:
                if each["name"] == NAME:
                    return str(each["id"])
            if page["nextCursor"] is None:
                break
            asked["cursor"] = page["nextCursor"]
        made = self._api.send("POST", "/resellers", token=self._token, body=dict(TERMS))
        return str(expect(made, 201)["id"])

    def _made(self, reseller_id: str, name: str) -> str:
        body = {
            "name": name,
            "scopes": ["bookings:read", "bookings:write", "webhooks:manage"],
            "isTest": name == TRYING,
            "expiresAt": (datetime.now(UTC) + GOOD_FOR).isoformat(timespec="seconds").replace("+00:00", "Z"),
        }
        answer = self._api.send("POST", f"/resellers/{reseller_id}/keys", token=self._token, body=body)
        return str(expect(answer, 201)["key"])
