"""What a reseller has written down with a booking, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any
from uuid import UUID

from ticketing_service.domain.resale import Contact, Resale, ResoldUnit

Document = dict[str, Any]

_TOLD = tuple(field.name for field in fields(Contact))


def resale_document(resale: Resale | None) -> Document | None:
    """As JSON values."""
    if resale is None:
        return None
    return {
        "uuid": str(resale.uuid),
        "request": resale.request,
        "reference": resale.reference,
        "notes": resale.notes,
        "mails": resale.mails,
        "contact": _contact_document(resale.contact),
        "units": [
            {
                "uuid": str(unit.uuid),
                "unit_id": str(unit.unit_id),
                "reference": unit.reference,
                "contact": _contact_document(unit.contact),
            }
            for unit in resale.units
        ],
    }


def resale_of(document: Mapping[str, Any] | None) -> Resale | None:
    """What `resale_document` has written."""
    if document is None:
        return None
    return Resale(
        uuid=UUID(document["uuid"]),
        request=document["request"],
        reference=document["reference"],
        notes=document["notes"],
        mails=document["mails"],
        contact=_contact_of(document["contact"]),
        units=tuple(
            ResoldUnit(
                uuid=UUID(unit["uuid"]),
                unit_id=UUID(unit["unit_id"]),
                reference=unit["reference"],
                contact=_contact_of(unit["contact"]),
            )
            for unit in document["units"]
        ),
    )


def without_people(document: Mapping[str, Any]) -> Document | None:
    """The same without whom it is for."""
    resale = resale_of(document)
    if resale is None:
        return None
    units = tuple(replace(unit, contact=Contact()) for unit in resale.units)
    return resale_document(replace(resale, contact=Contact(), notes=None, units=units))


def _contact_document(contact: Contact) -> Document:
    told = ((name, getattr(contact, name)) for name in _TOLD)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in told if value}


def _contact_of(document: Mapping[str, Any]) -> Contact:
    return Contact(**{**document, "locales": tuple(document.get("locales", ()))})
