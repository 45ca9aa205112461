"""What lies in the document of a booking."""

from __future__ import annotations

from common.mongo.collections import (
    BOOLEAN,
    ID,
    INSTANT,
    INTEGER,
    LIST,
    OBJECT,
    index,
    lists_of,
    none_below,
    objects,
    or_null,
    text,
)

CUSTOMER = objects(
    {
        "name": text(200),
        "email": text(254),
        "email_key": text(254),
        "phone": or_null(text(40)),
        "language": text(2),
    }
)
RESALE = {
    # what the reseller calls the booking, and all that it has written down with it
    "resale_uuid": or_null(ID),
    "resale_reference": or_null(text(200)),
    "resale": or_null(OBJECT),
}
RESALE_INDEXES = (
    index("resale_reference", "reseller_id", "resale_reference", "_id"),
    index(
        "ux_resale_uuid",
        "reseller_id",
        "is_test",
        "resale_uuid",
        unique=True,
        partial={"resale_uuid": {"$type": "binData"}},
    ),
)
PRICE = objects(
    {
        "currency": text(3),
        "items": INTEGER,
        "discount": INTEGER,
        "fee": INTEGER,
        "included_taxes": LIST,
    }
)
UNIT_ITEM = objects(
    {
        "id": ID,
        "unit_id": ID,
        "unit_type": text(10),
        "title": OBJECT,
        "pax_count": INTEGER,
        "price": INTEGER,
        "discount": INTEGER,
        "commission": INTEGER,
        # what the reseller owes for it
        "net": or_null(INTEGER),
        "status": text(12),
        "admission_id": or_null(ID),
        # the end of its admission
        "admits_until": or_null(INSTANT),
    }
)
ITEM = objects(
    {
        "id": ID,
        "ticket_id": ID,
        "option_id": ID,
        "slot_id": ID,
        "local_start": text(16),
        "local_end": text(16),
        "time_zone": text(60),
        "starts_at": INSTANT,
        "ends_at": INSTANT,
        "sales_end_at": INSTANT,
        # what was agreed when it was sold: titles, refund policy, taxes
        "terms": OBJECT,
        "units": lists_of(UNIT_ITEM),
    }
)
CLAIM = objects(
    # what the booking takes of a counter: a counter's held is the sum of its claims that have `held_until`,
    # sold of the others
    {
        "counter_id": ID,
        # the booking's own id for what no item stands for (voucher uses, standing holds, credit)
        "item_id": ID,
        "kind": text(8),
        "quantity": none_below(0),
        "held_until": or_null(INSTANT),
    }
)
HISTORY_ROW = objects(
    {
        "id": ID,
        "at": INSTANT,
        "actor": text(120),
        "from_status": or_null(text(20)),
        "to_status": text(20),
        "reason": text(500),
    }
)
PAYMENT = objects(
    {
        "id": ID,
        "provider_id": or_null(text(100)),
        "amount": INTEGER,
        "currency": text(3),
        "state": text(20),
        "captured": INTEGER,
        # refunds ordered so far; their sum never exceeds `captured`, or `amount` while the capture is under
        # way
        "refund_ordered": INTEGER,
        "accepted": BOOLEAN,
        "redirect_url": or_null(text(2000)),
        "return_url": text(2000),
        "session_ends_at": or_null(INSTANT),
        # when the worker asks the module next; null when nothing is open
        "next_look_at": or_null(INSTANT),
        "looks": INTEGER,
        "created_at": INSTANT,
    }
)
REFUND = objects(
    {
        "id": ID,
        "payment_id": ID,
        "amount": INTEGER,
        "reason": text(200),
        "status": text(12),
        "provider_refund_id": or_null(text(100)),
        "created_at": INSTANT,
    }
)
