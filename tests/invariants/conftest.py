"""The stores that hold the invariants, and how they are loaded."""

from tests.alone import alone
from tests.invariants.stores import (
    database,
    store,
    store_url,
)

__all__ = ["alone", "database", "store", "store_url"]
