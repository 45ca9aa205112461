"""SecantusDB as docs/mongodb.md tells operators to set up a server: what a client that is gone has not
committed is kept from the others for so many seconds only. And ranges of `_id`, and the first documents by
it, are read from its index, as every MongoDB does it, where SecantusDB reads the whole collection.

python -m tests.servers.secantus_daemon SECONDS [the options of secantusd-py]
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from typing import Any

from secantus import cli, storage

_LOWER, _UPPER = frozenset({"$gt", "$gte"}), frozenset({"$lt", "$lte"})
_by_index, _find = storage.Storage._try_index_id_keys, storage.Storage.find_matching


def main() -> int:
    lifetime = float(sys.argv.pop(1))
    storage.Storage._try_index_id_keys, storage.Storage.find_matching = _found, _first_found
    cli.SecantusDBServer = functools.partial(cli.SecantusDBServer, transaction_lifetime_seconds=lifetime)
    return int(cli.main())


def _found(store: Any, database: str, collection: str, condition: dict[str, Any], **more: Any) -> Any:
    """The record ids of at least those that `condition` means, in order; None where no index tells."""
    wanted = _range_of(condition) if condition else None
    if wanted is None:
        return _by_index(store, database, collection, condition, **more)
    return _in_range(store, database, collection, wanted)


def _first_found(
    store: Any, database: str, collection: str, condition: dict[str, Any] | None = None, **more: Any
) -> Any:
    """The documents. Of the first ones by `_id` the others are not looked at."""
    condition = condition or {}
    wanted, limit = _range_of(condition), more.get("limit", 0)
    if wanted is None or not limit or more.get("skip") or dict(more.get("sort") or {}) != {"_id": 1}:
        return _find(store, database, collection, condition, **more)
    with store._lock:
        store._refresh_read_snapshot()
        ids = _in_range(store, database, collection, wanted, limit + 1)
        if len(ids) > limit:
            (last,) = store._docs_by_recordids(database, collection, ids[-1:])
            if not isinstance(last["_id"], Mapping):
                condition = {"_id": {**wanted, "$lte": last["_id"]}}
        return _find(store, database, collection, condition, **more)


def _range_of(condition: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The bounds of `_id` when `condition` has no others; None when it has."""
    wanted = condition.get("_id", {})
    if (
        condition.keys() <= {"_id"}
        and isinstance(wanted, Mapping)
        and wanted.keys() <= _LOWER | _UPPER
        and not any(isinstance(bound, Mapping) for bound in wanted.values())
    ):
        return wanted
    return None


def _in_range(
    store: Any, database: str, collection: str, wanted: Mapping[str, Any], most: int = sys.maxsize
) -> list[int]:
    """The bounds themselves are among them: what is found is held to the condition anyway."""
    keys = {name: storage._id_key(bound) for name, bound in wanted.items()}
    lowest = max((key for name, key in keys.items() if name in _LOWER), default=b"")
    highest = min((key for name, key in keys.items() if name in _UPPER), default=None)
    cursor = store._cursor(storage._NAT_SEQ_TABLE)
    cursor.reset()
    cursor.set_key(database, collection, lowest)
    nearest = cursor.search_near()
    found: list[int] = []
    if nearest == storage.wt.WT_NOTFOUND or (nearest < 0 and cursor.next() != 0):
        return found
    while len(found) < most:
        *place, key = cursor.get_key()
        if place != [database, collection] or (highest is not None and bytes(key) > highest):
            break
        found.append(int(cursor.get_value()))
        if cursor.next() != 0:
            break
    return found


if __name__ == "__main__":
    sys.exit(main())
