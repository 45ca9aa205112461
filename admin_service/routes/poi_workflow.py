"""The course of a POI from draft to archive, one at a time and many at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request

from admin_service.actions import poi_bulk, pois
from admin_service.actions.pois import GivePoi, MovePoi, VerifyPoi
from admin_service.domain.workflow import Step
from admin_service.routes.calling import PREFIX, PortsSource, allowed
from admin_service.routes.curating import by_of, written
from admin_service.schemas.poi_answers import BulkOut, PoiOut, bulk_document
from admin_service.schemas.poi_bulk import BulkIn, bulk_command
from admin_service.schemas.pois import MULTILINE, OwnerIn, PoiStepIn, RejectIn, VerifyIn
from common.auth.policy import Caller
from common.web.api import Api
from common.web.documents import rendered
from common.web.etag import require_if_match
from common.web.problems import problem

_PERMISSIONS = {
    Step.SUBMIT: ("pois:update", "Hand it in for review"),
    Step.APPROVE: ("pois:review", "Publish what waits for review: the POI, or what its owner proposes"),
    Step.REJECT: ("pois:review", "Send it back to its author, with a reason"),
    Step.PUBLISH: ("pois:publish", "Publish it without review, or open it again"),
    Step.CLOSE: ("pois:publish", "Say that it is closed for a time; publish opens it again"),
    Step.ARCHIVE: ("pois:publish", "Take it away from visitors; publish brings it back"),
}
_REFUSALS = ("POI_NOT_FOUND", "VERSION_CONFLICT", "STEP_NOT_ALLOWED", "NOTHING_TO_REVIEW")
_BULK_PERMISSIONS = {
    **{step.value: permission for step, (permission, _) in _PERMISSIONS.items()},
    "verify": "pois:verify",
    "change": "pois:update",
}


def poi_workflow_api(ports: PortsSource) -> Api:
    api = Api("poi_workflow", PREFIX, tag="pois")
    for step in Step:
        _add_step(api, ports, step)

    @api.route(
        "POST", "/pois/<uuid:poi_id>/verify", who=allowed("pois:verify"), body=VerifyIn, answer=PoiOut,
        if_match=True, body_optional=True, problems=("POI_NOT_FOUND", "VERSION_CONFLICT"),
        summary="Say that what it says is true, as of now",
    )  # fmt: skip
    def verify(poi_id: UUID, body: dict[str, Any], caller: Caller) -> Any:
        version = require_if_match(request.headers)
        command = VerifyPoi(by=by_of(caller), poi_id=poi_id, expected_version=version, **body)
        return written(pois.verify_poi(command, ports()))

    @api.route(
        "PUT", "/pois/<uuid:poi_id>/owner", who=allowed("pois:assign"), body=OwnerIn, answer=PoiOut,
        if_match=True, problems=("POI_NOT_FOUND", "VERSION_CONFLICT"), summary="Make an account its owner",
    )  # fmt: skip
    def give(poi_id: UUID, body: dict[str, Any], caller: Caller) -> Any:
        owner = None if body["owner_id"] is None else str(body["owner_id"])
        version = require_if_match(request.headers)
        command = GivePoi(by=by_of(caller), poi_id=poi_id, expected_version=version, owner=owner)
        return written(pois.give_poi(command, ports()))

    @api.route(
        "POST", "/pois/bulk", who=allowed(*dict.fromkeys(_BULK_PERMISSIONS.values())), body=BulkIn,
        answer=BulkOut, multiline=MULTILINE, summary="Do the same to many, with a result for each",
    )  # fmt: skip
    def bulk(body: dict[str, Any], caller: Caller) -> bytes:
        command = bulk_command(body, by_of(caller))
        policy = allowed(_BULK_PERMISSIONS[command.action.value])
        if not caller.has(*policy.roles):
            raise problem("FORBIDDEN", f"You may not {command.action.value} points of interest.")
        return rendered(bulk_document(poi_bulk.bulk(command, ports())))

    return api


def _add_step(api: Api, ports: PortsSource, step: Step) -> None:
    permission, summary = _PERMISSIONS[step]

    def move(poi_id: UUID, body: dict[str, Any], caller: Caller) -> Any:
        command = MovePoi(
            by=by_of(caller),
            poi_id=poi_id,
            expected_version=require_if_match(request.headers),
            step=step,
            reason=body["reason"] or "",
        )
        return written(pois.move_poi(command, ports()))

    move.__name__ = step.value  # the route's name in the documentation
    api.route(
        "POST", f"/pois/<uuid:poi_id>/{step.value}", who=allowed(permission),
        body=RejectIn if step is Step.REJECT else PoiStepIn, body_optional=step is not Step.REJECT,
        answer=PoiOut, if_match=True, problems=_REFUSALS, summary=summary,
    )(move)  # fmt: skip
