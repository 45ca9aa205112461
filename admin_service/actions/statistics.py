"""Figures for a dashboard. What is counted here is asked of the store, sales of the ticketing service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from admin_service.actions.ports import Ports
from admin_service.clients.port import Sales, TicketingUnavailable
from admin_service.domain.poi import PoiStatus
from admin_service.storage.ports.media import Taken

SIGN_INS: Mapping[str, str] = {"accepted": "sessions.create", "refused": "sessions.refused"}
"""What is told of sign-ins, and the action of the audit trail that counts it."""

UPLOADS = "media.upload"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Over the last `days`, but for what is there now: `pois_by_status`, `pois_by_category` (those that are
    shown) and `media`. `sales` is None while the ticketing service is away."""

    days: int
    pois_by_status: Mapping[PoiStatus, int]
    pois_by_category: Mapping[str, int]
    media: Taken
    sign_ins: Mapping[str, int]
    active_sessions: int
    uploads: int
    sales: tuple[Sales, ...] | None


def show_statistics(days: int, ports: Ports) -> Statistics:
    """Answers without sales where there are none to be had: a dashboard is not dark because one lamp is."""
    now, store = ports.clock(), ports.store
    since = now - timedelta(days=days)
    counted = store.audit.counted((*SIGN_INS.values(), UPLOADS), since)
    try:
        sales = ports.ticketing.sales(since.date(), now.date())
    except TicketingUnavailable:
        sales = None
    return Statistics(
        days=days,
        pois_by_status=store.pois.counts(),
        pois_by_category=store.pois.counts_by_category(),
        media=store.media.taken(),
        sign_ins={name: counted[action] for name, action in SIGN_INS.items()},
        active_sessions=store.sessions.active(now),
        uploads=counted[UPLOADS],
        sales=sales,
    )
