"""A key of the configuration is declared or is none, and a value is of its type or is refused."""

from __future__ import annotations

from typing import Any

import pytest

from admin_service.domain.configuration import (
    DEFAULTS,
    FIRST,
    KEYS,
    ContradictsItself,
    KeyUnknown,
    Revision,
    changed_values,
    check_together,
    checked_value,
    differences,
    nested,
    usable,
)
from admin_service.domain.value_kinds import ValueRefused
from ticketing_service.domain.pricing import SalePolicy

DEEP: list[Any] = []
for _ in range(200):
    DEEP = [DEEP]


def refused(name: str, value: Any) -> tuple[str, str]:
    with pytest.raises(ValueRefused) as error:
        checked_value(name, value)
    return error.value.code, error.value.step


def test_no_key_is_for_a_secret() -> None:
    for name in KEYS:
        assert not {"secret", "password", "token", "apikey", "credential"} & {name.lower().partition(".")[2]}
        assert not any(word in name.lower() for word in ("secret", "password", "token", "privatekey"))


def test_every_default_keeps_its_own_limits_and_all_go_together() -> None:
    for name, key in KEYS.items():
        assert key.kind.checked(key.default) == key.default, name
        assert key.description.endswith(".")
    check_together(DEFAULTS)


def test_the_defaults_are_those_that_ticketing_has_by_itself() -> None:
    policy = SalePolicy()
    assert DEFAULTS["sales.bookingFee"] == policy.fee
    assert DEFAULTS["sales.holdMinutes"] == policy.hold_minutes
    assert DEFAULTS["sales.maxHoldMinutes"] == policy.max_hold_minutes
    assert DEFAULTS["sales.maxExtensions"] == policy.max_extensions
    assert DEFAULTS["sales.maxUnitsPerItem"] == policy.max_units_per_item
    assert DEFAULTS["sales.maxUnitsPerBooking"] == policy.max_units_per_booking
    assert DEFAULTS["sales.guestHoldsPerAddress"] == policy.guest_holds_per_address
    assert DEFAULTS["sales.guestHoldsPerEmail"] == policy.guest_holds_per_email
    assert DEFAULTS["sales.cutoffStartTimeMinutes"] == policy.cutoff_start_time_minutes
    assert DEFAULTS["sales.cutoffOpeningHoursMinutes"] == policy.cutoff_opening_hours_minutes
    assert DEFAULTS["sales.taxBasisPoints"] == policy.tax_basis_points
    assert DEFAULTS["sales.commissionBasisPoints"] == policy.commission_basis_points
    steps = [{"hoursBefore": each.hours_before, "percent": each.percent} for each in policy.refund_policy]
    assert DEFAULTS["sales.refundPolicy"] == steps


@pytest.mark.parametrize(
    "name", ["sales.bookingfee", "", "brand", "__class__", "sales.bookingFee ", "$where"]
)
def test_what_nobody_declared_cannot_be_set(name: str) -> None:
    with pytest.raises(KeyUnknown):
        checked_value(name, 1)


@pytest.mark.parametrize("value", ["15", 15.0, True, None, [], {}, DEEP, "1e1"])
def test_a_number_is_a_whole_number(value: Any) -> None:
    assert refused("sales.holdMinutes", value) == ("WRONG_TYPE", "")


@pytest.mark.parametrize(
    "name, value, code, step",
    [
        ("sales.holdMinutes", 0, "OUT_OF_RANGE", ""),
        ("sales.holdMinutes", 61, "OUT_OF_RANGE", ""),
        ("sales.bookingFee", -1, "OUT_OF_RANGE", ""),
        ("sales.bookingFee", 10**400, "OUT_OF_RANGE", ""),
        ("signIn.mfaRequiredForAdmins", 1, "WRONG_TYPE", ""),
        ("signIn.mfaRequiredForAdmins", "true", "WRONG_TYPE", ""),
        ("sales.currency", "XXX", "NOT_A_CHOICE", ""),
        ("sales.currency", ["EUR"], "WRONG_TYPE", ""),
        ("brand.name", "x" * 81, "TOO_LONG", ""),
        ("brand.name", "a\nb", "CONTROL_CHARACTER", ""),
        ("brand.name", 5, "WRONG_TYPE", ""),
        ("brand.claim", "all", "WRONG_TYPE", ""),
        ("brand.claim", {"xx": "Hi"}, "NOT_A_CHOICE", "/xx"),
        ("brand.claim", {"en": 5}, "WRONG_TYPE", "/en"),
        ("brand.claim", {"a/b~c": "Hi"}, "NOT_A_CHOICE", "/a~1b~0c"),
        ("brand.primaryColour", "red", "INVALID", ""),
        ("brand.primaryColour", "#12345g", "INVALID", ""),
        ("brand.primaryColour", "url(javascript:1)", "TOO_LONG", ""),
        ("brand.website", "javascript:alert(1)", "INVALID", ""),
        ("brand.website", "https://user:pass@evil.example", "INVALID", ""),
        ("brand.website", 'https://a.example/"><script>', "INVALID", ""),
        ("brand.contactEmail", "a" * 32 + "!", "INVALID", ""),
        ("brand.contactEmail", "a@b\\c.example", "INVALID", ""),
        ("brand.logo", "../../etc/passwd", "INVALID", ""),
        ("languages.offered", [], "TOO_SHORT", ""),
        ("languages.offered", ["en", "en"], "INVALID", "/1"),
        ("languages.offered", ["en", "xx"], "NOT_A_CHOICE", "/1"),
        ("languages.offered", "en", "WRONG_TYPE", ""),
        ("sales.refundPolicy", {}, "WRONG_TYPE", ""),
        ("sales.refundPolicy", [5], "WRONG_TYPE", "/0"),
        ("sales.refundPolicy", [{"hoursBefore": 24}], "REQUIRED", "/0/percent"),
        ("sales.refundPolicy", [{"hoursBefore": 24, "percent": 101}], "OUT_OF_RANGE", "/0/percent"),
        ("sales.refundPolicy", [{"hoursBefore": 24, "percent": 9, "x": 1}], "UNKNOWN_FIELD", "/0/x"),
        (
            "sales.refundPolicy",
            [{"hoursBefore": 24, "percent": 50}, {"hoursBefore": 48, "percent": 20}],
            "INVALID",
            "/1",
        ),
        ("sales.refundPolicy", [{"hoursBefore": n, "percent": 1} for n in range(11)], "TOO_LONG", ""),
    ],
)
def test_a_value_that_cannot_be_is_refused_where_it_is_wrong(
    name: str, value: Any, code: str, step: str
) -> None:
    assert refused(name, value) == (code, step)


def test_a_value_is_kept_in_one_form() -> None:
    assert checked_value("brand.primaryColour", "#AABBCC") == "#aabbcc"
    assert checked_value("brand.name", "  Delft ") == "Delft"
    assert checked_value("brand.website", "https://a.example/b?c=d") == "https://a.example/b?c=d"
    assert checked_value("brand.contactEmail", "info@delft.example") == "info@delft.example"
    assert checked_value("brand.claim", {"nl": "Hoi", "en": "Hi"}) == {"en": "Hi", "nl": "Hoi"}


def test_what_is_by_default_is_not_kept() -> None:
    values = changed_values({}, {"sales.bookingFee": 300, "sales.holdMinutes": 15})
    assert values == {"sales.bookingFee": 300}
    assert changed_values(values, {"sales.bookingFee": None}) == {}
    assert changed_values(values, {"sales.bookingFee": 250}) == {}


@pytest.mark.parametrize(
    "changes, key",
    [
        ({"sales.holdMinutes": 50, "sales.maxHoldMinutes": 40}, "sales.holdMinutes"),
        ({"sales.maxUnitsPerItem": 30}, "sales.maxUnitsPerItem"),
        ({"languages.offered": ["de"]}, "languages.default"),
    ],
)
def test_values_that_contradict_each_other_are_refused(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(ContradictsItself) as error:
        check_together({**DEFAULTS, **changes})
    assert error.value.key == key


def test_a_revision_of_an_older_version_is_used_as_far_as_it_goes() -> None:
    old = {"sales.holdMinutes": 9999, "gone.key": 1, "sales.bookingFee": 100}
    assert usable(old) == {"sales.bookingFee": 100}
    assert Revision(number=3, values={"gone.key": 1}).effective == DEFAULTS


def test_differences_name_what_was_and_what_is() -> None:
    after = Revision(number=1, values={"sales.bookingFee": 300})
    (only,) = differences(FIRST, after)
    assert (only.key, only.before, only.after) == ("sales.bookingFee", 250, 300)


def test_the_public_part_holds_nothing_that_is_not_public() -> None:
    public = nested(DEFAULTS, public=True)
    assert public["sales"]["holdMinutes"] == 15
    shown = {f"{group}.{name}" for group, members in public.items() for name in members}
    assert shown == {name for name, key in KEYS.items() if key.public}
    assert "sales.commissionBasisPoints" not in shown
    assert "signIn" not in public
    assert nested(DEFAULTS, public=False)["sales"]["commissionBasisPoints"] == 800
