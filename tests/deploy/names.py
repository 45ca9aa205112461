"""The names of all metrics that a service may have, as the code has them."""

from __future__ import annotations

from admin_service import metrics as admin
from common.monitoring.metrics.definitions import COMMON, Definition
from ticketing_service import metrics as ticketing

OF_PROMETHEUS = ("up",)


def series_names() -> set[str]:
    """Every name that may stand in an expression; a histogram has three."""
    named = [*_series("ticketing_", (*COMMON, *ticketing.DEFINITIONS))]
    named += _series("admin_", (*COMMON, *admin.DEFINITIONS))
    return {*named, *OF_PROMETHEUS}


def bounds(name: str) -> set[str]:
    """The upper bounds of a common histogram's buckets, as Prometheus writes them."""
    return {str(bound) for each in COMMON if each.name == name for bound in each.buckets}


def _series(prefix: str, definitions: tuple[Definition, ...]) -> list[str]:
    return [
        f"{prefix}{each.name}{ending}"
        for each in definitions
        for ending in (("_bucket", "_count", "_sum") if each.kind == "histogram" else ("",))
    ]
