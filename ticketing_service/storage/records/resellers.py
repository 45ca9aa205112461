"""The accounts of a reseller as plain data, the same on every store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from ticketing_service.domain.resellers import Credit, Reseller, credit_counter_id


def credit_document(credit: Iterable[Credit]) -> list[dict[str, Any]]:
    """What of each account is decided by staff; `Credit(**each)` is it again, with nothing used."""
    return [{"currency": each.currency, "limit": each.limit, "paid": each.paid} for each in credit]


def with_used(resellers: Iterable[Reseller], used: Mapping[UUID, int]) -> list[Reseller]:
    """The resellers with what is `used` of their credit, by the counters of their accounts."""
    return [
        replace(
            reseller,
            credit=tuple(
                replace(each, used=used.get(credit_counter_id(reseller.id, each.currency), 0))
                for each in reseller.credit
            ),
        )
        for reseller in resellers
    ]
