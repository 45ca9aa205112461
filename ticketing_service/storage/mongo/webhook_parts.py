"""What a subscription, an event and a delivery look like, and by which indexes they are found."""

from __future__ import annotations

from common.mongo.collections import (
    BOOLEAN,
    ID,
    INSTANT,
    INTEGER,
    index,
    lists_of,
    objects,
    or_null,
    text,
)

SUBSCRIPTION = {
    "_id": ID,
    # null: the destination's own
    "reseller_id": or_null(ID),
    "is_test": BOOLEAN,
    "url": text(2000),
    "events": lists_of(text(30)),
    "secrets": lists_of(objects({"number": INTEGER, "sealed": text(200), "until": or_null(text(40))})),
    # of one that was made over OCTO, the capabilities it is told with
    "octo": or_null(lists_of(text(40))),
    "active": BOOLEAN,
    # the breaker of the endpoint
    "failures": INTEGER,
    "openings": INTEGER,
    "closed_until": or_null(INSTANT),
    "last_error": or_null(text(200)),
    "last_failure_at": or_null(INSTANT),
    "version": INTEGER,
    "created_at": INSTANT,
    "created_by": text(120),
    # its deliveries are still to be swept up
    "deleted_at": or_null(INSTANT),
}
EVENT = {
    "_id": ID,
    "subject": ID,
    "sequence": INTEGER,
    "reseller_id": or_null(ID),
    "is_test": BOOLEAN,
    # as text, as it is moved from one store to another
    "body": text(1_000_000),
    "at": INSTANT,
}
DELIVERY = {
    "_id": ID,
    "subscription_id": ID,
    "event_id": ID,
    "type": text(30),
    "subject": ID,
    "sequence": INTEGER,
    "data": text(10_000),
    "state": text(10),
    # true for the one that is to be sent next of its subject, else null
    "first": or_null(BOOLEAN),
    "attempts": INTEGER,
    "due_at": or_null(INSTANT),
    "until": INSTANT,
    "status_code": or_null(INTEGER),
    "error": or_null(text(200)),
    "milliseconds": or_null(INTEGER),
    "created_at": INSTANT,
    "finished_at": or_null(INSTANT),
    # counts those that were queued behind it: whoever ends it meanwhile loses, and then sees them
    "changes": INTEGER,
}

SUBSCRIPTIONS = (
    "webhook_subscriptions",
    SUBSCRIPTION,
    index("owner", "reseller_id", "is_test", "_id"),
    index("active", "deleted_at", "active"),
)
EVENTS = ("webhook_events", EVENT, index("subject", "subject"))
DELIVERIES = (
    "webhook_deliveries",
    DELIVERY,
    index(
        "ux_first", "subscription_id", "subject", "type", unique=True, partial={"first": {"$type": "bool"}}
    ),
    index("subject", "subscription_id", "subject", "type"),
    index("due", "subscription_id", "state", "due_at"),
    index("state", "subscription_id", "state", "_id"),
    index("subscription", "subscription_id", "_id"),
    index("finished", "state", "finished_at"),
)
