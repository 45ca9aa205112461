"""How a dependency that is away is said."""

from __future__ import annotations


class DependencyUnavailable(Exception):
    """The base of a port's own exception. `retry_after_seconds`: when it is worth asking again, where that is
    known.
    """

    def __init__(self, message: str = "", retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
