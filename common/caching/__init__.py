"""Answers and data kept for a while: regions, tags, single flight; on Redis or on this machine alone."""
