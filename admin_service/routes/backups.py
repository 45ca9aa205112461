"""Backups and drills, for who operates the system."""

from __future__ import annotations

from admin_service.actions import backups
from admin_service.routes.calling import PREFIX, PortsSource, allowed, origin_of
from admin_service.schemas.backups import BackupsOut, backups_document
from common.auth.policy import Caller
from common.web.api import Api
from common.web.documents import rendered

OPERATORS = allowed("system:operate")


def backups_api(ports: PortsSource) -> Api:
    api = Api("backups", PREFIX, tag="system")

    @api.route(
        "GET", "/system/backups", who=OPERATORS, answer=BackupsOut,
        summary="The last backups, how old the last good one is, and the report of the last drill",
    )  # fmt: skip
    def show() -> bytes:
        return rendered(backups_document(backups.show_backups(ports())))

    @api.route(
        "POST", "/system/backups", who=OPERATORS, status=202, problems=("BACKUPS_NOT_CONFIGURED",),
        summary="Have the worker make a backup now",
    )  # fmt: skip
    def take(caller: Caller) -> dict[str, str]:
        backups.ask_for("take", origin_of(caller), ports())
        return {"status": "accepted"}

    @api.route(
        "POST", "/system/restore-drill", who=OPERATORS, status=202, problems=("BACKUPS_NOT_CONFIGURED",),
        summary="Have the worker restore the newest backup into a scratch place, check it and sell there",
    )  # fmt: skip
    def drill(caller: Caller) -> dict[str, str]:
        backups.ask_for("drill", origin_of(caller), ports())
        return {"status": "accepted"}

    return api
