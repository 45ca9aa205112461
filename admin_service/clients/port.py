"""What the actions ask of the world outside, and how it can fail."""

from __future__ import annotations

from common.resilience.unavailable import DependencyUnavailable


class StorageUnavailable(DependencyUnavailable):
    """The storage of media cannot be read or written now."""


class TicketingUnavailable(DependencyUnavailable):
    """The ticketing service gave no answer that can be relied on."""
