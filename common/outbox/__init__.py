"""The transactional outbox: the worker loop that carries out its tasks."""
