"""CSV (RFC 4180) that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A header and `rows`. Text that a spreadsheet would compute gets an apostrophe; numbers stay."""
    return "".join(csv_lines(columns, rows))


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The same line by line, for files too long to be held whole."""
    out = io.StringIO()
    writer = csv.writer(out)
    for row in chain((columns,), rows):
        writer.writerow([_safe(value) for value in row])
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def _safe(value: Any) -> Any:
    return "'" + value if isinstance(value, str) and is_formula(value) else value


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would compute the text, or would if an apostrophe before it were taken off: what
    gets an apostrophe here can so be told from what had one.
    """
    return text.lstrip(" '").startswith(_FORMULA)
