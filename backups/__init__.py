"""Backups of the whole product: made, restored, and proven by restoring. A process of its own each time."""
