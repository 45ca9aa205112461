"""The page that mails lead to: whole by itself, in each language, and in step with the route that it asks."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest

from admin_service.documents.mail_texts import words_in
from admin_service.domain.sessions import LINK_PAGE
from common.texts import LANGUAGES
from tests.http.admin.desk import Desk, refusal

OF_GATEWAY, OF_SERVICE = "/api/v1/admin/", "/api/admin/"


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.inline: dict[str, str] = {}
        self._within = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._within = tag

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within in ("script", "style", "title"):
            self.inline[self._within] = self.inline.get(self._within, "") + data

    def one(self, tag: str) -> dict[str, str]:
        (found,) = (attributes for name, attributes in self.tags if name == tag)
        return found


def read(desk: Desk, **headers: str) -> tuple[Page, str]:
    """The page, and its policy."""
    answer = desk.call("GET", LINK_PAGE, headers=headers)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    return Page(answer.get_data(as_text=True)), answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_in_the_language_of_who_reads_it(desk: Desk, language: str) -> None:
    page, _ = read(desk, **{"Accept-Language": f"{language}-XX, xx;q=0.5"})
    assert page.one("html")["lang"] == language
    assert page.inline["title"] == words_in(language)["page"]["title"]
    said = {name[5:]: text for name, text in page.one("form").items() if name.startswith("data-")}
    assert all(said.values())
    assert "{least}" in said["short"]
    assert words_in(language)["page"].keys() == words_in("en")["page"].keys()


def test_nothing_but_its_own_style_and_script_is_let_in(desk: Desk) -> None:
    page, policy = read(desk)
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        digest = base64.b64encode(hashlib.sha256(page.inline[tag].encode()).digest()).decode()
        assert directives[directive] == f"'sha256-{digest}'"
    assert directives["default-src"] == directives["form-action"] == directives["frame-ancestors"] == "'none'"
    assert directives["connect-src"] == "'self'"
    for _, attributes in page.tags:
        assert not attributes.keys() & {"src", "href", "style", "action"}
        assert not any(name.startswith("on") for name in attributes)
    assert not re.search(
        r"https?:|url\(|@import|innerHTML|eval", page.inline["style"] + page.inline["script"]
    )


def test_each_field_has_its_label_and_a_fault_is_read_out(desk: Desk) -> None:
    page, _ = read(desk)
    labelled = {attributes["for"] for tag, attributes in page.tags if tag == "label"}
    fields = [attributes for tag, attributes in page.tags if tag == "input"]
    assert {each["id"] for each in fields} == labelled
    secret = [each for each in fields if each["type"] == "password"]
    assert {each["autocomplete"] for each in secret} == {"new-password"}
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert all(set(each["aria-describedby"].split()) <= ids for each in secret)
    (alert,) = (attributes for _, attributes in page.tags if attributes.get("role") == "alert")
    assert alert["id"] == "notice"


def test_it_asks_the_route_that_chooses_a_password_and_knows_every_refusal(desk: Desk) -> None:
    page, _ = read(desk)
    (address,) = re.findall(r'fetch\("([^"]+)"', page.inline["script"])
    asked = urljoin(f"https://www.example.org{LINK_PAGE}", address).removeprefix("https://www.example.org")
    assert asked.startswith(OF_GATEWAY)
    declared = desk.call("GET", "/api/admin/openapi.json").json["paths"]
    operation = declared[OF_SERVICE + asked.removeprefix(OF_GATEWAY)]["post"]
    known = set(re.findall(r'case "([A-Z_]+)"', page.inline["script"]))
    assert known == {"LINK_ENDED", "PASSWORD_TOO_SHORT", "PASSWORD_TOO_LONG", "PASSWORD_TOO_COMMON"}
    assert all(code in str(operation["responses"]) for code in known)
    # the messages that the script takes are those that the page has
    used = set(re.findall(r"words\.([a-z]+)", page.inline["script"]))
    assert used == {name[5:] for name in page.one("form") if name.startswith("data-")}


def test_the_language_can_be_chosen_and_nothing_else_asked_for(desk: Desk) -> None:
    assert desk.call("GET", f"{LINK_PAGE}?lang=fr").headers["Content-Language"] == "fr"
    assert refusal(desk.call("GET", f"{LINK_PAGE}?lang=xx")) == (422, "VALIDATION_FAILED")
    assert refusal(desk.call("GET", f"{LINK_PAGE}?token=pwt_x")) == (422, "VALIDATION_FAILED")
