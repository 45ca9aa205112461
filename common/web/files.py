"""Answers that are files to be kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response

from common.web.csv_text import csv_text

CSV = "text/csv"


def attachment(content: bytes | str, media_type: str, name: str, **headers: str) -> Response:
    """A file to be kept under `name`."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, content_type=media_type, headers={**disposition, **headers})


def csv_answer(columns: Sequence[str], rows: Iterable[Sequence[Any]], name: str) -> Response:
    """A CSV file."""
    return attachment(csv_text(columns, rows), f"{CSV}; charset=utf-8", name)
