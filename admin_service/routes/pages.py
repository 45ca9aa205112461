"""The page that mails lead to, where a password is chosen."""

from __future__ import annotations

from typing import Any

from flask import Response

from admin_service.documents.password_page import write_page
from admin_service.domain.sessions import LINK_PAGE
from admin_service.routes.calling import PortsSource
from common.auth.policy import anyone
from common.texts import LANGUAGES
from common.web.api import Api
from common.web.values import LanguageQuery

HTML = "text/html"


def pages_api(ports: PortsSource) -> Api:
    api = Api("pages")

    @api.route(
        "GET", LINK_PAGE, who=anyone(), query=LanguageQuery, languages=LANGUAGES, produces=HTML,
        summary="A page to choose a password on, by the link of a mail",
    )  # fmt: skip
    def choose_password(query: dict[str, Any], language: str) -> Response:
        page, policy = write_page(language)
        return Response(page, mimetype=HTML, headers={"Content-Security-Policy": policy})

    return api
