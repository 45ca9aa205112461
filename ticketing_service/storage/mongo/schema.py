"""The collections: what a document looks like and by which indexes it is found.

What belongs to a booking and is read with it lies in it: items, unit items, claims, payments, refunds,
history. What many want at the same time (counters), what is looked for by itself (admissions, the ledger) and
what grows without end has a collection of its own.
"""

from __future__ import annotations

from common.mongo.collections import (
    BOOLEAN,
    BYTES,
    ID,
    INSTANT,
    INTEGER,
    LIST,
    NUMBER,
    OBJECT,
    Collections,
    idempotency_collection,
    index,
    leases_collection,
    lists_of,
    none_below,
    objects,
    or_null,
    outbox_collection,
    text,
)
from ticketing_service.storage.mongo import steps
from ticketing_service.storage.mongo.booking_parts import (
    CLAIM,
    CUSTOMER,
    HISTORY_ROW,
    ITEM,
    PAYMENT,
    PRICE,
    REFUND,
    RESALE,
    RESALE_INDEXES,
)
from ticketing_service.storage.mongo.reseller_parts import KEY, RESELLER
from ticketing_service.storage.mongo.webhook_parts import DELIVERIES, EVENTS, SUBSCRIPTIONS

PREFIX = "ticketing_"
STEPS = steps.STEPS

collections = Collections(PREFIX)

pois = collections(
    "pois",
    {
        "_id": ID,
        "names": OBJECT,
        "city": text(120),
        "category": text(60),
        "latitude": NUMBER,
        "longitude": NUMBER,
        "time_zone": text(60),
        "version": INTEGER,
    },
)

tickets = collections(
    "tickets",
    {
        "_id": ID,
        "poi_id": ID,
        "type": text(20),
        "status": text(10),
        "city": text(120),
        "category": text(60),
        "latitude": NUMBER,
        "longitude": NUMBER,
        "sort_title": text(120),
        "from_price": INTEGER,
        "version": INTEGER,
        "created_at": INSTANT,
        "updated_at": INSTANT,
        # options with units, texts, taxes, policies: read and written as one
        "body": OBJECT,
        "words": lists_of(text(40)),
    },
    index("status_title", "status", "sort_title", "_id"),
    index("status_price", "status", "from_price", "_id"),
    index("status_created", "status", "created_at", "_id"),
    index("latitude", "latitude"),
    index("poi", "poi_id"),
    index("words", "words", "status"),
)

schedules = collections(
    "schedules",
    # of the ticket with the same id
    {"_id": ID, "body": OBJECT, "open_ended": BOOLEAN, "extended_at": INSTANT},
    index("extended", "open_ended", "extended_at"),
)

slots = collections(
    "slots",
    {
        "_id": ID,
        "ticket_id": ID,
        "option_id": ID,
        "local_start": text(16),
        "local_end": text(16),
        "time_zone": text(60),
        "all_day": BOOLEAN,
        "opening_hours": LIST,
        "starts_at": INSTANT,
        "ends_at": INSTANT,
        "sales_end_at": INSTANT,
        "status": text(10),
        "multiplier": text(10),
        "version": INTEGER,
        # what it draws on, in the order of their ids
        "counter_ids": lists_of(ID),
    },
    index("ux_option_start", "option_id", "local_start", unique=True),
    index("ticket_start", "ticket_id", "local_start", "option_id"),
    index("status_start", "status", "local_start", "ticket_id"),
)

counters = collections(
    "capacity_counters",
    {
        "_id": ID,
        "capacity": or_null(none_below(0)),
        "held": none_below(0),
        "sold": none_below(0),
        # set for the counters of standing holds alone: those without a claim are swept away
        "transient": BOOLEAN,
        # how often staff changed what draws on it: a sale under way loses against that
        "changes": INTEGER,
    },
    index("transient", "transient", "held", "_id"),
)

vouchers = collections(
    "vouchers",
    # the voucher's counter in `capacity_counters` has the same id
    {
        "_id": ID,
        "code": text(40),
        "percent_basis_points": or_null(INTEGER),
        "amount": or_null(INTEGER),
        "currency": or_null(text(3)),
        "valid_from": INSTANT,
        "valid_until": INSTANT,
        "max_uses_per_customer": or_null(INTEGER),
        "ticket_ids": lists_of(ID),
        "active": BOOLEAN,
        "version": INTEGER,
        "created_at": INSTANT,
    },
    index("ux_code", "code", unique=True),
)

resellers = collections("resellers", RESELLER)

reseller_keys = collections(
    "reseller_keys",
    KEY,
    index("ux_hash", "hash", unique=True),
    index("reseller", "reseller_id", "_id"),
    index("revoked", "revoked_at"),
)

bookings = collections(
    "bookings",
    {
        "_id": ID,
        "reference": text(16),
        "status": text(12),
        "channel": text(10),
        "principal": or_null(text(120)),
        "reseller_id": or_null(ID),
        "is_test": BOOLEAN,
        **RESALE,
        "customer": CUSTOMER,
        "price": PRICE,
        "voucher_id": or_null(ID),
        "voucher_code": or_null(text(40)),
        "payment_status": text(20),
        "return_url": or_null(text(2000)),
        "extensions": INTEGER,
        "version": INTEGER,
        "created_at": INSTANT,
        "expires_at": INSTANT,
        "updated_at": INSTANT,
        # the end of the last admission while one is still to be used, for the no-show sweep
        "admits_until": or_null(INSTANT),
        "ends_at": INSTANT,  # of the last item
        # the first instant at which the worker asks for one of its payments
        "next_look_at": or_null(INSTANT),
        "items": lists_of(ITEM),
        "claims": lists_of(CLAIM),
        "payments": lists_of(PAYMENT),
        # those of its payments that the module has given an id
        "provider_ids": lists_of(text(100)),
        "refunds": lists_of(REFUND),
        "history": lists_of(HISTORY_ROW),
        # counts every write, whatever it changes
        "revision": INTEGER,
    },
    index("ux_reference", "reference", unique=True),
    index("status_expires", "status", "expires_at"),
    index("status_id", "status", "_id"),
    index("admits_until", "admits_until", partial={"admits_until": {"$type": "long"}}),
    index("next_look", "next_look_at", partial={"next_look_at": {"$type": "long"}}),
    index("email_id", "customer.email_key", "_id"),
    index("created_id", "created_at", "_id"),
    index("reseller_id", "reseller_id", "_id"),
    *RESALE_INDEXES,
    index("slot", "items.slot_id", "_id"),
    index("ticket", "items.ticket_id", "_id"),
    index("claims", "claims.counter_id", "claims.held_until"),
    index("payment", "payments.id"),
    index("refund", "refunds.id"),
    index("ux_provider", "provider_ids", unique=True, partial={"provider_ids": {"$type": "string"}}),
)

admissions = collections(
    "admissions",
    {
        "_id": ID,
        "booking_id": ID,
        "item_id": ID,
        "unit_item_id": ID,
        "ticket_id": ID,
        "ticket_type": text(20),
        "title": OBJECT,
        "unit_title": OBJECT,
        "poi_ids": lists_of(ID),
        "pax_count": INTEGER,
        "time_zone": text(60),
        "first_day": text(10),
        "valid_days": INTEGER,
        "valid_from": INSTANT,
        "valid_until": INSTANT,
        "code": text(400),
        "cancelled_at": or_null(INSTANT),
        # its redemptions; counted up by each, so that two at a time never both are the first
        "uses": INTEGER,
    },
    index("booking", "booking_id", "unit_item_id"),
    index("unit_item", "unit_item_id"),
    index("cancelled", "cancelled_at", "_id", partial={"cancelled_at": {"$type": "long"}}),
)

redemptions = collections(
    "redemptions",
    {
        "_id": objects({"admission_id": ID, "entry_key": text(40)}),
        "scan_id": ID,
        "poi_id": ID,
        "gate": text(120),
        "redeemed_at": INSTANT,
        "recorded_at": INSTANT,
        "offline": BOOLEAN,
    },
    index("ux_scan", "scan_id", unique=True),
    index("admission", "_id.admission_id"),
)

documents = collections(
    "documents",  # of the booking with the same id
    {"_id": ID, "booking_version": INTEGER, "pdf": BYTES, "created_at": INSTANT},
)

ledger = collections(
    "ledger",
    # what was captured and what of it was given back; never changed, only added to
    {
        "_id": ID,
        "at": INSTANT,
        "day": text(10),
        "kind": text(10),  # sale, fee, refund
        "booking_id": ID,
        "unit_item_id": or_null(ID),
        "ticket_id": or_null(ID),
        "ticket_type": or_null(text(20)),
        "unit_type": or_null(text(10)),
        "channel": text(10),
        "reseller_id": or_null(ID),
        "currency": text(3),
        "amount": INTEGER,
        "commission": INTEGER,
    },
    index("day", "day", "kind"),
    index("booking", "booking_id"),
)

webhook_subscriptions = collections(*SUBSCRIPTIONS)
webhook_events = collections(*EVENTS)
webhook_deliveries = collections(*DELIVERIES)
outbox = outbox_collection(collections)
idempotency = idempotency_collection(collections)
leases = leases_collection(collections)

platform = collections(
    "platform",
    # one: what the admin service said last, for when it is away
    {"_id": INTEGER, "document": text(10_000_000), "kept_at": INSTANT},
)
