"""What comes in over OCTO: fields that are not known are let pass."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import EXCLUDE, fields, post_load, validate

from common.texts import LANGUAGES
from common.web.field_errors import coded
from common.web.schemas import ApiSchema, WholeNumber, YesNo
from common.web.values import is_email
from ticketing_service.domain.resale import LONGEST_REFERENCE, Contact
from ticketing_service.domain.resale_changes import NamedUnit
from ticketing_service.schemas.values import MAX_EMAIL, MAX_NAME, Day

MAX_ID, MAX_NOTES, MAX_UNITS, MAX_SLOTS, MAX_QUANTITY, MAX_MINUTES = 100, 2000, 500, 400, 1000, 10_000
MAX_REASON = 400
_MAX_PHONE = 40


class OctoSchema(ApiSchema):
    class Meta:
        unknown = EXCLUDE


def _text(longest: int, **options: Any) -> Any:
    return fields.String(allow_none=True, validate=validate.Length(max=longest), **options)


def _id_field() -> Any:
    """What is no id of ours is refused as one that is not known, not as a malformed field."""
    return _text(MAX_ID, load_default=None)


def _check_email(text: str) -> None:
    """Nothing is an address that was not told."""
    if text.strip() and (len(text) > MAX_EMAIL or not is_email(text.strip())):
        raise coded("INVALID", "Not an e-mail address.")


class ContactIn(OctoSchema):
    full_name = _text(MAX_NAME)
    first_name = _text(MAX_NAME // 2 - 1)
    last_name = _text(MAX_NAME // 2)
    email_address = fields.String(allow_none=True, validate=_check_email)
    phone_number = _text(_MAX_PHONE)
    locales = fields.List(fields.String(validate=validate.Length(1, 35)), validate=validate.Length(max=20))
    postal_code = _text(40)
    country = _text(100)
    notes = _text(MAX_NOTES)

    @post_load
    def contact(self, values: dict[str, Any], **_: Any) -> Contact:
        """What is blank was not told."""
        told = {
            name: (value.strip() or None) if isinstance(value, str) else value
            for name, value in values.items()
        }
        return Contact(
            full_name=told.get("full_name"),
            first_name=told.get("first_name"),
            last_name=told.get("last_name"),
            email=told.get("email_address"),
            phone=told.get("phone_number"),
            locales=tuple(told.get("locales") or ()),
            postal_code=told.get("postal_code"),
            country=told.get("country"),
            notes=told.get("notes"),
        )


class UnitItemIn(OctoSchema):
    uuid = fields.UUID(allow_none=True, load_default=None)
    unit_id = _id_field()
    reseller_reference = _text(LONGEST_REFERENCE, load_default=None)
    contact = fields.Nested(ContactIn, allow_none=True, load_default=None)


def _unit_items(**options: Any) -> Any:
    return fields.List(fields.Nested(UnitItemIn), validate=validate.Length(1, MAX_UNITS), **options)


class QuantityIn(OctoSchema):
    id = _id_field()
    quantity = WholeNumber(required=True, validate=validate.Range(0, MAX_QUANTITY))


class CalendarIn(OctoSchema):
    """The days of a calendar, both included."""

    product_id = _id_field()
    option_id = _id_field()
    local_date_start = Day(allow_none=True, load_default=None)
    local_date_end = Day(allow_none=True, load_default=None)
    units = fields.List(
        fields.Nested(QuantityIn), allow_none=True, load_default=None, validate=validate.Length(max=MAX_UNITS)
    )
    currency = _text(3, load_default=None)


class AvailabilityIn(CalendarIn):
    """Days, or some that are named."""

    local_date = Day(allow_none=True, load_default=None)
    availability_ids = fields.List(
        fields.String(validate=validate.Length(max=MAX_ID)),
        allow_none=True,
        load_default=None,
        validate=validate.Length(max=MAX_SLOTS),
    )


def _minutes() -> Any:
    return WholeNumber(allow_none=True, load_default=None, validate=validate.Range(1, MAX_MINUTES))


class ReservationIn(OctoSchema):
    uuid = _id_field()
    product_id = _id_field()
    option_id = _id_field()
    availability_id = _id_field()
    expiration_minutes = _minutes()
    notes = _text(MAX_NOTES, load_default=None)
    unit_items = _unit_items(required=True)
    reseller_reference = _text(LONGEST_REFERENCE, load_default=None)
    contact = fields.Nested(ContactIn, allow_none=True, load_default=None)
    currency = _text(3, load_default=None)
    email_receipt = YesNo(allow_none=True, load_default=None)


class UpdateIn(OctoSchema):
    """What is not named stays."""

    product_id = _id_field()
    option_id = _id_field()
    availability_id = _id_field()
    notes = _text(MAX_NOTES, load_default=None)
    unit_items = _unit_items(allow_none=True, load_default=None)
    reseller_reference = _text(LONGEST_REFERENCE, load_default=None)
    contact = fields.Nested(ContactIn, allow_none=True, load_default=None)
    email_receipt = YesNo(allow_none=True, load_default=None)


class ConfirmationIn(OctoSchema):
    """What of the booking is told at last."""

    unit_items = _unit_items(allow_none=True, load_default=None)
    reseller_reference = _text(LONGEST_REFERENCE, load_default=None)
    contact = fields.Nested(ContactIn, allow_none=True, load_default=None)
    email_receipt = YesNo(allow_none=True, load_default=None)


class ExtensionIn(OctoSchema):
    expiration_minutes = _minutes()


class CancellationIn(OctoSchema):
    reason = _text(MAX_REASON, load_default=None)


class BookingsQuery(OctoSchema):
    reseller_reference = fields.String(validate=validate.Length(1, LONGEST_REFERENCE))
    supplier_reference = fields.String(validate=validate.Length(1, 40))
    local_date = Day()
    local_date_start = Day()
    local_date_end = Day()


class VoucherQuery(OctoSchema):
    dl = fields.String(required=True, validate=validate.Length(1, 200))


def identifier(text: str | None) -> UUID | None:
    """The id that it is, if it is one."""
    try:
        return None if text is None else UUID(text)
    except ValueError:
        return None


def language_of(contact: Contact | None, default: str) -> str:
    """The first of the contact's languages that we write in."""
    spoken = (locale.lower().partition("-")[0] for locale in (contact.locales if contact else ()))
    return next((language for language in spoken if language in LANGUAGES), default)


def named_unit(values: dict[str, Any], unit_id: UUID) -> NamedUnit:
    """A unit item of a request, its unit told from others."""
    return NamedUnit(
        unit_id=unit_id,
        uuid=values["uuid"],
        reference=values["reseller_reference"],
        contact=values["contact"],
    )
