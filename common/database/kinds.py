"""Which kind of database a URL is of."""

from __future__ import annotations

from typing import Literal

Kind = Literal["sqlite", "mysql", "mongodb"]


def kind_of(url: str) -> Kind:
    """By the URL's scheme, which the settings have looked at."""
    if url.startswith("mongodb:"):
        return "mongodb"
    return "sqlite" if url.startswith("sqlite:") else "mysql"
