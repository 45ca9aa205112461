"""The admissions of a booking: codes, PDF, calendar entry, pictures."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from common.auth.policy import Caller, Policy, bearer
from common.texts import LANGUAGES
from common.web.api import Api
from common.web.files import attachment
from ticketing_service.actions import admissions
from ticketing_service.documents.calendar import booking_calendar
from ticketing_service.documents.qr import qr_png, qr_svg
from ticketing_service.routes.calling import (
    BOOKING_KIND,
    PREFIX,
    PortsSource,
    access_of,
)
from ticketing_service.schemas.documents import rendered
from ticketing_service.schemas.gate import AdmissionList, admission_document
from ticketing_service.schemas.values import LanguageQuery

HOLDER: Policy = bearer(BOOKING_KIND)
"""Its token alone: a code lets people in, so that not even support sees one."""
_LIST = ("BOOKING_NOT_FOUND", "ADMISSIONS_NOT_READY")
_PICTURE = ("ADMISSION_NOT_FOUND", "ADMISSION_CANCELLED")
_SVG, _PNG, _PDF, _ICS = "image/svg+xml", "image/png", "application/pdf", "text/calendar"


def admissions_api(ports: PortsSource) -> Api:
    api = Api("admissions", PREFIX)

    @api.route(
        "GET", "/bookings/<uuid:booking_id>/admissions", who=HOLDER, query=LanguageQuery,
        answer=AdmissionList, languages=LANGUAGES, problems=_LIST, summary="The admissions with their codes",
    )  # fmt: skip
    def find(booking_id: UUID, query: dict[str, Any], caller: Caller, language: str) -> bytes:
        found = admissions.find_admissions(booking_id, access_of(caller), ports())
        documents = [admission_document(each, language, ports().public_url) for each in found]
        return rendered({"data": documents, "nextCursor": None})

    @api.route(
        "GET", "/bookings/<uuid:booking_id>/admissions.pdf", who=HOLDER, produces=_PDF,
        problems=(*_LIST, "DOCUMENT_PENDING"), summary="The admissions to print",
    )  # fmt: skip
    def document(booking_id: UUID, caller: Caller) -> Response:
        booking, pdf = admissions.find_document(booking_id, access_of(caller), ports())
        return attachment(pdf, _PDF, f"{booking.reference}.pdf")

    @api.route(
        "GET", "/bookings/<uuid:booking_id>/calendar.ics", who=HOLDER, produces=_ICS, problems=_LIST,
        summary="The visits as a calendar file",
    )  # fmt: skip
    def calendar(booking_id: UUID, caller: Caller) -> Response:
        booking, poi_names = admissions.find_visit(booking_id, access_of(caller), ports())
        content = booking_calendar(booking, poi_names, ports().public_url)
        return attachment(content, f"{_ICS}; charset=utf-8", f"{booking.reference}.ics")

    @api.route(
        "GET", "/admissions/<uuid:admission_id>/qr.svg", who=HOLDER, produces=_SVG, problems=_PICTURE,
        summary="The code as an SVG picture",
    )  # fmt: skip
    def svg(admission_id: UUID, caller: Caller) -> Response:
        admission = admissions.find_admission(admission_id, access_of(caller), ports())
        return Response(qr_svg(admission.code), content_type=_SVG)

    @api.route(
        "GET", "/admissions/<uuid:admission_id>/qr.png", who=HOLDER, produces=_PNG, problems=_PICTURE,
        summary="The code as a PNG picture",
    )  # fmt: skip
    def png(admission_id: UUID, caller: Caller) -> Response:
        admission = admissions.find_admission(admission_id, access_of(caller), ports())
        return Response(qr_png(admission.code), content_type=_PNG)

    return api
