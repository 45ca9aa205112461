"""The one failure of a store that callers outside it know; no driver is imported for it."""

from __future__ import annotations


class StoreUnavailable(Exception):
    """The store gave no answer in time, or cannot be reached. What was asked for may or may not have
    happened: the same request under the same idempotency key finds out.

    `retry_after_seconds`: when it is worth asking again, where that is known.
    """

    def __init__(self, message: str = "", retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
