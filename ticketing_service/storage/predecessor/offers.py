"""What availabilities are of: tickets with options and units, which the predecessor did not have."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from common.texts import LANGUAGES, Texts
from ticketing_service.domain.catalogue import (
    AvailabilityType,
    Option,
    Ticket,
    TicketType,
    Unit,
    UnitType,
)
from ticketing_service.storage.predecessor.catalogue import (
    POLICY,
    TAX,
    UNITS,
    Kind,
    Place,
    Rate,
    option_id,
    ticket_id,
    unit_id,
)

COMMISSION_BASIS_POINTS = 800
UNIT_TITLES: dict[UnitType, Texts] = {
    UnitType.ADULT: dict(
        zip(LANGUAGES, ("Adult", "Adulto", "Erwachsene", "Volwassene", "Adulte"), strict=True)
    ),
    UnitType.CHILD: dict(zip(LANGUAGES, ("Child", "Niño", "Kind", "Kind", "Enfant"), strict=True)),
    UnitType.INFANT: dict(zip(LANGUAGES, ("Infant", "Bebé", "Kleinkind", "Baby", "Bébé"), strict=True)),
}
_DAY = ("Day ticket", "Entrada de día", "Tageskarte", "Dagkaart", "Billet journée")
_TIMED = (
    "Ticket with a time",
    "Entrada con hora",
    "Karte mit Uhrzeit",
    "Kaart met tijd",
    "Billet avec horaire",
)


def ticket_of(place: Place, kind: Kind, rates: Iterable[Rate]) -> Ticket:
    """The ticket that the availabilities of a kind at a place are of."""
    identifier = ticket_id(place, kind)
    titles = _DAY if kind.all_day else _TIMED
    return Ticket(
        id=identifier,
        poi_id=place.id,
        poi_ids=(place.id,),
        type=TicketType.SINGLE,
        status=place.status,
        availability_type=AvailabilityType.OPENING_HOURS if kind.all_day else AvailabilityType.START_TIME,
        title=place.names,
        description={},
        city=place.city,
        category=place.category,
        point=place.point,
        time_zone=place.time_zone,
        currency=kind.currency,
        options=tuple(
            Option(
                id=option_id(identifier, rate),
                title=dict(zip(LANGUAGES, titles, strict=True)),
                default=number == 0,
                units=tuple(_unit(option_id(identifier, rate), each, rate) for each in UNITS),
                min_units=rate.least,
                max_units=rate.most,
            )
            for number, rate in enumerate(sorted(rates))
        ),
        cutoff_minutes=kind.cutoff_minutes,
        refund_policy=POLICY,
        taxes=(TAX,),
        commission_basis_points=COMMISSION_BASIS_POINTS,
        valid_days=1,
        version=1,
        created_at=place.made_at,
        updated_at=place.made_at,
    )


def _unit(option: UUID, unit_type: UnitType, rate: Rate) -> Unit:
    return Unit(
        id=unit_id(option, unit_type),
        type=unit_type,
        title=UNIT_TITLES[unit_type],
        pax_count=1,
        price=0 if unit_type is UnitType.INFANT else rate.price,
    )
