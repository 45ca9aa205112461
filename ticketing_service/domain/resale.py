"""What a reseller writes down with a booking: its own ids and references, and its customers' contacts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

LONGEST_REFERENCE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Of the customer, or of the guest of one unit; None is what was not told. `locales` are BCP 47 tags."""

    full_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    locales: tuple[str, ...] = ()
    postal_code: str | None = None
    country: str | None = None
    notes: str | None = None

    @property
    def name(self) -> str:
        """The full name, or what it is put together from; empty when there is none."""
        return self.full_name or " ".join(filter(None, (self.first_name, self.last_name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResoldUnit:
    """One unit item as the reseller knows it: by an id of its own."""

    uuid: UUID
    unit_id: UUID
    reference: str | None = None
    contact: Contact = field(default_factory=Contact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resale:
    """`uuid` is unique among the bookings of the reseller (its tests apart); `request` is the fingerprint of
    the request that made it, so that a repetition is told from another request. `units` are in the order in
    which they were asked for. `mails`: whether the customer is to get our mails, too.
    """

    uuid: UUID
    request: str
    reference: str | None = None
    notes: str | None = None
    contact: Contact = field(default_factory=Contact)
    units: tuple[ResoldUnit, ...] = ()
    mails: bool = False


def quantities(units: Iterable[ResoldUnit]) -> dict[UUID, int]:
    """How many of each unit, in the order of their first appearance."""
    counted: dict[UUID, int] = {}
    for unit in units:
        counted[unit.unit_id] = counted.get(unit.unit_id, 0) + 1
    return counted


def matched(units: Sequence[ResoldUnit], sold: Iterable[tuple[UUID, UUID]]) -> dict[UUID, ResoldUnit]:
    """By the id of the unit item: what the reseller calls it. `sold` are (id, unit) of the unit items in
    their order, of which the n-th of a unit is the n-th that was asked for.
    """
    waiting: dict[UUID, list[ResoldUnit]] = {}
    for unit in units:
        waiting.setdefault(unit.unit_id, []).append(unit)
    found = {}
    for item_id, unit_id in sold:
        queue = waiting.get(unit_id)
        found[item_id] = queue.pop(0) if queue else ResoldUnit(uuid=item_id, unit_id=unit_id)
    return found
