"""The system as a whole, for who operates it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Flask, request

from admin_service.actions import system
from admin_service.actions.system import ModeWatch, Service, SetMode
from admin_service.domain.errors import Code, Refused
from admin_service.domain.modes import Mode, SystemMode
from admin_service.routes.calling import PREFIX, PortsSource, allowed, origin_of
from admin_service.schemas.system import (
    GivenUpOut,
    ServicesOut,
    SystemModeIn,
    SystemModeOut,
    WorkOut,
    given_up_document,
    mode_document,
    services_document,
    work_document,
)
from common.auth.policy import Caller
from common.web.api import Api
from common.web.documents import page_document, rendered
from common.web.etag import etag, require_if_match
from common.web.paging import page_of
from common.web.values import Paged

OPERATORS = allowed("system:operate")
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
GOES_ON = ("/api/admin/system/mode", "/api/admin/auth/", "/api/admin/monitoring/")
"""What is written to whatever the mode: who ends it has to come in first."""


class NoFilter(Paged):
    """The query of a list without filters."""


def system_api(ports: PortsSource, own: Callable[[], Service]) -> Api:
    """`own`: how this service itself is."""
    api = Api("system", PREFIX)

    @api.route("GET", "/system/mode", who=OPERATORS, answer=SystemModeOut, summary="The mode of the platform")
    def mode() -> Any:
        return _written(system.show_mode(ports()))

    @api.route(
        "PUT", "/system/mode", who=OPERATORS, body=SystemModeIn, answer=SystemModeOut, if_match=True,
        problems=("VERSION_CONFLICT",),
        summary="Close the platform to the public, or to every write; both services follow within seconds",
    )  # fmt: skip
    def set_mode(body: dict[str, Any], caller: Caller) -> Any:
        command = SetMode(
            mode=body["mode"],
            reason=body["reason"],
            expected_version=require_if_match(request.headers),
            origin=origin_of(caller),
        )
        return _written(system.set_mode(command, ports()))

    @api.route(
        "GET", "/system/services", who=OPERATORS, answer=ServicesOut, summary="The services, as they answer"
    )
    def services() -> bytes:
        return rendered(services_document(system.show_services(own(), ports())))

    @api.route("GET", "/system/jobs", who=OPERATORS, answer=WorkOut, summary="What the worker has to do")
    def jobs() -> bytes:
        return rendered(work_document(system.show_work(ports())))

    @api.route(
        "GET", "/system/jobs/given-up", who=OPERATORS, query=NoFilter, answer=page_of(GivenUpOut),
        summary="Jobs that the worker has given up, and why",
    )  # fmt: skip
    def given_up(query: dict[str, Any]) -> bytes:
        page = system.find_given_up(query["limit"], query["cursor"], ports())
        return rendered(page_document(page, [given_up_document(task) for task in page.items]))

    @api.route(
        "POST", "/system/jobs/<uuid:job_id>/retry", who=OPERATORS, status=204, problems=("JOB_NOT_FOUND",),
        summary="Try a job again that was given up",
    )  # fmt: skip
    def retry(job_id: UUID, caller: Caller) -> None:
        system.revive(job_id, origin_of(caller), ports())

    return api


def keep_mode(app: Flask, ports: PortsSource, watch: ModeWatch) -> None:
    """Refuse every write of `app` while the platform is not to be written to.

    Maintenance is for the public, which writes nothing here.
    """

    def refuse() -> None:
        if request.method not in WRITES or request.path.startswith(GOES_ON):
            return
        if watch.mode(ports()) is Mode.READ_ONLY:
            raise Refused(Code.READ_ONLY)

    app.before_request(refuse)


def _written(mode: SystemMode) -> tuple[bytes, dict[str, str]]:
    return rendered(mode_document(mode)), {"ETag": etag(mode.version)}
