"""`python -m benchmarks.importing URL COUNT`: imports a file of so many rows, and says how fast and how large
the process became.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

from admin_service.actions import poi_imports
from admin_service.actions.pois import By
from admin_service.actions.ports import Ports
from admin_service.domain.audit import Origin
from admin_service.domain.export_rows import EXPORT_COLUMNS, export_row
from admin_service.domain.imports import ImportStatus
from admin_service.domain.workflow import Actor
from admin_service.schemas.poi_imports import read_row
from admin_service.storage.sql.store import open_store
from benchmarks.memory import peak_megabytes
from benchmarks.poi_fill import places
from common.clock import system_clock
from common.outbox.port import Later
from common.web.csv_text import csv_lines

BY = By(
    actor=Actor(name="access:bench", account="bench", reviewed=False),
    origin=Origin(actor="access:bench"),
    sees_all=True,
)


def main() -> None:
    """Import, and print one line of JSON."""
    url, count = sys.argv[1], int(sys.argv[2])
    store = open_store(url)
    ports = cast(Ports, SimpleNamespace(store=store, clock=system_clock))
    import_file(ports, 200)  # what is made once
    base = _megabytes()
    begun = time.perf_counter()
    done = import_file(ports, count)
    seconds = time.perf_counter() - begun
    again = time.perf_counter()
    import_file(ports, count)
    unchanged = time.perf_counter() - again
    store.close()
    found = {
        "rowsPerSecond": round(count / seconds),
        "rowsPerSecondUnchanged": round(count / unchanged),
        "baseMegabytes": base,
        "peakMegabytes": _megabytes(),
        "rows": done,
    }
    sys.stdout.write(json.dumps(found) + "\n")


def import_file(ports: Ports, count: int) -> int:
    """Take a file in and work it off; says how many rows were done."""
    command = poi_imports.BeginImport(by=BY, format="csv", dry_run=False, name="bench.csv")
    job = poi_imports.begin_import(command, _content(count), ports)
    while True:
        try:
            poi_imports.work_off(job.id, read_row, ports)
        except Later:
            continue
        break
    over = poi_imports.find_import(job.id, BY, ports)
    assert over.status is ImportStatus.DONE, over.problem
    return over.rows_done


def _content(count: int) -> Iterator[bytes]:
    """As an export writes it, with an external id for each."""
    at = EXPORT_COLUMNS.index("externalId")

    def rows() -> Iterator[tuple[object, ...]]:
        for number, poi in enumerate(places(count)):
            row = list(export_row(poi))
            row[at] = f"bench-{number}"
            yield tuple(row)

    for line in csv_lines(EXPORT_COLUMNS, rows()):
        yield line.encode()


def _megabytes() -> float:
    return round(peak_megabytes(), 1)


if __name__ == "__main__":
    main()
