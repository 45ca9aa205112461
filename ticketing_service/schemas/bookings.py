"""Bookings: what comes in."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, post_load, validate

from common.texts import LANGUAGES
from common.web.field_errors import coded
from common.web.schemas import ApiSchema, Instant, WholeNumber
from ticketing_service.actions.bookings import ExpectedTotal
from ticketing_service.domain.bookings import BookingStatus, Customer
from ticketing_service.domain.orders import ItemOrder, UnitQuantity
from ticketing_service.schemas.values import MAX_NAME, EmailAddress, MoneyIn, Paged

MAX_ITEMS, MAX_LINES, MAX_QUANTITY, MAX_URL = 10, 10, 1000, 2000
_NOT_BLANK = validate.Regexp(r".*\S", error="TOO_SHORT: Nothing but blanks.")


class LineIn(ApiSchema):
    unit_id = fields.UUID(required=True)
    quantity = WholeNumber(required=True, validate=validate.Range(1, MAX_QUANTITY))

    @post_load
    def line(self, values: dict[str, Any], **_: Any) -> UnitQuantity:
        return UnitQuantity(**values)


class ItemIn(ApiSchema):
    """What is wanted of one slot."""

    slot_id = fields.UUID(required=True)
    units = fields.List(fields.Nested(LineIn), required=True, validate=validate.Length(1, MAX_LINES))

    @post_load
    def order(self, values: dict[str, Any], **_: Any) -> ItemOrder:
        return ItemOrder(values["slot_id"], tuple(values["units"]))


class CustomerIn(ApiSchema):
    """Whom the booking is for, and where the tickets go."""

    name = fields.String(required=True, validate=[validate.Length(1, MAX_NAME), _NOT_BLANK])
    email = EmailAddress(required=True)
    phone = fields.String(
        allow_none=True,
        load_default=None,
        validate=validate.Regexp(r"\+?[0-9][0-9 ()./-]{2,38}\Z", error="INVALID: Not a telephone number."),
    )
    language = fields.String(load_default="en", validate=validate.OneOf(LANGUAGES))

    @post_load
    def customer(self, values: dict[str, Any], **_: Any) -> Any:
        return Customer(**values)


class ContactPatch(CustomerIn):
    """What is named changes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"partial": tuple(self._declared_fields), **options})

    @post_load
    def customer(self, values: dict[str, Any], **_: Any) -> Any:
        return values


class ExpectedTotalIn(MoneyIn):
    """The total that the customer was shown; another one is refused as PRICE_CHANGED."""

    @post_load
    def total(self, values: dict[str, Any], **_: Any) -> ExpectedTotal:
        return ExpectedTotal(**values)


def items_field(**options: Any) -> Any:
    return fields.List(fields.Nested(ItemIn), validate=validate.Length(1, MAX_ITEMS), **options)


class VoucherCode(fields.String):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        text = super()._deserialize(value, attr, data, **more)
        return (text or "").strip().upper()


def voucher_code_field(**options: Any) -> Any:
    """A voucher's code as people type it; letter case does not matter."""
    shape = validate.Regexp(r"[A-Z0-9_-]{3,40}\Z", error="INVALID: Not a voucher code.")
    return VoucherCode(validate=shape, **options)


class HoldIn(ApiSchema):
    """A booking to be made. There is no price in it: the server makes the price."""

    items = items_field(required=True)
    customer = fields.Nested(CustomerIn, required=True)
    voucher_code = voucher_code_field()
    return_url = fields.String(validate=validate.Length(1, MAX_URL))
    expected_total = fields.Nested(ExpectedTotalIn)


class QuoteIn(ApiSchema):
    """What would be booked."""

    items = items_field(required=True)
    voucher_code = voucher_code_field()


class BookingPatch(ApiSchema):
    """`customer` at any time; `items` (all of them) while the booking is on hold."""

    customer = fields.Nested(ContactPatch)
    items = items_field()
    expected_total = fields.Nested(ExpectedTotalIn)

    @post_load
    def check(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        if not values:
            raise coded("REQUIRED", "Name what is to be changed.")
        return values


class CancelIn(ApiSchema):
    """Without `unitItemIds` all of the booking. `refundPercent` is support's decision against the policy."""

    unit_item_ids = fields.List(fields.UUID(), validate=validate.Length(1, MAX_ITEMS * MAX_LINES))
    reason = fields.String(required=True, validate=[validate.Length(1, 200), _NOT_BLANK])
    refund_percent = WholeNumber(validate=validate.Range(0, 100))


class LookupIn(ApiSchema):
    email = EmailAddress(required=True)
    reference = fields.String(validate=validate.Length(1, 20))


class PayQuery(ApiSchema):
    t = fields.String(required=True, validate=validate.Length(1, 200))


class BookingSearch(Paged):
    """Filters of the list, newest first. A reseller sees its own, whatever `resellerId` says."""

    status = fields.Enum(BookingStatus, by_value=True)
    reference = fields.String(validate=validate.Length(1, 20))
    email = EmailAddress()
    ticket_id = fields.UUID()
    slot_id = fields.UUID()
    reseller_id = fields.UUID()
    created_from = Instant()
    created_to = Instant()
