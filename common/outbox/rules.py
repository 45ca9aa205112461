"""What holds for the outbox on every store."""

from __future__ import annotations

from datetime import timedelta

ANSWERS_KEPT = timedelta(hours=48)
ERROR_LENGTH = 500
WORKER = "worker"
"""The name of the lease that the active worker holds."""
