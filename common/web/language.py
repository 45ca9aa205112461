"""The language of an answer: `?lang=`, else Accept-Language (RFC 9110 section 12.5.4), else the first on
offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from flask import Request

from common.web.field_errors import FieldError
from common.web.problems import invalid


def chosen_language(request: Request, query: Mapping[str, Any], offered: Sequence[str]) -> str:
    """One of `offered`. A `lang` in `query` wins and must be one of them (422); a header never fails."""
    wanted = query.get("lang")
    if wanted is None:
        return negotiated(request.headers.get("Accept-Language", ""), tuple(offered))
    if wanted not in offered:
        raise invalid([FieldError("?lang", "NOT_A_CHOICE", f"Must be one of: {', '.join(offered)}.")])
    return str(wanted)


@lru_cache(maxsize=512)
def negotiated(header: str, offered: tuple[str, ...]) -> str:
    """The best of `offered` for an Accept-Language `header`; the first when nothing fits or it cannot be
    read."""
    best, best_weight = offered[0], 0.0
    for item in header[:200].split(","):
        name, _, parameter = item.strip().partition(";")
        weight = _weight(parameter)
        language = offered[0] if name.strip() == "*" else name.strip().lower().partition("-")[0]
        if language in offered and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if name.strip() == "q" and 0 <= weight <= 1 else 0.0
