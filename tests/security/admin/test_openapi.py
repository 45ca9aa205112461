"""The admin service answers as its OpenAPI document says, whatever the document allows or forbids."""

from __future__ import annotations

import pytest

from tests.security.admin.stage import Stage
from tests.security.admin.test_policies import WHO
from tests.security.conforming import Document, document_of

REFUSED = {
    "POST /auth/mfa": "the code is made up",
    "POST /auth/mfa/confirm": "nothing was enrolled that could be confirmed",
    "POST /auth/reset": "the link is made up",
    "POST /pois/<uuid:poi_id>/approve": "a draft waits for nobody",
    "POST /pois/<uuid:poi_id>/reject": "a draft waits for nobody",
    "POST /pois/<uuid:poi_id>/close": "a draft is not open",
    "DELETE /pois/<uuid:poi_id>/duplicates/<uuid:other_id>": "nobody takes the two for one place",
    "GET /pois": "the call fills every parameter, and a box excludes a circle",
    "GET /api/platform/pois": "the call fills every parameter, and a box excludes a circle",
    "POST /system/jobs/<uuid:job_id>/retry": "no job was given up",
    "POST /system/backups": "no repository is configured",
    "POST /system/restore-drill": "no repository is configured",
    "POST /privacy/export": "the other service is not there",
    "POST /privacy/erase": "the other service is not there",
}
"""Calls that are meant well and yet refused: no failures, for these reasons."""


@pytest.fixture(scope="module")
def document(stage: Stage) -> Document:
    return document_of(stage.desk.app, "/api/admin")


def test_the_document_has_every_route(document: Document) -> None:
    assert document.operations.keys() == WHO.keys()


@pytest.mark.parametrize("name", sorted(WHO))
def test_what_is_meant_well_is_answered_as_documented(stage: Stage, document: Document, name: str) -> None:
    answer = document.well_meant(name, stage.call(name))
    assert (answer.status_code >= 400) is (name in REFUSED), answer.text


@pytest.mark.parametrize("name", sorted(WHO))
def test_what_the_document_allows_is_answered_as_documented(
    stage: Stage, document: Document, name: str
) -> None:
    document.allowed(name, lambda: stage.call(name))


@pytest.mark.parametrize("name", sorted(WHO))
def test_what_the_document_forbids_is_refused(stage: Stage, document: Document, name: str) -> None:
    document.forbidden(name, lambda: stage.call(name))
