"""Which verbs of a store change something that others follow, and what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from admin_service.domain.configuration import Revision
from admin_service.storage.changes import Change
from admin_service.storage.ports.sessions import Refreshed, Turn

Given = Mapping[str, Any]
"""The arguments of a verb by name."""

Telling = Callable[[str, Given, Any], Change | None]
"""Says what a verb did, by its name, its arguments and its result; None: nothing that others follow."""


def tells(operation: str) -> bool:
    """Whether anything is to be told of `operation`, such as `pois.publish`."""
    return operation in TOLD


def change_of(operation: str, given: Given, result: Any) -> Change | None:
    """What `operation` did."""
    return TOLD[operation](operation, given, result)


def _of_credentials(operation: str, _: Given, __: Any) -> Change:
    return Change(verb=operation, anywhere=True)


def _if_any(operation: str, _: Given, result: bool | int) -> Change | None:
    return Change(verb=operation, anywhere=True) if result else None


def _if_reused(operation: str, _: Given, result: Refreshed) -> Change | None:
    return Change(verb=operation, anywhere=True) if result.turn is Turn.REUSED else None


def _of_poi(operation: str, given: Given, _: Any) -> Change:
    write = given["write"]
    return Change(verb=operation, ids=frozenset({write.poi.id}), what=write.entry.action)


def _of_pair(operation: str, given: Given, _: Any) -> Change:
    ids = frozenset(write.poi.id for write in given["writes"])
    return Change(verb=operation, ids=ids, what=given["writes"][0].entry.action)


def _of_rows(operation: str, given: Given, _: Any) -> Change | None:
    writes = given["writes"]
    if not writes:
        return None
    return Change(
        verb=operation,
        ids=frozenset(write.poi.id for write in writes),
        what="imported",
        count=len(writes),
    )


def _config(operation: str, _: Given, result: Revision) -> Change:
    return Change(verb=operation, what=" ".join(result.changed), count=len(result.changed))


TOLD: Mapping[str, Telling] = {
    "users.erase": _of_credentials,
    "users.replace": _of_credentials,
    "users.set_password": _of_credentials,
    "users.spend_link": _if_any,
    "sessions.end": _if_any,
    "sessions.end_all": _if_any,
    "sessions.refresh": _if_reused,
    "api_keys.create": _of_credentials,
    "api_keys.revoke": _of_credentials,
    "config.change": _config,
    # points of interest
    "pois.create": _of_poi,
    "pois.replace": _of_poi,
    "duplicates.merge": _of_pair,
    "duplicates.unmerge": _of_pair,
    "imports.write_rows": _of_rows,
}
