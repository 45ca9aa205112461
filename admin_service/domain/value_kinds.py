"""What a value of the platform's configuration may be: its type and its limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol
from uuid import UUID

from admin_service.domain.markup import has_markup
from common.texts import LANGUAGES

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_WEB_ADDRESS = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?(?:/[!#-;=?-Z\[\]_a-z~]{0,400})?"
)
_MAIL_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_{|}~.-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}")


class ValueRefused(Exception):
    """A value that cannot be. `code` is one of the field codes that clients know; `step` leads to the part of
    the value that is at fault, such as `/0/percent`."""

    def __init__(self, code: str, detail: str, step: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.step = code, detail, step


class ValueKind(Protocol):
    """A type with its limits."""

    @property
    def name(self) -> str:
        """What clients call the type."""
        ...

    def checked(self, value: Any) -> Any:
        """The value as it is kept: what JSON can say, of this type. Raises ValueRefused."""
        ...

    def limits(self) -> Mapping[str, Any]:
        """The limits, for who fills in a form."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `low` to `high`."""

    low: int
    high: int
    name: str = "integer"

    def checked(self, value: Any) -> int:
        if type(value) is not int:  # true is a number to Python
            raise ValueRefused("WRONG_TYPE", "Not a whole number.")
        if not self.low <= value <= self.high:
            raise ValueRefused("OUT_OF_RANGE", f"From {self.low} to {self.high}.")
        return value

    def limits(self) -> Mapping[str, Any]:
        return {"minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class YesOrNo:
    """True or false."""

    name: str = "boolean"

    def checked(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueRefused("WRONG_TYPE", "Not true or false.")
        return value

    def limits(self) -> Mapping[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text, which may be empty."""

    longest: int
    name: str = "text"

    def checked(self, value: Any) -> str:
        return _shown_line(value, self.longest)

    def limits(self) -> Mapping[str, Any]:
        return {"maxLength": self.longest}


@dataclass(frozen=True, slots=True)
class Texts:
    """A line of text by language; empty where nothing is said."""

    longest: int
    name: str = "texts"

    def checked(self, value: Any) -> dict[str, str]:
        if not isinstance(value, dict):
            raise ValueRefused("WRONG_TYPE", "Not an object of texts by language.")
        for language in value:
            if language not in LANGUAGES:
                raise ValueRefused("NOT_A_CHOICE", f"One of {', '.join(LANGUAGES)}.", _step(language))
        found = {}
        for language, text in value.items():
            try:
                found[language] = _shown_line(text, self.longest)
            except ValueRefused as refused:
                raise ValueRefused(refused.code, refused.detail, _step(language)) from refused
        return dict(sorted(found.items()))

    def limits(self) -> Mapping[str, Any]:
        return {"languages": list(LANGUAGES), "maxLength": self.longest}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of `options`."""

    options: tuple[str, ...]
    name: str = "choice"

    def checked(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueRefused("WRONG_TYPE", "Not a text.")
        if value not in self.options:
            raise ValueRefused("NOT_A_CHOICE", f"One of {', '.join(self.options)}.")
        return value

    def limits(self) -> Mapping[str, Any]:
        return {"options": list(self.options)}


@dataclass(frozen=True, slots=True)
class Choices:
    """At least one of `options`, each once, in the order that was given."""

    options: tuple[str, ...]
    name: str = "choices"

    def checked(self, value: Any) -> list[str]:
        if not isinstance(value, list):
            raise ValueRefused("WRONG_TYPE", "Not a list.")
        if not value:
            raise ValueRefused("TOO_SHORT", "At least one.")
        one = Choice(self.options)
        for index, item in enumerate(value):
            try:
                one.checked(item)
            except ValueRefused as refused:
                raise ValueRefused(refused.code, refused.detail, f"/{index}") from refused
            if item in value[:index]:
                raise ValueRefused("INVALID", "It is there twice.", f"/{index}")
        return list(value)

    def limits(self) -> Mapping[str, Any]:
        return {"options": list(self.options)}


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour as the web writes it, `#1a2b3c`."""

    name: str = "colour"

    def checked(self, value: Any) -> str:
        text = _line(value, 7).lower()
        if _COLOUR.fullmatch(text) is None:
            raise ValueRefused("INVALID", "Write a colour as #1a2b3c.")
        return text

    def limits(self) -> Mapping[str, Any]:
        return {"pattern": f"^{_COLOUR.pattern}$"}


@dataclass(frozen=True, slots=True)
class WebAddress:
    """An address that begins with http:// or https://, or nothing."""

    name: str = "url"

    def checked(self, value: Any) -> str:
        text = _line(value, 500)
        if text and _WEB_ADDRESS.fullmatch(text) is None:
            raise ValueRefused("INVALID", "Not an address that begins with https:// or http://.")
        return text

    def limits(self) -> Mapping[str, Any]:
        return {"maxLength": 500}


@dataclass(frozen=True, slots=True)
class MailAddress:
    """An e-mail address, or nothing."""

    name: str = "email"

    def checked(self, value: Any) -> str:
        text = _line(value, 254)
        if text and _MAIL_ADDRESS.fullmatch(text) is None:
            raise ValueRefused("INVALID", "Not an e-mail address.")
        return text

    def limits(self) -> Mapping[str, Any]:
        return {"maxLength": 254}


@dataclass(frozen=True, slots=True)
class MediaId:
    """The id of a picture of ours, or nothing."""

    name: str = "media"

    def checked(self, value: Any) -> str:
        text = _line(value, 36)
        try:
            return str(UUID(text)) if text else ""
        except ValueError as error:
            raise ValueRefused("INVALID", "Not the id of a medium.") from error

    def limits(self) -> Mapping[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class RefundSteps:
    """What a customer gets back: `[{"hoursBefore": 24, "percent": 100}, ...]`, the earliest first, each less
    than the one before it. Without a step nothing is given back."""

    most: int = 10
    name: str = "refundSteps"

    def checked(self, value: Any) -> list[dict[str, int]]:
        if not isinstance(value, list):
            raise ValueRefused("WRONG_TYPE", "Not a list.")
        if len(value) > self.most:
            raise ValueRefused("TOO_LONG", f"At most {self.most} steps.")
        steps = [self._step(step, f"/{index}") for index, step in enumerate(value)]
        for index, (before, step) in enumerate(pairwise(steps), start=1):
            if step["hoursBefore"] >= before["hoursBefore"] or step["percent"] >= before["percent"]:
                raise ValueRefused("INVALID", "Each step is later and gives less than the last.", f"/{index}")
        return steps

    def limits(self) -> Mapping[str, Any]:
        return {"maxItems": self.most, "hoursBefore": {"minimum": 0, "maximum": 8760}}

    @staticmethod
    def _step(step: Any, at: str) -> dict[str, int]:
        if not isinstance(step, dict):
            raise ValueRefused("WRONG_TYPE", "Not an object.", at)
        kinds = {"hoursBefore": Whole(0, 8760), "percent": Whole(1, 100)}
        for name in step:
            if name not in kinds:
                raise ValueRefused("UNKNOWN_FIELD", "Unknown field.", at + _step(name))
        found = {}
        for name, kind in kinds.items():
            if name not in step:
                raise ValueRefused("REQUIRED", "Missing.", f"{at}/{name}")
            try:
                found[name] = kind.checked(step[name])
            except ValueRefused as refused:
                raise ValueRefused(refused.code, refused.detail, f"{at}/{name}") from refused
        return found


def _line(value: Any, longest: int) -> str:
    if not isinstance(value, str):
        raise ValueRefused("WRONG_TYPE", "Not a text.")
    if len(value) > longest:
        raise ValueRefused("TOO_LONG", f"At most {longest} characters.")
    if _CONTROL.search(value) is not None:
        raise ValueRefused("CONTROL_CHARACTER", "The text has a control character.")
    return value.strip()


def _shown_line(value: Any, longest: int) -> str:
    """A line that visitors may read."""
    line = _line(value, longest)
    if has_markup(line):
        raise ValueRefused("MARKUP", "Plain text only: no tags.")
    return line


def _step(name: Any) -> str:
    """One step of a JSON pointer (RFC 6901 section 3)."""
    return "/" + str(name).replace("~", "~0").replace("/", "~1")
