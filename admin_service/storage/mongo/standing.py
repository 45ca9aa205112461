"""What all who verify credentials must know, as it is now."""

from __future__ import annotations

from datetime import datetime

from admin_service.domain.sessions import REMEMBERED
from admin_service.storage.mongo.people_collections import api_keys, sessions, standing, users
from admin_service.storage.mongo.schema import ONLY
from common.auth.standing import KnownKey, Standing
from common.mongo.database import MongoDatabase
from common.mongo.transaction import Transaction
from common.mongo.values import instant, ms


def count_up(tx: Transaction) -> None:
    """What this commit does changes the standing."""
    if not tx.update(standing, {"_id": ONLY}, {"$inc": {"generation": 1}}):
        tx.insert_new(standing, {"_id": ONLY, "generation": 1})


class MongoStanding:
    """The `StandingStore` on MongoDB."""

    def __init__(self, database: MongoDatabase) -> None:
        self._database = database

    def generation(self) -> int:
        """See StandingStore."""
        with self._database.read() as tx:
            return _generation(tx)

    def read(self, now: datetime) -> Standing:
        """See StandingStore."""
        return self._database.at_one_moment(lambda tx: _read(tx, now))


def _read(tx: Transaction, now: datetime) -> Standing:
    since = ms(now - REMEMBERED)
    ended = tx.find(sessions, {"ended_at": {"$gt": since}}, fields=["_id"])
    changed = tx.find(users, {"privileges_changed_at": {"$gt": since}}, fields=["privileges"])
    good = tx.find(api_keys, {"revoked_at": None, "expires_at": {"$gt": ms(now)}})
    return Standing(
        generation=_generation(tx),
        ended=frozenset(str(each["_id"]) for each in ended),
        privileges={str(each["_id"]): each["privileges"] for each in changed},
        keys={
            each["hash"]: KnownKey(
                id=each["_id"],
                roles=tuple(each["roles"]),
                poi_ids=None if each["poi_ids"] is None else tuple(each["poi_ids"]),
                expires_at=instant(each["expires_at"]),
            )
            for each in good
        },
    )


def _generation(tx: Transaction) -> int:
    found = tx.one(standing, {"_id": ONLY})
    return 0 if found is None else int(found["generation"])
