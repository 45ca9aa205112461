"""Label values that come from data: so many, and no more."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import orjson

from common.monitoring.metrics.slot_files import exclusively

log = logging.getLogger(__name__)

OTHER = "other"
MOST_VALUES = 200
LONGEST_VALUE = 80


class BoundedLabel:
    """At most `most` values over all processes that share `folder`; every further one is `other`.

    The values are kept in a file, so that a value is either a label of its own everywhere and for good, or
    nowhere.
    """

    def __init__(self, folder: Path, label: str, most: int = MOST_VALUES) -> None:
        self._path, self._most = folder / f"values_{label}.json", most
        self._lock = threading.Lock()
        self._known: frozenset[str] = frozenset()

    def __call__(self, value: str) -> str:
        """The label's value for `value`."""
        if value in self._known:
            return value
        value = value[:LONGEST_VALUE]
        if value in self._known or value == OTHER:
            return value
        if len(self._known) >= self._most:
            return OTHER
        with self._lock:
            self._known |= self._registered(value)
        return value if value in self._known else OTHER

    def _registered(self, value: str) -> frozenset[str]:
        """All values after `value` was added; without the disk this process decides alone."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with exclusively(self._path.with_suffix(".guard")):
                values = self._read() | self._known
                if value not in values and len(values) < self._most:
                    values |= {value}
                    written = self._path.with_suffix(".new")
                    written.write_bytes(orjson.dumps(sorted(values)))
                    written.replace(self._path)
        except OSError as error:
            log.warning("a label's values cannot be kept: %s", error)
            values = self._known | ({value} if len(self._known) < self._most else frozenset())
        return values

    def _read(self) -> frozenset[str]:
        try:
            found = orjson.loads(self._path.read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return frozenset()
        return frozenset(filter(lambda each: isinstance(each, str), found if isinstance(found, list) else ()))
