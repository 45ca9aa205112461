"""What of a slot a change is about, the same in every store."""

from __future__ import annotations

from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.slots import Counter, Slot


def counter_to_change(slot: Slot) -> Counter:
    """The slot's own counter, else the one that it shares. Raises Refused with CAPACITY_SHARED."""
    own = [counter for counter in slot.counters if counter.id == slot.id] or list(slot.counters)
    if len(own) != 1:
        detail = "The slot draws on several shared capacities: change them in the schedule."
        raise Refused(Code.CAPACITY_SHARED, detail, "/capacity")
    return own[0]
