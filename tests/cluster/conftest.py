"""The stores that are sold from, and how they are loaded."""

from tests.alone import alone
from tests.invariants.stores import store_url

__all__ = ["alone", "store_url"]
