"""Documents of another system are read as what is declared of them, and as nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from bson import Decimal128, Int64
from bson.datetime_ms import DatetimeMS

from common.transfer.members import Kind, Member, Shape, Unfit, in_hundredths

SHAPE = Shape(
    "things",
    (
        Member("price.amount", Kind.NUMBER, "", required=True),
        Member("price.tax", Kind.WHOLE, "", default=9),
        Member("state", Kind.TEXT, "", default="new", words={"new": "draft", "old": "archived"}),
        Member("at", Kind.MOMENT, ""),
        Member("open", Kind.FLAG, ""),
        Member("rest", Kind.ANY, "", left=True),
    ),
)


def read(**members: Any) -> dict[str, Any]:
    return SHAPE.read({"_id": 1, "price": {"amount": 1}, **members})


def test_what_is_missing_has_its_default_and_what_is_left_is_not_read() -> None:
    assert read(rest={"any": ["thing"]}) == {
        "price.amount": Decimal(1), "price.tax": 9, "state": "draft", "at": None, "open": None,
    }  # fmt: skip
    assert read(state="old", at=datetime(2026, 7, 1, tzinfo=UTC))["state"] == "archived"


@pytest.mark.parametrize("number", [12.5, Decimal128("12.50")])
def test_a_number_is_what_was_written(number: Any) -> None:
    found = read(price={"amount": number})["price.amount"]
    assert found == Decimal("12.5")
    assert in_hundredths(found) == 1250
    assert in_hundredths(SHAPE.read({"price": {"amount": Int64(7)}})["price.amount"]) == 700


@pytest.mark.parametrize("amount", [2.505, 0.1 + 0.2])
def test_nothing_is_rounded(amount: float) -> None:
    with pytest.raises(Unfit, match="hundredths"):
        in_hundredths(read(price={"amount": amount})["price.amount"])


@pytest.mark.parametrize("members, why", [
    ({"price": {"amount": True}}, "price.amount: not a number"),
    ({"price": {"amount": float("nan")}}, "price.amount: not a number"),
    ({"price": {"amount": "12"}}, "price.amount: not a number"),
    ({"price": {"amount": 1, "tax": 9.5}}, "price.tax: not a whole number"),
    ({"price": {"amount": 1, "other": 2}}, "price.other: a member that is not known"),
    ({"price": {"amount": None}}, "price.amount: missing"),
    ({"price": None}, "price.amount: missing"),
    ({"price": 12}, "price: not a document"),
    ({"state": "broken"}, "state: a word that is not known"),
    ({"state": 1}, "state: not a text"),
    ({"at": "2026-07-01"}, "at: not a date"),
    ({"at": DatetimeMS(10**15)}, "at: not a date"),
    ({"open": 1}, "open: not a flag"),
    ({"colour": "red"}, "colour: a member that is not known"),
])  # fmt: skip
def test_what_is_not_declared_is_unfit(members: dict[str, Any], why: str) -> None:
    with pytest.raises(Unfit) as unfit:
        read(**members)
    assert str(unfit.value) == why
