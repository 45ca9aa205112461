"""Requests that follow from OCTO's own specification, as far as it is served; every answer is held to it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok

from tests.http.ticketing.agency import Agency
from tests.http.ticketing.shop import Shop
from tests.octo.otas import ERRORS, Document, Ota, day_ticket
from tests.octo.spec import CONTENT, DOCUMENT, PRICING, hold
from tests.security.conforming import CHECKS, tried

PREFIX = "/api/v1/octo"
NAMES = sorted(
    f"{method.upper()} {path}" for path, methods in DOCUMENT["paths"].items() for method in methods
)
"""All of it is served."""


@pytest.fixture(scope="module")
def operations(shop: Shop) -> dict[str, Any]:
    document = deepcopy(DOCUMENT)
    document["paths"] = {PREFIX + path: methods for path, methods in document["paths"].items()}
    document["servers"] = [{"url": "/"}]
    schema = schemathesis.openapi.from_dict(document)
    schema.app = shop.app
    found = {}
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result.err()
        operation = result.ok()
        found[f"{operation.method.upper()} {operation.path.removeprefix(PREFIX)}"] = operation
    return found


def fields_of(name: str) -> frozenset[str]:
    """Of the body of that operation."""
    method, path = name.split()
    body = DOCUMENT["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]
    declared = body["schema"]["$ref"].rpartition("/")[2]
    return frozenset(DOCUMENT["components"]["schemas"][declared]["properties"])


@pytest.fixture(scope="module")
def product(shop: Shop, agency: Agency) -> Document:
    return dict(Ota(agency).ok("GET", f"/products/{day_ticket(shop, capacity=None)['id']}"))


def test_all_of_the_specification_is_tried(operations: dict[str, Any]) -> None:
    assert sorted(operations) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_what_the_specification_allows_is_answered_as_it_says(
    operations: dict[str, Any], ota: Ota, product: Document, name: str
) -> None:
    operation = operations[name]
    generated = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    order = ota.order(product)
    days = {"localDateStart": "2026-07-02", "localDateEnd": "2026-07-03"}
    known = {**order, **days, "contact": {"fullName": "Ann", "emailAddress": "a@example.org"}}

    def send(case: Case[Any], data: st.DataObject) -> None:
        used = data.draw(st.sampled_from(["", PRICING, f"{PRICING}, {CONTENT}", "octo/cart"]))
        if "uuid" in case.path_parameters:
            case.path_parameters["uuid"] = ota.reserved(product)["uuid"]
        if "id" in case.path_parameters:
            case.path_parameters["id"] = data.draw(st.sampled_from([product["id"], "none"]))
        if isinstance(case.body, dict):
            # what is not known ends at once: some of it is what there is
            kept = data.draw(st.sets(st.sampled_from(sorted(known))))
            fields = fields_of(name)
            case.body.update({key: known[key] for key in kept if key in fields and key != "uuid"})
        headers = {"Authorization": f"Bearer {ota.key}", "Octo-Capabilities": used}
        answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code != 200:
            hold(answer.json(), ERRORS.get(answer.json()["error"], "BaseError"))

    tried(send, generated, mixed=True)
