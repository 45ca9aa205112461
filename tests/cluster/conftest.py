"""The stores that are sold from."""

from tests.invariants.stores import store_url

__all__ = ["store_url"]
