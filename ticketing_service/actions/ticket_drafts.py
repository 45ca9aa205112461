"""A ticket as a manager writes it, and the ticket that it makes."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from common.identifiers import uuid7
from common.texts import Texts
from ticketing_service.domain.catalogue import (
    AvailabilityType,
    Option,
    Poi,
    RefundStep,
    Restrictions,
    Tax,
    Ticket,
    TicketStatus,
    TicketType,
    Unit,
    UnitType,
)
from ticketing_service.domain.errors import Code, Refused
from ticketing_service.domain.pricing import SalePolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitDraft:
    """A unit as a manager writes it; `id` names one that the option has already.

    `accompanied_by` are ids of units, or types of units of the same option (for units that have no id yet).
    Without `currency` the price is in that of the ticket.
    """

    type: UnitType
    title: Texts
    pax_count: int = 1
    price: int = 0
    currency: str | None = None
    id: UUID | None = None
    min_age: int | None = None
    max_age: int | None = None
    min_quantity: int | None = None
    max_quantity: int | None = None
    accompanied_by: tuple[UUID | UnitType, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionDraft:
    """An option as a manager writes it; `id` names one that the ticket has already."""

    title: Texts
    default: bool
    units: tuple[UnitDraft, ...]
    id: UUID | None = None
    price: int | None = None
    currency: str | None = None
    min_units: int = 1
    max_units: int = 10
    resource_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDraft:
    """A ticket as a manager writes it; None takes the default of the sale policy."""

    poi_id: UUID
    poi_ids: tuple[UUID, ...] = ()
    type: TicketType
    status: TicketStatus = TicketStatus.DRAFT
    availability_type: AvailabilityType
    title: Texts
    description: Texts
    options: tuple[OptionDraft, ...]
    cutoff_minutes: int | None = None
    refund_policy: tuple[RefundStep, ...] | None = None
    taxes: tuple[Tax, ...] | None = None
    commission_basis_points: int | None = None
    valid_days: int = 1


def draft_of(ticket: Ticket) -> TicketDraft:
    """The draft that would make `ticket` as it is."""
    known = {field.name for field in fields(TicketDraft)} - {"options"}
    values = {name: getattr(ticket, name) for name in known}
    if ticket.type is not TicketType.COMBO:
        values["poi_ids"] = ()
    options = tuple(_option_draft(option, ticket.currency) for option in ticket.options)
    return TicketDraft(**values, options=options)


def _option_draft(option: Option, currency: str) -> OptionDraft:
    return OptionDraft(
        id=option.id,
        title=option.title,
        default=option.default,
        units=tuple(_unit_draft(unit, currency) for unit in option.units),
        price=option.price,
        currency=currency,
        min_units=option.min_units,
        max_units=option.max_units,
        resource_ids=option.resource_ids,
    )


def _unit_draft(unit: Unit, currency: str) -> UnitDraft:
    rules = unit.restrictions
    return UnitDraft(
        id=unit.id,
        type=unit.type,
        title=unit.title,
        pax_count=unit.pax_count,
        price=unit.price,
        currency=currency,
        min_age=rules.min_age,
        max_age=rules.max_age,
        min_quantity=rules.min_quantity,
        max_quantity=rules.max_quantity,
        accompanied_by=rules.accompanied_by,
    )


def places_of(draft: TicketDraft) -> tuple[UUID, ...]:
    """The places that the ticket will admit to."""
    return draft.poi_ids if draft.type is TicketType.COMBO else (draft.poi_id,)


def built_ticket(
    draft: TicketDraft, current: Ticket | None, poi: Poi, policy: SalePolicy, now: datetime
) -> Ticket:
    """The ticket that `draft` asks for, at `poi`; parts of the `current` one keep their ids.

    Raises INVALID_TICKET, MIXED_CURRENCIES, UNKNOWN_OPTION, UNKNOWN_UNIT.
    """
    _check(draft)
    cutoff, commission = draft.cutoff_minutes, draft.commission_basis_points
    return Ticket(
        id=current.id if current else uuid7(),
        poi_id=draft.poi_id,
        poi_ids=places_of(draft),
        type=draft.type,
        status=draft.status,
        availability_type=draft.availability_type,
        title=draft.title,
        description=draft.description,
        city=poi.city,
        category=poi.category,
        point=poi.point,
        time_zone=poi.time_zone,
        currency=_currency(draft) or (current.currency if current else policy.currency),
        options=_options(draft, current),
        cutoff_minutes=policy.cutoff_minutes(draft.availability_type) if cutoff is None else cutoff,
        refund_policy=policy.refund_policy if draft.refund_policy is None else draft.refund_policy,
        taxes=policy.taxes if draft.taxes is None else draft.taxes,
        commission_basis_points=policy.commission_basis_points if commission is None else commission,
        valid_days=draft.valid_days,
        version=current.version if current else 1,
        created_at=current.created_at if current else now,
        updated_at=now,
    )


def _options(draft: TicketDraft, current: Ticket | None) -> tuple[Option, ...]:
    known = {option.id: option for option in current.options} if current else {}
    options = []
    for index, option in enumerate(draft.options):
        pointer = f"/options/{index}"
        if option.id is not None and option.id not in known:
            raise Refused(Code.UNKNOWN_OPTION, "An id names an option that the ticket has.", f"{pointer}/id")
        before = known.get(option.id) if option.id else None
        options.append(
            Option(
                id=option.id or uuid7(),
                title=option.title,
                default=option.default,
                units=_units(option, before, pointer),
                price=option.price,
                min_units=option.min_units,
                max_units=option.max_units,
                resource_ids=option.resource_ids,
            )
        )
    return tuple(options)


def _units(option: OptionDraft, before: Option | None, pointer: str) -> tuple[Unit, ...]:
    known = {unit.id for unit in before.units} if before else set()
    for index, unit in enumerate(option.units):
        if unit.id is not None and unit.id not in known:
            detail = "An id names a unit that the option has."
            raise Refused(Code.UNKNOWN_UNIT, detail, f"{pointer}/units/{index}/id")
    ids = [unit.id or uuid7() for unit in option.units]
    return tuple(
        Unit(
            id=unit_id,
            type=unit.type,
            title=unit.title,
            pax_count=unit.pax_count,
            price=unit.price,
            restrictions=Restrictions(
                min_age=unit.min_age,
                max_age=unit.max_age,
                min_quantity=unit.min_quantity,
                max_quantity=unit.max_quantity,
                accompanied_by=_companions(unit, option, ids, f"{pointer}/units/{index}/restrictions"),
            ),
        )
        for index, (unit, unit_id) in enumerate(zip(option.units, ids, strict=True))
    )


def _companions(unit: UnitDraft, option: OptionDraft, ids: list[UUID], pointer: str) -> tuple[UUID, ...]:
    found: dict[UUID, None] = {}
    for index, companion in enumerate(unit.accompanied_by):
        matching = [
            unit_id
            for other, unit_id in zip(option.units, ids, strict=True)
            if other is not unit and companion in (other.type, unit_id)
        ]
        if not matching:
            raise Refused(Code.UNKNOWN_UNIT, pointer=f"{pointer}/accompaniedBy/{index}")
        found.update(dict.fromkeys(matching))
    return tuple(found)


def _currency(draft: TicketDraft) -> str | None:
    """The one currency of all prices in the draft; None when none of them names one."""
    currency: str | None = None
    for index, option in enumerate(draft.options):
        named = [(option.currency, f"/options/{index}/price")] if option.price is not None else []
        named += [(unit.currency, f"/options/{index}/units/{i}/price") for i, unit in enumerate(option.units)]
        for name, pointer in named:
            if name is not None and currency not in (None, name):
                raise Refused(Code.MIXED_CURRENCIES, "A ticket has one currency.", f"{pointer}/currency")
            currency = currency or name
    return currency


def _invalid(pointer: str, detail: str) -> Refused:
    return Refused(Code.INVALID_TICKET, detail, pointer)


def _check(draft: TicketDraft) -> None:
    """What must be true between the fields of a ticket."""
    if sum(option.default for option in draft.options) != 1:
        raise _invalid("/options", "Exactly one option is the default.")
    if draft.type is TicketType.COMBO:
        if len(set(draft.poi_ids)) < 2 or len(set(draft.poi_ids)) != len(draft.poi_ids):
            raise _invalid("/poiIds", "A combo admits to at least two different places.")
        if draft.poi_id not in draft.poi_ids:
            raise _invalid("/poiIds", "The ticket's own place is one of those it admits to.")
    elif set(draft.poi_ids) - {draft.poi_id}:
        raise _invalid("/poiIds", "Only a combo admits to other places.")
    if draft.type is not TicketType.MULTI_DAY and draft.valid_days != 1:
        raise _invalid("/validDays", "Only a multi-day ticket is good for several days.")
    hours = [step.hours_before for step in draft.refund_policy or ()]
    if len(set(hours)) != len(hours):
        raise _invalid("/refundPolicy", "Two steps have the same hours.")
    for index, option in enumerate(draft.options):
        _check_option(draft, option, f"/options/{index}")


def _check_option(draft: TicketDraft, option: OptionDraft, pointer: str) -> None:
    by_group = draft.type is TicketType.GROUP
    if by_group != (option.price is not None):
        detail = "A group ticket has one price for the option, and only a group ticket does."
        raise _invalid(f"{pointer}/price", detail)
    if by_group and any(unit.price for unit in option.units):
        raise _invalid(f"{pointer}/units", "The units of a group ticket cost nothing of their own.")
    if option.min_units > option.max_units:
        raise _invalid(f"{pointer}/maxUnits", "The most is less than the fewest.")
    identities = [unit.id for unit in option.units if unit.id is not None]
    if len(set(identities)) != len(identities):
        raise _invalid(f"{pointer}/units", "Two units have the same id.")
    looks = [(unit.type, tuple(sorted(unit.title.items()))) for unit in option.units]
    if len(set(looks)) != len(looks):
        raise _invalid(f"{pointer}/units", "Two units have the same type and title.")
    if not any(unit.pax_count for unit in option.units):
        raise _invalid(f"{pointer}/units", "At least one unit admits somebody.")
    for index, unit in enumerate(option.units):
        for low, high in (("min_age", "max_age"), ("min_quantity", "max_quantity")):
            least, most = getattr(unit, low), getattr(unit, high)
            if least is not None and most is not None and least > most:
                raise _invalid(f"{pointer}/units/{index}/restrictions", "The most is less than the least.")
