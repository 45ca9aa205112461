"""Imports of points of interest: what comes in, a row at a time, and what goes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate

from admin_service.actions.poi_imports import RowRefused
from admin_service.domain.import_rows import FORMATS
from admin_service.domain.imports import Fault, ImportJob, Outcome, RowReport
from admin_service.schemas.poi_fields import PlainText
from admin_service.schemas.pois import PoiIn, PoiPatch
from common.web.documents import Document
from common.web.field_errors import field_errors
from common.web.schemas import ApiSchema, Instant, instant_text
from common.web.values import Paged

_WHOLE, _PART = PoiIn(), PoiPatch()


class ImportQuery(ApiSchema):
    """The body is the file. `dryRun` changes nothing and reports all the same; `name` is for people."""

    format = fields.String(required=True, validate=validate.OneOf(FORMATS))
    dry_run = fields.Boolean(load_default=False)
    name = PlainText(load_default="")


class ReportQuery(Paged):
    outcome = fields.Enum(Outcome, by_value=True, load_default=None)


class ImportOut(ApiSchema):
    """`status` is receiving, waiting, running, done or failed (`problem` says why); `outcomes` counts the
    rows so far: created, updated, unchanged, proposed, refused.
    """

    id = fields.UUID(required=True)
    status = fields.String(required=True)
    format = fields.String(required=True)
    dry_run = fields.Boolean(required=True)
    name = fields.String(required=True)
    by = fields.String(required=True)
    bytes_total = fields.Integer(required=True)
    rows_done = fields.Integer(required=True)
    outcomes = fields.Dict(fields.String(), fields.Integer(), required=True)
    problem = fields.String(required=True, allow_none=True)
    created_at = Instant(required=True)
    updated_at = Instant(required=True)


class FaultOut(ApiSchema):
    """As in a problem document."""

    pointer = fields.String(required=True)
    code = fields.String(required=True)
    detail = fields.String(required=True)


class RowReportOut(ApiSchema):
    """`row` counts from 1, a CSV file's header not among them."""

    row = fields.Integer(required=True)
    outcome = fields.String(required=True)
    external_id = fields.String(required=True, allow_none=True)
    poi_id = fields.UUID(required=True, allow_none=True)
    errors = fields.List(fields.Nested(FaultOut), required=True)


def read_row(document: Mapping[str, Any], partial: bool) -> Mapping[str, Any]:
    """Members of `PoiContent` from the document of a row, by the rules of a request. Raises RowRefused."""
    schema = _PART if partial else _WHOLE
    try:
        values: dict[str, Any] = schema.load(document)
    except ValidationError as error:
        faults = field_errors(error.messages, error.data)
        raise RowRefused([Fault(each.pointer, each.code, each.detail) for each in faults]) from error
    return values


def import_document(job: ImportJob) -> Document:
    """As `ImportOut` says."""
    return {
        "id": job.id,
        "status": job.status.value,
        "format": job.format,
        "dryRun": job.dry_run,
        "name": job.name,
        "by": job.actor.name,
        "bytesTotal": job.bytes_total,
        "rowsDone": job.rows_done,
        "outcomes": {outcome.value: job.outcomes.get(outcome, 0) for outcome in Outcome},
        "problem": job.problem,
        "createdAt": instant_text(job.created_at),
        "updatedAt": instant_text(job.updated_at),
    }


def report_document(report: RowReport) -> Document:
    """As `RowReportOut` says."""
    return {
        "row": report.number,
        "outcome": report.outcome.value,
        "externalId": report.external_id,
        "poiId": report.poi_id,
        "errors": [
            {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail} for fault in report.faults
        ],
    }
