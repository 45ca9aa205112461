"""Opening a database by URL, transactions with group commit, and migrations."""

from common.database.unavailable import StoreUnavailable

__all__ = ["StoreUnavailable"]
