"""The one failure of a store that callers outside it know; no driver is imported for it."""

from __future__ import annotations


class StoreUnavailable(Exception):
    """The store gave no answer in time, or cannot be reached. What was asked for may or may not have
    happened: the same request under the same idempotency key finds out.
    """
