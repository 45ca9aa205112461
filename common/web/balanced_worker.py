"""Gunicorn's threaded worker, which leaves new connections to the others while all its threads are busy."""

from __future__ import annotations

from gunicorn.workers.gthread import ThreadWorker


class BalancedWorker(ThreadWorker):  # type: ignore[misc] # gunicorn is untyped
    """A worker accepts whatever it comes to first and keeps the connection: after a burst one worker may
    have them all while the others idle. This one takes no more at a time than it has threads for; the rest
    waits in the kernel's queue for the worker that is free first.
    """

    def init_process(self) -> None:
        """Serve. The settings, of which each request asks dozens and which change no more, become plain
        attributes: asked as gunicorn has them they cost a twentieth of a small answer.
        """
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})
        super().init_process()

    @property
    def worker_connections(self) -> int:
        """How many connections it may have before it stops accepting: the idle ones, and one a thread."""
        return min(self._most_connections, self.idle_connections + int(self.cfg.threads))

    @worker_connections.setter
    def worker_connections(self, most: int) -> None:
        self._most_connections: int = most

    @property
    def idle_connections(self) -> int:
        """How many of its connections no thread is busy with."""
        return len(self.keepalived_conns) + len(self.pending_conns)
