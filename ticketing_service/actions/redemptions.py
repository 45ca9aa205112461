"""Letting people in: one scan, a batch of scans made without a network, and what gates need for those."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from common.pages import Page
from common.web.idempotency import Idempotency
from ticketing_service.actions.ports import Ports
from ticketing_service.actions.tickets import AllowedPois, require_places
from ticketing_service.domain import codes
from ticketing_service.domain.admissions import Admission, Redemption, Scan
from ticketing_service.domain.entry import EntryMode, entry_key
from ticketing_service.domain.errors import Code, Refused

OLDEST_SCAN = timedelta(days=7)
LATEST_COMMIT = timedelta(seconds=30)
"""A cancellation is dated when it is asked for, and seen when it is committed, no later than that."""

CLOCK_TOLERANCE = timedelta(minutes=2)
"""A scanner's clock may be that much ahead of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanCode:
    """`scanned_at` is set for a scan made without a network; the time rules then hold for that instant."""

    code: str
    poi_id: UUID
    scan_id: UUID
    scanned_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Who scans, and the places that the credential is limited to (None: any)."""

    name: str
    allowed_pois: AllowedPois = None


def redeem(scan: ScanCode, gate: Gate, ports: Ports, idempotency: Idempotency | None = None) -> Redemption:
    """Use one entry right. The same `scan_id` gets its first answer.

    Raises POI_NOT_ALLOWED, SCAN_TIME_INVALID, CODE_UNREADABLE, CODE_FORGED, TEST, ADMISSION_NOT_FOUND,
    ALREADY_REDEEMED and what `entry_key` raises.
    """
    require_places((scan.poi_id,), gate.allowed_pois, "/poiId")
    now = ports.clock()
    at = _moment(scan, now)
    payload = codes.verify(scan.code, ports.admission_keys.public_keys())
    if payload.entry_mode is EntryMode.TEST:
        raise Refused(Code.TEST, pointer="/code")
    known = Scan(
        scan_id=scan.scan_id,
        admission_id=payload.admission_id,
        poi_id=scan.poi_id,
        scanned_at=at,
        gate=gate.name,
        offline=scan.scanned_at is not None,
    )
    check = partial(_entry, poi_id=scan.poi_id, at=at)
    return ports.store.admissions.redeem(known, check, now, idempotency=idempotency)


def redeem_all(
    scans: tuple[ScanCode, ...], gate: Gate, ports: Ports
) -> Iterator[tuple[ScanCode, Redemption | Refused]]:
    """Each scan on its own, in the order of their making: one that is refused does not stop the others."""
    outcomes: dict[int, Redemption | Refused] = {}
    now = ports.clock()
    for index, scan in sorted(enumerate(scans), key=lambda each: each[1].scanned_at or now):
        try:
            outcomes[index] = redeem(scan, gate, ports)
        except Refused as refused:
            outcomes[index] = refused
    return ((scan, outcomes[index]) for index, scan in enumerate(scans))


def find_revocations(since: datetime | None, limit: int, cursor: str | None, ports: Ports) -> Page[Admission]:
    """Admissions that were cancelled, so that a gate without a network can refuse them.

    A gate asks for what is new since its last question. What was still being committed at that time comes
    now: the list begins a little earlier, and names some twice rather than leave one out.
    """
    since = None if since is None else since - LATEST_COMMIT
    return ports.store.admissions.revocations(since, limit, cursor)


def _entry(admission: Admission, poi_id: UUID, at: datetime) -> str:
    return entry_key(admission, poi_id, at)


def _moment(scan: ScanCode, now: datetime) -> datetime:
    at = scan.scanned_at
    if at is None:
        return now
    if at > now + CLOCK_TOLERANCE:
        raise Refused(Code.SCAN_TIME_INVALID, "The scan is from the future.", "/scannedAt")
    if at < now - OLDEST_SCAN:
        raise Refused(Code.SCAN_TIME_INVALID, "The scan is more than 7 days old.", "/scannedAt")
    return at
