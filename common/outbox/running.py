"""A worker process from its start to the signal that ends it."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import socket
import threading

from common.outbox.loop import Worker

log = logging.getLogger(__name__)

M_ARENA_MAX = -8  # of glibc's malloc.h
SIGNALS = (signal.SIGTERM, signal.SIGINT)
LOOK_SECONDS = 0.1


def worker_name() -> str:
    """A name that no other worker has."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{os.urandom(4).hex()}"


def hold_signals() -> None:
    """Block the signals that end a worker. Called before any thread exists, so that they wait to be seen."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def share_one_heap() -> None:
    """Let all threads allocate from one heap. Called before any other thread exists.

    By default glibc gives each a heap of its own, and a long task that goes from thread to thread leaves its
    pages in each. Where malloc is another one, nothing is done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)


def run_until_signalled(worker: Worker, service: str) -> None:
    """Run the `worker` of `service` in a thread of its own; a signal stops it after what it has begun."""
    thread = threading.Thread(target=worker.run, name="loop")
    thread.start()
    log.info("%s worker started", service)
    # Not `sigtimedwait`: continued after a stop (SIGSTOP, a frozen container) it tells of a signal that never
    # came, and the worker would end.
    while thread.is_alive() and signal.sigpending().isdisjoint(SIGNALS):
        thread.join(LOOK_SECONDS)
    worker.stop()
    thread.join()
    log.info("%s worker stopped", service)
