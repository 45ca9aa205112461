"""The platform's configuration: what keys there are, and what their values may be together.

A key is declared here or it is none: what nobody declared cannot be set. No key holds a secret; those are
settings of the processes, and never in a store.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from admin_service.domain.value_kinds import (
    Choice,
    Choices,
    Colour,
    Line,
    MailAddress,
    MediaId,
    RefundSteps,
    Texts,
    ValueKind,
    ValueRefused,
    WebAddress,
    Whole,
    YesOrNo,
)
from common.texts import LANGUAGES

Values = Mapping[str, Any]
"""Value by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key. `public`: everybody may read it. `unit`: of its number, where that is not plain."""

    name: str
    kind: ValueKind
    default: Any
    description: str
    public: bool = False
    unit: str = ""


def _key(name: str, kind: ValueKind, default: Any, description: str, **more: Any) -> Key:
    return Key(name=name, kind=kind, default=kind.checked(default), description=description, **more)


_SALES = (
    _key("sales.currency", Choice(("EUR", "USD", "GBP", "CHF")), "EUR",
         "The currency of a new ticket whose prices name none.", public=True),
    _key("sales.bookingFee", Whole(0, 100_000), 250,
         "What is added to each booking.", public=True, unit="minor units"),
    _key("sales.holdMinutes", Whole(1, 60), 15,
         "How long unpaid places are held.", public=True, unit="minutes"),
    _key("sales.maxHoldMinutes", Whole(1, 240), 60,
         "How long a hold can last with all extensions.", unit="minutes"),
    _key("sales.maxExtensions", Whole(0, 10), 2, "How often a hold can be extended."),
    _key("sales.maxUnitsPerItem", Whole(1, 100), 10, "Units in one item of a booking.", public=True),
    _key("sales.maxUnitsPerBooking", Whole(1, 500), 20, "Units in one booking.", public=True),
    _key("sales.guestHoldsPerAddress", Whole(1, 1000), 10,
         "Unpaid holds that one network address may have."),
    _key("sales.guestHoldsPerEmail", Whole(1, 100), 3, "Unpaid holds that one e-mail address may have."),
    _key("sales.cutoffStartTimeMinutes", Whole(0, 10_080), 120,
         "When sales end before a start.", unit="minutes"),
    _key("sales.cutoffOpeningHoursMinutes", Whole(0, 1440), 30,
         "When sales end before the last closing time.", unit="minutes"),
    _key("sales.taxBasisPoints", Whole(0, 5000), 900,
         "The tax that a price contains where its ticket does not say.", unit="1/100 percent"),
    _key("sales.commissionBasisPoints", Whole(0, 5000), 800,
         "The platform's commission.", unit="1/100 percent"),
    _key("sales.refundPolicy", RefundSteps(), [{"hoursBefore": 24, "percent": 100}],
         "What a new ticket gives back when it is cancelled.", public=True),
)  # fmt: skip
_BRAND = (
    _key("brand.name", Line(80), "Destination", "What the destination is called.", public=True),
    _key("brand.claim", Texts(200), {}, "One line about the destination.", public=True),
    _key("brand.primaryColour", Colour(), "#0b5fa5", "The colour of buttons and links.", public=True),
    _key("brand.logo", MediaId(), "", "The picture that stands for the destination.", public=True),
    _key("brand.website", WebAddress(), "", "The destination's own web site.", public=True),
    _key("brand.contactEmail", MailAddress(), "", "Where visitors write to.", public=True),
    _key("brand.telephone", Line(40), "", "Where visitors and resellers call.", public=True),
    _key("brand.address", Line(300), "", "Where the destination has its office.", public=True),
    _key("languages.offered", Choices(LANGUAGES), list(LANGUAGES),
         "In which the visitors are spoken to.", public=True),
    _key("languages.default", Choice(LANGUAGES), "en",
         "What is shown where nothing is wished for.", public=True),
)  # fmt: skip
_OPERATION = (
    _key("media.quotaMegabytes", Whole(10, 10_000_000), 10_000,
         "What all media may take together.", unit="MB"),
    _key("signIn.mfaRequiredForAdmins", YesOrNo(), False,
         "Whether a platform administrator needs a second factor."),
)  # fmt: skip
_DECLARED = (*_SALES, *_BRAND, *_OPERATION)

KEYS: Mapping[str, Key] = {key.name: key for key in _DECLARED}
"""Every key there is."""

DEFAULTS: Values = {key.name: key.default for key in _DECLARED}


class KeyUnknown(Exception):
    """Nobody declared the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The configuration as it was from one change to the next. `number` counts from 1; before the first one
    there is number 0. `values` are those that are not by default. `changed`: the keys that this change was
    about.
    """

    number: int
    values: Values
    changed: tuple[str, ...] = ()
    changed_at: datetime | None = None
    changed_by: str = ""
    reason: str = ""

    @property
    def effective(self) -> Values:
        """The value of every key."""
        return {**DEFAULTS, **{name: value for name, value in self.values.items() if name in KEYS}}


FIRST = Revision(number=0, values={})
"""Before anybody changed anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What one revision says otherwise than the one before it."""

    key: str
    before: Any
    after: Any


def checked_value(name: str, value: Any) -> Any:
    """The value as it is kept. Raises KeyUnknown, ValueRefused."""
    key = KEYS.get(name)
    if key is None:
        raise KeyUnknown(name)
    return key.kind.checked(value)


def changed_values(before: Values, changes: Values) -> Values:
    """`before` with `changes`, each checked already; None puts a key back to its default. What is by default
    is not kept, so that a new default of a new version holds where nobody chose.
    """
    merged = {**before, **changes}
    return {
        name: value
        for name, value in sorted(merged.items())
        if name in KEYS and value is not None and value != KEYS[name].default
    }


def check_together(effective: Values) -> None:
    """Raise ContradictsItself where values that are fine alone are not so together."""
    if effective["sales.holdMinutes"] > effective["sales.maxHoldMinutes"]:
        raise ContradictsItself("sales.holdMinutes", "A hold is longer than all its extensions may make it.")
    if effective["sales.maxUnitsPerItem"] > effective["sales.maxUnitsPerBooking"]:
        raise ContradictsItself("sales.maxUnitsPerItem", "One item may have more units than its booking.")
    if effective["languages.default"] not in effective["languages.offered"]:
        raise ContradictsItself("languages.default", "It is not among the languages that are offered.")


class ContradictsItself(Exception):
    """Values that cannot be together; `key` is the one to look at."""

    def __init__(self, key: str, detail: str) -> None:
        super().__init__(f"{key}: {detail}")
        self.key, self.detail = key, detail


def usable(values: Values) -> Values:
    """Of what an older version kept, what this one can use: a key may have gone, a limit become tighter."""
    found = {}
    for name, value in values.items():
        try:
            found[name] = checked_value(name, value)
        except (KeyUnknown, ValueRefused):
            continue
    return found


def differences(before: Revision, after: Revision) -> tuple[Difference, ...]:
    """What changed, by key."""
    old, new = before.effective, after.effective
    return tuple(
        Difference(key=name, before=old[name], after=new[name]) for name in KEYS if old[name] != new[name]
    )


def nested(effective: Values, *, public: bool) -> dict[str, Any]:
    """By group: `{"sales": {"holdMinutes": 15}, ...}`; only the public keys, or all."""
    found: dict[str, Any] = {}
    for name, value in effective.items():
        if KEYS[name].public or not public:
            group, _, member = name.partition(".")
            found.setdefault(group, {})[member] = value
    return found
