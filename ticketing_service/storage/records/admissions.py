"""A redemption as every store tells of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from ticketing_service.domain.admissions import Admission, Redemption


def redemption_of(
    scan_id: UUID, entry_key: str, poi_id: UUID, gate: str, redeemed_at: datetime, admission: Admission
) -> Redemption:
    """The entry that a scan was let in by, with what its admission says."""
    return Redemption(
        scan_id=scan_id,
        admission_id=admission.id,
        entry_key=entry_key,
        poi_id=poi_id,
        gate=gate,
        redeemed_at=redeemed_at,
        pax_count=admission.pax_count,
        title=admission.title,
        unit_title=admission.unit_title,
    )
