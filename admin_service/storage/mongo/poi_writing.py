"""Writing POIs: the documents themselves, their history, what counts them, what they show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from uuid import UUID

from pymongo.errors import DuplicateKeyError

from admin_service.domain.clusters import EVERYTHING, CellKey, Tally, counted, summed
from admin_service.domain.errors import Code, Refused
from admin_service.domain.poi import Poi, PoiStatus
from admin_service.domain.searching import counted_as
from admin_service.storage.mongo import audit
from admin_service.storage.mongo import poi_collections as collections
from admin_service.storage.mongo.media_uses import set_uses_of_many
from admin_service.storage.mongo.outbox import add_task
from admin_service.storage.mongo.poi_records import entry_document, media_of, poi_document
from admin_service.storage.ports.pois import PoiWrite
from common.mongo.transaction import Transaction

DUPLICATES_TASK = "poi-duplicates"
POI = "poi"
"""What uses media as a point of interest does."""

_pois = collections.pois


def write_one(tx: Transaction, write: PoiWrite) -> Poi:
    """Raises Refused POI_NOT_FOUND, VERSION_CONFLICT, EXTERNAL_ID_TAKEN."""
    write_all(tx, (write,))
    return write.poi


def write_all(tx: Transaction, writes: Sequence[PoiWrite]) -> None:
    """All of `writes`, in their order; each POI at most once. Raises as `write_one`, for any of them."""
    for write in writes:
        if write.event is not None:
            audit.append(tx, write.event)
    # then what others want most: who loses against another one is to do so before the long work
    _count(tx, writes)
    for is_new, some in groupby(writes, key=lambda write: write.before is None):
        if is_new:
            _add(tx, list(some))
        else:
            for write in some:
                _replace(tx, write)
    pois = [write.poi for write in writes]
    tx.insert(collections.poi_history, [entry_document(write.entry) for write in writes])
    wanted = {str(poi.id): media_of(poi) for poi in pois}
    set_uses_of_many(tx, POI, wanted, [str(poi.id) for poi in pois if poi.version > 1])
    looked_at = [str(write.poi.id) for write in writes if _is_to_be_compared(write)]
    if looked_at:
        add_task(tx, DUPLICATES_TASK, {"poiIds": looked_at}, writes[0].poi.updated_at)


def _add(tx: Transaction, writes: Sequence[PoiWrite]) -> None:
    try:
        tx.insert(_pois, [poi_document(write.poi) for write in writes])
    except DuplicateKeyError as error:
        raise Refused(Code.EXTERNAL_ID_TAKEN, pointer="/externalId") from error


def _replace(tx: Transaction, write: PoiWrite) -> None:
    assert write.before is not None  # noqa: S101 the caller has looked
    unchanged = {"_id": write.poi.id, "version": write.before.version}
    try:
        changed = tx.replace(_pois, unchanged, poi_document(write.poi))
    except DuplicateKeyError as error:
        raise Refused(Code.EXTERNAL_ID_TAKEN, pointer="/externalId") from error
    if not changed:
        found = tx.one(_pois, {"_id": write.poi.id}, ["version"])
        if found is None:
            raise Refused(Code.POI_NOT_FOUND)
        raise Refused(Code.VERSION_CONFLICT, facts={"version": found["version"]})


def _count(tx: Transaction, writes: Iterable[PoiWrite]) -> None:
    """Bring the counts of the maps along with what is shown; a cell that comes to nothing stays there."""
    added: dict[tuple[int, int], dict[str, int]] = {}
    for key, tally in summed(change for write in writes for change in _changes(write)).items():
        added.setdefault((key.level, key.cell), {}).update(_sums(key.category, tally))
    cells = [({"level": level, "cell": cell}, {"$inc": sums}) for (level, cell), sums in added.items()]
    tx.update_each(collections.poi_cells, cells, upsert=True)


def _changes(write: PoiWrite) -> Iterable[Mapping[CellKey, Tally]]:
    now = _counts(write.poi)
    before = {} if write.before is None else _counts(write.before)
    if now != before:
        yield now
        yield {key: -tally for key, tally in before.items()}


def _counts(poi: Poi) -> Mapping[CellKey, Tally]:
    return counted(poi.content.point, counted_as(poi)) if poi.shown else {}


def _sums(category: str, tally: Tally) -> dict[str, int]:
    of = "" if category == EVERYTHING else f"categories.{category}."
    return {
        f"{of}count": tally.count,
        f"{of}latitudes": tally.latitudes,
        f"{of}longitudes": tally.longitudes,
    }


def _is_to_be_compared(write: PoiWrite) -> bool:
    """Whether the POI may resemble others than it did."""
    before, content = write.before, write.poi.content
    if write.poi.status is PoiStatus.ARCHIVED:
        return False
    if before is None or before.status is PoiStatus.ARCHIVED:
        return True
    old = before.content
    return (old.names, old.point, old.category) != (content.names, content.point, content.category)


def forget_resemblances(tx: Transaction, poi_ids: Iterable[UUID]) -> None:
    """What the POIs were said to resemble, but for what somebody has dismissed."""
    ids = sorted(poi_ids)
    for side in ("one", "other"):
        tx.delete(collections.poi_resemblances, {side: {"$in": ids}, "dismissed": False})
