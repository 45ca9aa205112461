"""What the admin service says is believed only as far as it can be."""

from __future__ import annotations

from typing import Any

import pytest

from admin_service.domain.configuration import DEFAULTS, KEYS
from ticketing_service.domain.catalogue import RefundStep
from ticketing_service.domain.platform import _BRAND, _FIELDS, Brand, Malformed, Mode, Platform, platform_of
from ticketing_service.domain.pricing import SalePolicy


def document(**values: Any) -> dict[str, Any]:
    named = {f"sales.{name}": value for name, value in values.items()}
    return {"revision": 3, "values": {**DEFAULTS, **named}, "mode": "normal"}


def test_the_defaults_of_both_services_are_one() -> None:
    assert platform_of(document()) == Platform(SalePolicy(), Mode.NORMAL, 3)


def test_every_key_of_sales_is_read() -> None:
    assert {key for key, _ in _FIELDS.values()} == {key for key in KEYS if key.startswith("sales.")}


def test_the_brand_is_what_admin_says_and_nothing_else() -> None:
    for name, key in _BRAND.items():
        assert KEYS[key].public
        assert getattr(Brand(), name) == DEFAULTS[key]
        longest = "x" * KEYS[key].kind.limits()["maxLength"]
        said = document()
        said["values"][key] = longest
        assert platform_of(said).brand == Brand(**{name: longest})
        for wrong in (None, 5, ["x"], "x" * 10_000):
            said["values"][key] = wrong
            with pytest.raises(Malformed):
                platform_of(said)


def test_every_key_that_is_read_is_declared_and_changes_something() -> None:
    for name, (key, _) in _FIELDS.items():
        assert key in KEYS
        assert hasattr(SalePolicy(), name)


@pytest.mark.parametrize(
    "values, changed",
    [
        ({"bookingFee": 0}, {"fee": 0}),
        ({"holdMinutes": 20}, {"hold_minutes": 20}),
        ({"commissionBasisPoints": 1000}, {"commission_basis_points": 1000}),
        (
            {"refundPolicy": [{"hoursBefore": 48, "percent": 50}]},
            {"refund_policy": (RefundStep(48, 50),)},
        ),
        ({"refundPolicy": []}, {"refund_policy": ()}),
        ({"currency": "CHF"}, {"currency": "CHF"}),
    ],
)
def test_a_key_sets_its_rule(values: dict[str, Any], changed: dict[str, Any]) -> None:
    assert platform_of(document(**values)).policy == SalePolicy(**changed)


def test_limits_are_those_of_the_declaration() -> None:
    """What the admin service lets through is never refused here."""
    for key, _ in _FIELDS.values():
        limits = KEYS[key].kind.limits()
        for value in (limits.get("minimum"), limits.get("maximum"), *limits.get("options", ())):
            if value is not None:
                platform_of(document(**{key.partition(".")[2]: value}))


def test_what_is_not_said_is_by_default_and_what_is_more_is_not_ours() -> None:
    said = {"revision": 1, "values": {"brand.name": "Delft", "new.key": [1]}, "mode": "maintenance"}
    assert platform_of(said) == Platform(SalePolicy(), Mode.MAINTENANCE, 1, Brand(name="Delft"))


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        "text",
        {},
        {"values": []},
        {"values": {}, "mode": "normal"},
        {"values": {}, "mode": "off", "revision": 1},
        {"values": {}, "mode": None, "revision": 1},
        {"values": {}, "mode": "normal", "revision": "1"},
        {"values": {}, "mode": "normal", "revision": -1},
        document(bookingFee="250"),
        document(bookingFee=-1),
        document(bookingFee=2.5),
        document(holdMinutes=True),
        document(holdMinutes=0),
        document(maxUnitsPerItem=10**9),
        document(currency="euro"),
        document(currency="EUR\n"),
        document(currency=978),
        document(refundPolicy={}),
        document(refundPolicy=[5]),
        document(refundPolicy=[{"hoursBefore": 1}]),
        document(refundPolicy=[{"hoursBefore": 1, "percent": 101}]),
    ],
)
def test_what_cannot_be_is_not_followed(said: Any) -> None:
    with pytest.raises(Malformed):
        platform_of(said)
