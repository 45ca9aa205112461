"""Faults of the system before this one and incidents of others, each with a test that keeps it away."""
