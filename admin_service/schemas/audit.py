"""The audit trail: what is asked and what goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from marshmallow import fields, validate

from admin_service.actions.audit import Verified
from admin_service.domain.audit import AuditEntry
from admin_service.storage.ports.audit import AuditQuery
from common.web.documents import Document
from common.web.schemas import ApiSchema, Instant, YesNo, instant_text
from common.web.values import Paged

MAX_ACTOR, MAX_ACTION, MAX_SUBJECT = 160, 60, 160


class AuditFilter(ApiSchema):
    """Which entries. `action`: a whole one, such as `media.delete`, or a resource, such as `media`."""

    actor = fields.String(validate=validate.Length(1, MAX_ACTOR))
    action = fields.String(validate=validate.Length(1, MAX_ACTION))
    subject = fields.String(validate=validate.Length(1, MAX_SUBJECT))
    at_from = Instant(data_key="from")
    at_to = Instant(data_key="to")


class AuditPageFilter(AuditFilter, Paged):
    """The same, page by page."""


class EntryOut(ApiSchema):
    """`before` and `after`: what changed of the subject. `hash` is over all of this and the one before it; of
    what names somebody it is over a seal. `erased`: that was taken out, as the person asked for.
    """

    number = fields.Integer(required=True)
    at = Instant(required=True)
    actor = fields.String(required=True)
    address = fields.String(required=True, allow_none=True)
    request_id = fields.String(required=True, allow_none=True)
    action = fields.String(required=True)
    subject = fields.String(required=True)
    before = fields.Dict(fields.String(), fields.Raw(allow_none=True), required=True)
    after = fields.Dict(fields.String(), fields.Raw(allow_none=True), required=True)
    erased = YesNo(required=True)
    hash = fields.String(required=True)


class BreakOut(ApiSchema):
    """The first entry that is not as it was written: `changed`, `missing`, `out-of-place`, `does-not-follow`,
    `end-differs`."""

    number = fields.Integer(required=True)
    what = fields.String(required=True)


class VerifiedOut(ApiSchema):
    """`entries`: how many hold; `erased` of them have lost what named somebody. `end`: the hash of the last
    of them, worth noting elsewhere.
    """

    intact = YesNo(required=True)
    entries = fields.Integer(required=True)
    erased = fields.Integer(required=True)
    end = fields.String(required=True)
    broken = fields.Nested(BreakOut, required=True, allow_none=True)


CSV_COLUMNS = (
    "number", "at", "actor", "address", "requestId", "action", "subject", "before", "after",
    "erased", "hash",
)  # fmt: skip


def audit_query(query: dict[str, Any]) -> AuditQuery:
    return AuditQuery(**query)


def entry_document(entry: AuditEntry) -> Document:
    """As `EntryOut` says."""
    event = entry.event
    return {
        "number": entry.number,
        "at": instant_text(event.at),
        "actor": event.origin.actor,
        "address": event.origin.address,
        "requestId": event.origin.request_id,
        "action": event.action,
        "subject": event.subject,
        "before": {**event.before, **event.personal_before},
        "after": {**event.after, **event.personal_after},
        "erased": entry.erased,
        "hash": entry.hash.hex(),
    }


def entry_line(entry: AuditEntry) -> Sequence[Any]:
    """The cells of `CSV_COLUMNS`."""
    document = entry_document(entry)
    document["before"] = orjson.dumps(document["before"]).decode()
    document["after"] = orjson.dumps(document["after"]).decode()
    return [document[name] for name in CSV_COLUMNS]


def verified_document(verified: Verified) -> Document:
    """As `VerifiedOut` says."""
    broken = verified.broken
    return {
        "intact": broken is None,
        "entries": verified.entries,
        "erased": verified.erased,
        "end": verified.end.hex(),
        "broken": None if broken is None else {"number": broken.number, "what": broken.what},
    }
