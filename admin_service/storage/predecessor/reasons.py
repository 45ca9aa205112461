"""Why a POI of the predecessor cannot be one of ours, beyond the kinds of its members."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Reason(StrEnum):
    """As it is listed; RULES is followed by the code and the field that is meant."""

    COUNTRY = "location.country: not known"
    CATEGORY = "category: a word that is not known"
    HOURS = "hours.regular: not a list of days with HH:MM"
    FEATURES = "features: not a list of texts"
    RULES = "the rules of a POI"


REMEDIES: Mapping[Reason, str] = {
    Reason.COUNTRY: "write its code of ISO 3166-1, such as `NL`",
    Reason.CATEGORY: "write one of those above",
    Reason.HOURS: "write `day`, `open` and `close`, or `closed: true`",
    Reason.FEATURES: "write texts",
    Reason.RULES: "put the field right: a request would get this code ([routes](admin.md))",
}
