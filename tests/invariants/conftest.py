"""The stores that hold the invariants."""

from tests.invariants.stores import (
    database,
    store,
    store_url,
)

__all__ = ["database", "store", "store_url"]
