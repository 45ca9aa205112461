"""The database under a store, by the store's URL."""

from __future__ import annotations

from common.database.kinds import kind_of
from tests.beneath.mongo import MongoBeneath
from tests.beneath.port import Beneath
from tests.beneath.sql import SqlBeneath


def open_beneath(url: str) -> Beneath:
    """It is migrated, and closed by who opened it."""
    return MongoBeneath(url) if kind_of(url) == "mongodb" else SqlBeneath(url)
