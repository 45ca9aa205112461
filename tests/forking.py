"""Child processes of tests: forked from a clean one that has no threads and has imported what they need."""

from __future__ import annotations

import multiprocessing

context = multiprocessing.get_context("forkserver")
context.set_forkserver_preload(
    [
        "tests.coordination.nodes",
        "tests.invariants.crowd",
        "tests.invariants.test_contention",
        "tests.invariants.test_credit",
        "tests.resilience.service_process",
    ]
)
