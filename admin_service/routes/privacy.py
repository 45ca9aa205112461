"""A person's data, over both services."""

from __future__ import annotations

from typing import Any

from admin_service.actions import privacy
from admin_service.actions.privacy import ErasePerson
from admin_service.routes.calling import PREFIX, PortsSource, allowed, origin_of
from admin_service.schemas.privacy import (
    ErasedOut,
    EraseIn,
    ExportIn,
    PersonOut,
    outcome_document,
    person_document,
)
from common.auth.policy import Caller
from common.web.api import Api
from common.web.documents import rendered


def privacy_api(ports: PortsSource) -> Api:
    api = Api("privacy", PREFIX)

    @api.route(
        "POST", "/privacy/export", who=allowed("privacy:export"), body=ExportIn, answer=PersonOut,
        problems=("TICKETING_UNAVAILABLE",), summary="All that both services know of a person",
    )  # fmt: skip
    def export(body: dict[str, Any], caller: Caller) -> bytes:
        person = privacy.export_person(body["email"], origin_of(caller), ports())
        return rendered(person_document(person, ports().media_url))

    @api.route(
        "POST", "/privacy/erase", who=allowed("privacy:erase"), body=EraseIn, answer=ErasedOut,
        problems=("TICKETING_UNAVAILABLE", "LAST_ADMINISTRATOR"),
        summary="Take a person's data out of both services; the books stay, and name nobody",
    )  # fmt: skip
    def erase(body: dict[str, Any], caller: Caller) -> bytes:
        command = ErasePerson(email=body["email"], reason=body["reason"], origin=origin_of(caller))
        return rendered(outcome_document(privacy.erase_person(command, ports())))

    return api
