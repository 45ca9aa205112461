"""The audit trail, for who answers for the platform."""

from __future__ import annotations

from typing import Any

from flask import Response

from admin_service.actions import audit
from admin_service.routes.calling import PREFIX, PortsSource, allowed
from admin_service.schemas.audit import (
    CSV_COLUMNS,
    AuditFilter,
    AuditPageFilter,
    EntryOut,
    VerifiedOut,
    audit_query,
    entry_document,
    entry_line,
    verified_document,
)
from common.web.api import Api
from common.web.documents import page_document, rendered
from common.web.files import CSV, csv_answer
from common.web.paging import page_of

READERS = allowed("audit:read")


def audit_api(ports: PortsSource) -> Api:
    api = Api("audit", PREFIX)

    @api.route(
        "GET", "/audit", who=READERS, query=AuditPageFilter, answer=page_of(EntryOut),
        summary="Who did what, when, from where: the newest first",
    )  # fmt: skip
    def find(query: dict[str, Any]) -> bytes:
        page = audit.find_entries(audit_query(query), ports())
        return rendered(page_document(page, [entry_document(entry) for entry in page.items]))

    @api.route(
        "GET", "/audit/export.csv", who=READERS, query=AuditFilter, produces=CSV,
        summary="The same as a file, at most 50,000 lines",
    )  # fmt: skip
    def export(query: dict[str, Any]) -> Response:
        entries = audit.export_entries(audit_query(query), ports())
        return csv_answer(CSV_COLUMNS, map(entry_line, entries), "audit.csv")

    @api.route(
        "GET", "/audit/verify", who=READERS, answer=VerifiedOut,
        summary="Whether the trail is what was written; names the first entry that is not",
    )  # fmt: skip
    def verify() -> bytes:
        return rendered(verified_document(audit.verify_trail(ports())))

    return api
