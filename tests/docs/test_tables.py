"""What the documentation says of routes, errors, settings and commands is what the code has."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from admin_service.domain.errors import Code as AdminCode
from admin_service.domain.permissions import PERMISSIONS, ROLES
from common.settings import render_env_example
from common.settings_table import SETTINGS
from common.web.api import operations_of, unguarded_rules
from common.web.problems import PROBLEM_CODES
from demo.run import procfile
from docs import tables
from tests.servers.process import ROOT
from ticketing_service.domain.errors import Code

PAGES = sorted((ROOT / "docs").glob("*.md"))
TEXTS = [ROOT / "README.md", *PAGES]


def targets() -> set[str]:
    """The Makefile's targets that have a line of help."""
    return set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_are_as_the_code_says(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert tables.rewritten(text) == text, "run `make docs`"


def test_every_table_has_its_place() -> None:
    named = {name for page in PAGES for name in re.findall(r"<!-- table: ([a-z-]+) -->", page.read_text())}
    assert named == set(tables.TABLES)


@pytest.mark.parametrize(
    "page, documented", [("api.md", tables.documented_app), ("admin.md", tables.documented_admin)]
)
def test_every_route_is_in_the_table_of_routes(page: str, documented: Callable[[], Flask]) -> None:
    table = (ROOT / "docs" / page).read_text()
    app = documented()
    assert unguarded_rules(app) == []
    operations = operations_of(app)
    assert len(operations) > 15
    for operation in operations:
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", operation.rule)
        assert f"| `{operation.method} {path}` |" in table
        assert operation.summary


def test_every_role_and_permission_is_in_its_table() -> None:
    text = (ROOT / "docs" / "admin.md").read_text()
    for name in (*ROLES, *PERMISSIONS):
        assert f"| `{name}` |" in text


def test_every_error_code_and_setting_is_in_its_table() -> None:
    errors, settings = ((ROOT / "docs" / name).read_text() for name in ("api.md", "settings.md"))
    for name in {*Code.__members__, *AdminCode.__members__, *PROBLEM_CODES}:
        assert f"| `{name}` |" in errors
    for setting in SETTINGS:
        assert f"| `{setting.name}` |" in settings


def test_a_code_that_both_services_know_means_the_same() -> None:
    for name in Code.__members__.keys() & AdminCode.__members__.keys():
        assert (Code[name].kind, Code[name].title) == (AdminCode[name].kind, AdminCode[name].title)


def test_the_example_of_settings_is_that_of_the_code() -> None:
    assert (ROOT / ".env.example").read_text() == render_env_example()


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_commands_that_are_named_exist(page: Path) -> None:
    for command in re.findall(r"\bmake (?:-s )?([a-z][a-z-]*)", code_of(page.read_text())):
        assert command in targets(), command


def test_the_readme_names_the_settings_that_it_uses() -> None:
    known = {setting.name for setting in SETTINGS} | {"RESET"}
    for name in re.findall(
        r"\b[A-Z][A-Z]+(?:_[A-Z]+)*(?==)|`([A-Z]+_[A-Z_]+)`", (ROOT / "README.md").read_text()
    ):
        assert not name or name in known, name


def test_the_processes_of_the_procfile_are_described() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    for name in procfile().keys() - {"release"}:
        assert f"**{name}**" in text


def test_every_direct_dependency_has_its_reason() -> None:
    decisions = (ROOT / "docs" / "decisions.md").read_text()
    wanted = [
        re.split(r"[<=>\s]", line)[0]
        for name in ("run.in", "test.in", "debian-run.txt", "debian-test.txt")
        for line in (ROOT / "requirements" / name).read_text().splitlines()
        if line and not line.startswith(("#", "-"))
    ]
    assert len(wanted) > 20
    for package in wanted:
        assert f"**{package}**" in decisions, package


def test_the_readme_fits_on_a_screen_and_says_how_to_start() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 70
    for command in ("make run", "make try", "make test"):
        assert command in text


def test_make_help_lists_every_target_that_people_use() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) - {"setup", "setup-test"} == targets()


def code_of(text: str) -> str:
    """The parts of a page that stand in code marks."""
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.DOTALL))
