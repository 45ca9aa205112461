"""The tables. Migrations bring a database to this shape; a test holds the two equal."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
)

from common.database.tables import Tables, blob, idempotency_table, leases_table, outbox_table
from common.database.types import Identifier, Instant, Json, LocalTime

PREFIX = "ticketing_"
VERSION_TABLE = f"{PREFIX}alembic_version"

_table = Tables(PREFIX)
metadata = _table.metadata

pois = _table(
    "pois",
    Column("id", Identifier, primary_key=True),
    Column("names", Json, nullable=False),
    Column("city", String(120), nullable=False),
    Column("category", String(60), nullable=False),
    Column("latitude", Float(53), nullable=False),
    Column("longitude", Float(53), nullable=False),
    Column("time_zone", String(60), nullable=False),
    Column("version", Integer, nullable=False),
)

tickets = _table(
    "tickets",
    Column("id", Identifier, primary_key=True),
    Column("poi_id", Identifier, nullable=False),
    Column("type", String(20), nullable=False),
    Column("status", String(10), nullable=False),
    Column("city", String(120), nullable=False),
    Column("category", String(60), nullable=False),
    Column("latitude", Float(53), nullable=False),
    Column("longitude", Float(53), nullable=False),
    Column("sort_title", String(120), nullable=False),
    Column("from_price", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    # options with units, texts, taxes, policies: read and written as one
    Column("body", Json, nullable=False),
    Index("ix_ticketing_tickets_status_title", "status", "sort_title", "id"),
    Index("ix_ticketing_tickets_status_price", "status", "from_price", "id"),
    Index("ix_ticketing_tickets_status_created", "status", "created_at", "id"),
    Index("ix_ticketing_tickets_latitude", "latitude"),
    Index("ix_ticketing_tickets_poi", "poi_id"),
)

ticket_words = _table(
    "ticket_words",
    Column("word", String(40), primary_key=True),
    Column("ticket_id", Identifier, ForeignKey(tickets.c.id), primary_key=True),
    Index("ix_ticketing_ticket_words_ticket", "ticket_id"),
)

schedules = _table(
    "schedules",
    Column("ticket_id", Identifier, ForeignKey(tickets.c.id), primary_key=True),
    Column("body", Json, nullable=False),
    Column("open_ended", Boolean, nullable=False),
    Column("extended_at", Instant, nullable=False),
    Index("ix_ticketing_schedules_extended", "open_ended", "extended_at"),
)

slots = _table(
    "slots",
    Column("id", Identifier, primary_key=True),
    Column("ticket_id", Identifier, ForeignKey(tickets.c.id), nullable=False),
    Column("option_id", Identifier, nullable=False),
    Column("local_start", LocalTime, nullable=False),
    Column("local_end", LocalTime, nullable=False),
    Column("time_zone", String(60), nullable=False),
    Column("all_day", Boolean, nullable=False),
    Column("opening_hours", Json, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("sales_end_at", Instant, nullable=False),
    Column("status", String(10), nullable=False),
    Column("multiplier", String(10), nullable=False),
    Column("version", Integer, nullable=False),
    Index("ux_ticketing_slots_option_start", "option_id", "local_start", unique=True),
    Index("ix_ticketing_slots_ticket_start", "ticket_id", "local_start", "option_id"),
)

counters = _table(
    "capacity_counters",
    Column("id", Identifier, primary_key=True),
    Column("capacity", Integer),
    Column("held", Integer, nullable=False, default=0),
    Column("sold", Integer, nullable=False, default=0),
    # set for the counters of standing holds alone: those without a claim are swept away
    Column("transient", Boolean, nullable=False, default=False),
    Index("ix_ticketing_capacity_counters_transient", "transient", "held", "id"),
)

slot_counters = _table(
    "slot_counters",
    Column("slot_id", Identifier, ForeignKey(slots.c.id), primary_key=True),
    Column("counter_id", Identifier, ForeignKey(counters.c.id), primary_key=True),
    Index("ix_ticketing_slot_counters_counter", "counter_id"),
)

vouchers = _table(
    "vouchers",
    # the voucher's counter in `capacity_counters` has the same id
    Column("id", Identifier, primary_key=True),
    Column("code", String(40), nullable=False),
    Column("percent_basis_points", Integer),
    Column("amount", Integer),
    Column("currency", String(3)),
    Column("valid_from", Instant, nullable=False),
    Column("valid_until", Instant, nullable=False),
    Column("max_uses_per_customer", Integer),
    Column("ticket_ids", Json, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ux_ticketing_vouchers_code", "code", unique=True),
)

resellers = _table(
    "resellers",
    Column("id", Identifier, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("ticket_ids", Json),
    Column("max_holds", Integer, nullable=False),
    Column("markup_basis_points", Integer, nullable=False),
    Column("net_basis_points", Integer, nullable=False),
    # currency, limit, paid of each account; its counter in `capacity_counters` says what is used
    Column("credit", Json, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    # counts every change, those of its keys too: by the sum of all, processes see that there is something new
    Column("revision", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
)

reseller_keys = _table(
    "reseller_keys",
    Column("id", Identifier, primary_key=True),
    Column("reseller_id", Identifier, ForeignKey(resellers.c.id), nullable=False),
    Column("name", String(120), nullable=False),
    Column("start", String(20), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("scopes", Json, nullable=False),
    Column("is_test", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(120), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
    Index("ux_ticketing_reseller_keys_hash", "hash", unique=True),
    Index("ix_ticketing_reseller_keys_reseller", "reseller_id", "id"),
    Index("ix_ticketing_reseller_keys_revoked", "revoked_at"),
)

bookings = _table(
    "bookings",
    Column("id", Identifier, primary_key=True),
    Column("reference", String(16), nullable=False),
    Column("status", String(12), nullable=False),
    Column("channel", String(10), nullable=False),
    Column("principal", String(120)),
    Column("reseller_id", Identifier),
    Column("is_test", Boolean, nullable=False),
    # what the reseller calls the booking, and all that it has written down with it
    Column("resale_uuid", Identifier),
    Column("resale_reference", String(200)),
    Column("resale", Json),
    Column("customer_name", String(200), nullable=False),
    Column("customer_email", String(254), nullable=False),
    Column("customer_email_key", String(254), nullable=False),
    Column("customer_phone", String(40)),
    Column("language", String(2), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("items_amount", Integer, nullable=False),
    Column("discount_amount", Integer, nullable=False),
    Column("fee_amount", Integer, nullable=False),
    Column("included_taxes", Json, nullable=False),
    Column("voucher_id", Identifier),
    Column("voucher_code", String(40)),
    Column("payment_status", String(20), nullable=False),
    Column("return_url", String(2000)),
    Column("extensions", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    # the end of the last admission while one is still to be used, for the no-show sweep
    Column("admits_until", Instant),
    Index("ux_ticketing_bookings_reference", "reference", unique=True),
    Index("ix_ticketing_bookings_status_expires", "status", "expires_at"),
    Index("ix_ticketing_bookings_status_id", "status", "id"),
    Index("ix_ticketing_bookings_admits_until", "admits_until"),
    Index("ix_ticketing_bookings_email_id", "customer_email_key", "id"),
    Index("ix_ticketing_bookings_created_id", "created_at", "id"),
    Index("ix_ticketing_bookings_reseller_id", "reseller_id", "id"),
    Index("ix_ticketing_bookings_resale_reference", "reseller_id", "resale_reference", "id"),
    Index("ux_ticketing_bookings_resale_uuid", "reseller_id", "is_test", "resale_uuid", unique=True),
)

booking_items = _table(
    "booking_items",
    Column("id", Identifier, primary_key=True),
    Column("booking_id", Identifier, ForeignKey(bookings.c.id), nullable=False),
    Column("position", Integer, nullable=False),
    Column("ticket_id", Identifier, nullable=False),
    Column("option_id", Identifier, nullable=False),
    Column("slot_id", Identifier, ForeignKey(slots.c.id), nullable=False),
    Column("local_start", LocalTime, nullable=False),
    Column("local_end", LocalTime, nullable=False),
    Column("time_zone", String(60), nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("sales_end_at", Instant, nullable=False),
    # what was agreed when it was sold: titles, refund policy, taxes
    Column("terms", Json, nullable=False),
    Index("ix_ticketing_booking_items_booking", "booking_id", "position"),
    Index("ix_ticketing_booking_items_slot", "slot_id", "booking_id"),
    Index("ix_ticketing_booking_items_ticket", "ticket_id", "booking_id"),
)

unit_items = _table(
    "unit_items",
    Column("id", Identifier, primary_key=True),
    Column("item_id", Identifier, ForeignKey(booking_items.c.id), nullable=False),
    Column("booking_id", Identifier, ForeignKey(bookings.c.id), nullable=False),
    Column("position", Integer, nullable=False),
    Column("unit_id", Identifier, nullable=False),
    Column("unit_type", String(10), nullable=False),
    Column("title", Json, nullable=False),
    Column("pax_count", Integer, nullable=False),
    Column("price", Integer, nullable=False),
    Column("discount", Integer, nullable=False),
    Column("commission", Integer, nullable=False),
    # what the reseller owes for it
    Column("net", Integer),
    Column("status", String(12), nullable=False),
    Column("admission_id", Identifier),
    Index("ix_ticketing_unit_items_booking", "booking_id", "position"),
    Index("ix_ticketing_unit_items_item", "item_id"),
)

claims = _table(
    "claims",
    # what a booking takes of a counter: a counter's held is the sum of its claims that have `held_until`,
    # sold of the others
    Column("booking_id", Identifier, ForeignKey(bookings.c.id), primary_key=True),
    # no foreign key: its shared lock on the hot counter row would turn every concurrent sale into a deadlock
    Column("counter_id", Identifier, primary_key=True),
    # the booking's own id for what no item stands for (voucher uses, standing holds, credit)
    Column("item_id", Identifier, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("held_until", Instant),
    Index("ix_ticketing_claims_counter_held", "counter_id", "held_until"),
)

history = _table(
    "booking_history",
    Column("id", Identifier, primary_key=True),
    Column("booking_id", Identifier, ForeignKey(bookings.c.id), nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor", String(120), nullable=False),
    Column("from_status", String(20)),
    Column("to_status", String(20), nullable=False),
    Column("reason", String(500), nullable=False),
    Index("ix_ticketing_booking_history_booking", "booking_id", "id"),
)

payments = _table(
    "payments",
    Column("id", Identifier, primary_key=True),
    Column("booking_id", Identifier, ForeignKey(bookings.c.id), nullable=False),
    Column("provider_id", String(100)),
    Column("amount", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("state", String(20), nullable=False),
    Column("captured", Integer, nullable=False),
    # refunds ordered so far; their sum never exceeds `captured`, or `amount` while the capture is under way
    Column("refund_ordered", Integer, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("redirect_url", String(2000)),
    Column("return_url", String(2000), nullable=False),
    Column("session_ends_at", Instant),
    # when the worker asks the module next; NULL when nothing is open
    Column("next_look_at", Instant),
    Column("looks", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("ix_ticketing_payments_booking", "booking_id"),
    Index("ux_ticketing_payments_provider", "provider_id", unique=True),
    Index("ix_ticketing_payments_next_look", "next_look_at"),
)

refunds = _table(
    "refunds",
    Column("id", Identifier, primary_key=True),
    Column("booking_id", Identifier, ForeignKey(bookings.c.id), nullable=False),
    Column("payment_id", Identifier, ForeignKey(payments.c.id), nullable=False),
    Column("amount", Integer, nullable=False),
    Column("reason", String(200), nullable=False),
    Column("status", String(12), nullable=False),
    Column("provider_refund_id", String(100)),
    Column("created_at", Instant, nullable=False),
    Index("ix_ticketing_refunds_booking", "booking_id"),
    Index("ix_ticketing_refunds_payment", "payment_id"),
)

admissions = _table(
    "admissions",
    Column("id", Identifier, primary_key=True),
    Column("booking_id", Identifier, ForeignKey(bookings.c.id), nullable=False),
    Column("item_id", Identifier, ForeignKey(booking_items.c.id), nullable=False),
    Column("unit_item_id", Identifier, ForeignKey(unit_items.c.id), nullable=False),
    Column("ticket_id", Identifier, nullable=False),
    Column("ticket_type", String(20), nullable=False),
    Column("title", Json, nullable=False),
    Column("unit_title", Json, nullable=False),
    Column("poi_ids", Json, nullable=False),
    Column("pax_count", Integer, nullable=False),
    Column("time_zone", String(60), nullable=False),
    Column("first_day", String(10), nullable=False),
    Column("valid_days", Integer, nullable=False),
    Column("valid_from", Instant, nullable=False),
    Column("valid_until", Instant, nullable=False),
    Column("code", String(400), nullable=False),
    Column("cancelled_at", Instant),
    Index("ix_ticketing_admissions_booking", "booking_id"),
    Index("ix_ticketing_admissions_unit_item", "unit_item_id"),
    Index("ix_ticketing_admissions_cancelled", "cancelled_at", "id"),
)

redemptions = _table(
    "redemptions",
    Column("admission_id", Identifier, ForeignKey(admissions.c.id), primary_key=True),
    Column("entry_key", String(40), primary_key=True),
    Column("scan_id", Identifier, nullable=False),
    Column("poi_id", Identifier, nullable=False),
    Column("gate", String(120), nullable=False),
    Column("redeemed_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("offline", Boolean, nullable=False),
    Index("ux_ticketing_redemptions_scan", "scan_id", unique=True),
)

documents = _table(
    "documents",
    Column("booking_id", Identifier, ForeignKey(bookings.c.id), primary_key=True),
    Column("booking_version", Integer, nullable=False),
    Column("pdf", blob(), nullable=False),
    Column("created_at", Instant, nullable=False),
)

ledger = _table(
    "ledger",
    # what was captured and what of it was given back; never changed, only added to
    Column("id", Identifier, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("day", String(10), nullable=False),
    Column("kind", String(10), nullable=False),  # sale, fee, refund
    Column("booking_id", Identifier, ForeignKey(bookings.c.id), nullable=False),
    Column("unit_item_id", Identifier),
    Column("ticket_id", Identifier),
    Column("ticket_type", String(20)),
    Column("unit_type", String(10)),
    Column("channel", String(10), nullable=False),
    Column("reseller_id", Identifier),
    Column("currency", String(3), nullable=False),
    Column("amount", Integer, nullable=False),
    Column("commission", Integer, nullable=False),
    Index("ix_ticketing_ledger_day", "day", "kind"),
    Index("ix_ticketing_ledger_booking", "booking_id"),
)

webhook_subscriptions = _table(
    "webhook_subscriptions",
    Column("id", Identifier, primary_key=True),
    # NULL: the destination's own
    Column("reseller_id", Identifier),
    Column("is_test", Boolean, nullable=False),
    Column("url", String(2000), nullable=False),
    Column("events", Json, nullable=False),
    # number, sealed text and end of each
    Column("secrets", Json, nullable=False),
    # of one that was made over OCTO, the capabilities it is told with
    Column("octo", Json),
    Column("active", Boolean, nullable=False),
    # the breaker of the endpoint
    Column("failures", Integer, nullable=False),
    Column("openings", Integer, nullable=False),
    Column("closed_until", Instant),
    Column("last_error", String(200)),
    Column("last_failure_at", Instant),
    Column("version", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(120), nullable=False),
    # its deliveries are still to be swept up
    Column("deleted_at", Instant),
    Index("ix_ticketing_webhook_subscriptions_owner", "reseller_id", "is_test", "id"),
)

webhook_events = _table(
    "webhook_events",
    # what was changed in the same commit, until it is turned into deliveries
    Column("id", Identifier, primary_key=True),
    Column("subject", Identifier, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("reseller_id", Identifier),
    Column("is_test", Boolean, nullable=False),
    Column("body", Json, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_ticketing_webhook_events_subject", "subject"),
)

webhook_deliveries = _table(
    "webhook_deliveries",
    Column("id", Identifier, primary_key=True),
    # no foreign key: a subscription may have just been deleted
    Column("subscription_id", Identifier, nullable=False),
    Column("event_id", Identifier, nullable=False),
    Column("type", String(30), nullable=False),
    Column("subject", Identifier, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("data", Json, nullable=False),
    Column("state", String(10), nullable=False),
    # true for the one that is to be sent next of its subject, else NULL
    Column("first", Boolean),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant),
    Column("until", Instant, nullable=False),
    Column("status_code", Integer),
    Column("error", String(200)),
    Column("milliseconds", Integer),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Index(
        "ux_ticketing_webhook_deliveries_first",
        "subscription_id",
        "subject",
        "type",
        "first",
        unique=True,
    ),
    Index("ix_ticketing_webhook_deliveries_due", "subscription_id", "state", "due_at"),
    Index("ix_ticketing_webhook_deliveries_state", "subscription_id", "state", "id"),
    Index("ix_ticketing_webhook_deliveries_subscription", "subscription_id", "id"),
    Index("ix_ticketing_webhook_deliveries_finished", "state", "finished_at"),
)

outbox = outbox_table(_table)
idempotency = idempotency_table(_table)
leases = leases_table(_table)

platform = _table(
    "platform",
    # one row: what the admin service said last, for when it is away
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("document", Json, nullable=False),
    Column("kept_at", Instant, nullable=False),
)
