"""Where media are used: written by whatever shows them, in its own commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from admin_service.domain.errors import Code, Refused
from admin_service.domain.media import Use
from admin_service.storage.mongo.media_collections import media, media_uses
from common.mongo.transaction import Transaction

READY = "ready"


def set_uses(tx: Transaction, use: Use, media_ids: Iterable[UUID], pointer: str | None = None) -> None:
    """From now on `use` shows exactly `media_ids`. Refuses UNKNOWN_MEDIA, with `pointer`, for one that is not
    there, or not any more."""
    wanted = {use.object_id: frozenset(media_ids)}
    set_uses_of_many(tx, use.kind, wanted, wanted, pointer)


def set_uses_of_many(
    tx: Transaction,
    kind: str,
    wanted: Mapping[str, frozenset[UUID]],
    old: Collection[str],
    pointer: str | None = None,
) -> None:
    """The same for many things of one kind, by their ids; only those in `old` may have shown anything before.

    A medium counts its uses in its own document: so it cannot be removed while something begins to show it.
    """
    pairs = {(media_id, thing) for thing, media_ids in wanted.items() for media_id in media_ids}
    there: set[tuple[UUID, str]] = set()
    if old:
        of_them = {"kind": kind, "object_id": {"$in": sorted(old)}}
        there = {(each["media_id"], each["object_id"]) for each in tx.find(media_uses, of_them)}
    new, gone = sorted(pairs - there), sorted(there - pairs)
    for media_id, times in sorted(Counter(media_id for media_id, _ in new).items()):
        if not tx.update(media, {"_id": media_id, "state": READY}, {"$inc": {"uses": times}}):
            raise Refused(Code.UNKNOWN_MEDIA, pointer=pointer, facts={"mediaId": str(media_id)})
    tx.insert(
        media_uses, [{"media_id": media_id, "kind": kind, "object_id": thing} for media_id, thing in new]
    )
    for media_id, thing in gone:
        tx.delete(media_uses, {"media_id": media_id, "kind": kind, "object_id": thing})
    fewer = Counter(media_id for media_id, _ in gone)
    tx.update_each(
        media, [({"_id": media_id}, {"$inc": {"uses": -times}}) for media_id, times in sorted(fewer.items())]
    )


def known_media(tx: Transaction, media_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of them that can be shown."""
    found = tx.with_ids(media, media_ids, ["state"])
    return frozenset(each["_id"] for each in found if each["state"] == READY)


def uses_of(tx: Transaction, media_id: UUID, limit: int) -> tuple[Use, ...]:
    """Where it is used, at most `limit` of them."""
    found = tx.find(media_uses, {"media_id": media_id}, sort=[("kind", 1), ("object_id", 1)], limit=limit)
    return tuple(Use(kind=each["kind"], object_id=each["object_id"]) for each in found)
