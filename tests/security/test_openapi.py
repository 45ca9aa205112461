"""The ticketing service answers as its OpenAPI document says, whatever the document allows or forbids."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from tests.security.conforming import Document, document_of
from tests.security.stage import Stage, signed
from tests.security.test_fuzz import routes

REFUSED = {
    "POST /bookings/<uuid:booking_id>/confirm": "the payment is not decided yet",
    "POST /bookings/<uuid:booking_id>/extend": "the clock stands still: the hold ends as late as it may",
    "POST /redemptions": "the scan is at another place than the ticket's",
    "GET /bookings/<uuid:booking_id>/admissions.pdf": "the worker that makes it does not run here",
    "GET /octo/bookings/<uuid:booking_id>/voucher.pdf": "the worker that makes it does not run here",
}
"""Calls that are meant well and yet refused: no failures, for these reasons."""

WEBHOOK = "POST /webhooks/payment"
CANCEL = "POST /bookings/<uuid:booking_id>/cancel"
NAMES = sorted(routes(), key=lambda name: (name == CANCEL, name.startswith("DELETE"), "/cancel" in name))
"""What ends something comes last, as the stage is shared."""


@pytest.fixture(scope="module")
def document(stage: Stage) -> Document:
    return document_of(stage.shop.app, "/api/v1")


def call_of(stage: Stage, name: str) -> Any:
    """The stage's call; a webhook is signed, byte for byte."""
    call = stage.call(name)
    if name != WEBHOOK:
        return call
    raw = json.dumps(call.body).encode()
    return SimpleNamespace(
        path=call.path, query={}, body=None, data=raw, headers=signed(stage, raw), token=None
    )


def test_the_document_has_every_route(document: Document) -> None:
    assert sorted(document.operations) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_meant_well_is_answered_as_documented(stage: Stage, document: Document, name: str) -> None:
    answer = document.well_meant(name, call_of(stage, name))
    assert (answer.status_code >= 400) is (name in REFUSED), answer.text


@pytest.mark.parametrize("name", NAMES)
def test_what_the_document_allows_is_answered_as_documented(
    stage: Stage, document: Document, name: str
) -> None:
    document.allowed(name, lambda: call_of(stage, name))


@pytest.mark.parametrize("name", NAMES)
def test_what_the_document_forbids_is_refused(stage: Stage, document: Document, name: str) -> None:
    document.forbidden(name, lambda: call_of(stage, name))
