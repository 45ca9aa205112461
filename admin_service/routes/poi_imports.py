"""Points of interest as files: imports as jobs, exports as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import Response

from admin_service.actions import poi_exports, poi_imports
from admin_service.actions.poi_imports import BeginImport
from admin_service.domain.export_rows import EXPORT_COLUMNS, export_row
from admin_service.domain.import_rows import CSV_FORMAT
from admin_service.domain.imports import MAX_BYTES
from admin_service.domain.poi import PoiStatus
from admin_service.routes.calling import PREFIX, PortsSource, allowed
from admin_service.routes.curating import by_of, within_reach
from admin_service.schemas.poi_exports import ExportQuery, export_query, feature_lines
from admin_service.schemas.poi_imports import (
    ImportOut,
    ImportQuery,
    ReportQuery,
    RowReportOut,
    import_document,
    report_document,
)
from admin_service.schemas.public_pois import GEOJSON
from common.auth.policy import Caller
from common.web.api import Api
from common.web.csv_text import csv_lines
from common.web.documents import page_document, rendered
from common.web.files import CSV
from common.web.paging import page_of
from common.web.streamed import Streamed
from common.web.values import Paged

IMPORTERS = allowed("pois:import")
FILE = Streamed((CSV, GEOJSON, "application/json", "application/octet-stream"), MAX_BYTES)


def poi_imports_api(ports: PortsSource) -> Api:
    api = Api("poi_imports", PREFIX, tag="pois")

    @api.route(
        "POST", "/pois/import", who=IMPORTERS, query=ImportQuery, body=FILE, answer=ImportOut, status=202,
        summary="Import a CSV or GeoJSON file as a job; rows are told apart by their external id",
    )  # fmt: skip
    def begin(query: dict[str, Any], body: Iterator[bytes], caller: Caller) -> Any:
        job = poi_imports.begin_import(BeginImport(by=by_of(caller), **query), body, ports())
        return rendered(import_document(job)), {"Location": f"{PREFIX}/pois/imports/{job.id}"}

    @api.route(
        "GET", "/pois/imports", who=IMPORTERS, query=Paged, answer=page_of(ImportOut),
        summary="The imports, the newest first; an owner's own",
    )  # fmt: skip
    def find(query: dict[str, Any], caller: Caller) -> bytes:
        page = poi_imports.list_imports(by_of(caller), query["limit"], query["cursor"], ports())
        return rendered(page_document(page, [import_document(job) for job in page.items]))

    @api.route(
        "GET", "/pois/imports/<uuid:import_id>", who=IMPORTERS, answer=ImportOut,
        problems=("IMPORT_NOT_FOUND",), summary="How far an import is",
    )  # fmt: skip
    def read(import_id: UUID, caller: Caller) -> bytes:
        return rendered(import_document(poi_imports.find_import(import_id, by_of(caller), ports())))

    @api.route(
        "GET", "/pois/imports/<uuid:import_id>/rows", who=IMPORTERS, query=ReportQuery,
        answer=page_of(RowReportOut), problems=("IMPORT_NOT_FOUND",), summary="What became of each row",
    )  # fmt: skip
    def rows(import_id: UUID, query: dict[str, Any], caller: Caller) -> bytes:
        page = poi_imports.reports_of(
            import_id, by_of(caller), query["outcome"], query["limit"], query["cursor"], ports()
        )
        return rendered(page_document(page, [report_document(report) for report in page.items]))

    @api.route(
        "GET", "/pois/export", who=allowed("pois:read"), query=ExportQuery, produces=(CSV, GEOJSON),
        summary="What a search finds as a CSV or GeoJSON file that can be imported again",
    )  # fmt: skip
    def export(query: dict[str, Any], caller: Caller) -> Response:
        statuses = (query["status"],) if "status" in query else tuple(PoiStatus)
        found = poi_exports.every(within_reach(export_query(query, statuses), by_of(caller)), ports())
        if query["format"] == CSV_FORMAT:
            return _file(csv_lines(EXPORT_COLUMNS, map(export_row, found)), CSV, "pois.csv")
        return _file(feature_lines(found), GEOJSON, "pois.geojson")

    return api


def _file(content: Iterator[str] | Iterator[bytes], media_type: str, name: str) -> Response:
    """A file that is sent while it is made."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    charset = "; charset=utf-8" if media_type == CSV else ""
    return Response(content, content_type=media_type + charset, headers=disposition)
