"""What time alone brings about: expiry, no-shows, longer schedules, the copy of the POIs, forgetting.

Only the worker runs these. Correctness never waits for them: a store verb that needs a place releases what
has ended.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from ticketing_service.actions.ports import Ports
from ticketing_service.clients.port import PoiList
from ticketing_service.domain.errors import Refused
from ticketing_service.domain.local_time import local_day
from ticketing_service.domain.recurrence import plan_slots

log = logging.getLogger(__name__)

BATCH = 100
COUNTERS = 500
EXTENDED_EVERY = timedelta(hours=20)
"""Less than a day, so that every local day is planned in time."""


def expire_holds(ports: Ports) -> None:
    """Give back the places of all holds that have ended."""
    _until_none_is_left(lambda: ports.store.bookings.expire_due(ports.clock(), BATCH))


def mark_no_shows(ports: Ports) -> None:
    """Note who did not come."""
    _until_none_is_left(lambda: ports.store.bookings.mark_no_shows(ports.clock(), BATCH))


def purge(ports: Ports) -> None:
    """Forget what nobody asks for any more."""
    _until_none_is_left(lambda: ports.store.outbox.purge(ports.clock(), BATCH))


def extend_schedules(ports: Ports) -> int:
    """Make the slots of open-ended schedules up to the horizon; says how many schedules were extended.

    One that cannot be planned any more (its option is gone) is reported and left as it is.
    """
    extended = 0
    tickets = ports.store.slots.schedules_to_extend(ports.clock() - EXTENDED_EVERY, BATCH)
    for ticket_id in tickets:
        try:
            extended += _extend(ticket_id, ports)
        except Refused as refused:
            log.warning("the schedule of ticket %s cannot be extended: %s", ticket_id, refused)
    return extended


def _extend(ticket_id: UUID, ports: Ports) -> bool:
    ticket, schedule = ports.store.catalogue.ticket(ticket_id), ports.store.slots.schedule(ticket_id)
    if ticket is None or schedule is None:
        return False
    now = ports.clock()
    planned = plan_slots(ticket, schedule, local_day(now, ticket.time_zone))
    outcome = ports.store.slots.put_schedule(ticket, schedule, planned, now, extending=True)
    log.info("ticket %s: %d slots added", ticket_id, outcome.created)
    return True


class PoiCopy:
    """Our copy of the POIs, brought up to date when the directory has changed."""

    def __init__(self) -> None:
        self._last: PoiList | None = None
        # read, and not taken over yet: the directory need not tell it twice
        self._open: PoiList | None = None

    def pull(self, ports: Ports) -> int:
        """Take over what is new; says how many changed. Raises DirectoryUnavailable, StoreUnavailable."""
        changed = 0
        while True:
            found = self._open or ports.poi_directory.read()
            if found is not self._last:
                self._open = found
                changed += self._take_over(found, ports)
                self._last, self._open = found, None
            if not found.more:
                return changed

    def _take_over(self, found: PoiList, ports: Ports) -> int:
        for fault in found.faults:
            log.warning("POI directory: feature %d cannot be used: %s", fault.index, fault.reason)
        changed = ports.store.catalogue.put_pois(found.pois)
        if changed:
            log.info("POI directory: %d of %d POIs are new or changed", changed, len(found.pois))
        return changed


class CounterCheck:
    """Holds all capacity counters against their bookings, a batch at a time, round after round."""

    def __init__(self) -> None:
        self._after: UUID | None = None
        self._found = 0

    def go_on(self, ports: Ports) -> int | None:
        """Check the next batch; how many counters had drifted when that ends a round, else None."""
        counted = ports.store.slots.count_again(self._after, COUNTERS)
        for counter_id in counted.drifted:
            log.error("capacity counter %s is not what its bookings add up to", counter_id)
        self._found += len(counted.drifted)
        self._after = counted.last
        if counted.last is not None:
            return None
        found, self._found = self._found, 0
        return found


def _until_none_is_left(batch: Callable[[], int]) -> None:
    while batch() >= BATCH:
        pass
