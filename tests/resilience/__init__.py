"""Breakers, bulkheads, retries and deadlines."""
