"""Figures for a dashboard: what is asked and what goes out."""

from __future__ import annotations

from marshmallow import fields, validate

from admin_service.actions.statistics import Statistics
from common.web.documents import Document
from common.web.schemas import ApiSchema

MAX_DAYS, DEFAULT_DAYS = 365, 30


class StatisticsFilter(ApiSchema):
    days = fields.Integer(load_default=DEFAULT_DAYS, validate=validate.Range(1, MAX_DAYS))


class PoiFigures(ApiSchema):
    """`byCategory`: of those that are shown."""

    by_status = fields.Dict(fields.String(), fields.Integer(), required=True)
    by_category = fields.Dict(fields.String(), fields.Integer(), required=True)


class SignInFigures(ApiSchema):
    accepted = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    active_sessions = fields.Integer(required=True)


class MediaFigures(ApiSchema):
    files = fields.Integer(required=True)
    bytes = fields.Integer(required=True)
    uploads = fields.Integer(required=True)


class SalesFigures(ApiSchema):
    """Minor units of `currency`."""

    currency = fields.String(required=True)
    bookings = fields.Integer(required=True)
    units = fields.Integer(required=True)
    sales = fields.Integer(required=True)
    fees = fields.Integer(required=True)
    refunds = fields.Integer(required=True)


class StatisticsOut(ApiSchema):
    """`sales` is null while the ticketing service cannot be reached."""

    days = fields.Integer(required=True)
    pois = fields.Nested(PoiFigures, required=True)
    sign_ins = fields.Nested(SignInFigures, required=True)
    media = fields.Nested(MediaFigures, required=True)
    sales = fields.List(fields.Nested(SalesFigures), required=True, allow_none=True)


def statistics_document(found: Statistics) -> Document:
    """As `StatisticsOut` says."""
    return {
        "days": found.days,
        "pois": {
            "byStatus": {status.value: count for status, count in found.pois_by_status.items()},
            "byCategory": dict(found.pois_by_category),
        },
        "signIns": {**found.sign_ins, "activeSessions": found.active_sessions},
        "media": {"files": found.media.files, "bytes": found.media.bytes, "uploads": found.uploads},
        "sales": None
        if found.sales is None
        else [
            {
                "currency": each.currency,
                "bookings": each.bookings,
                "units": each.units,
                "sales": each.sales,
                "fees": each.fees,
                "refunds": each.refunds,
            }
            for each in found.sales
        ],
    }
