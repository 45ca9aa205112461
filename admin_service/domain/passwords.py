"""Which passwords may be chosen (NIST SP 800-63B): by length and by how hard they are to guess; no rules
about kinds of characters, and no change by the calendar."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterable

import zxcvbn

from admin_service.domain.errors import Code, Refused

SHORTEST, SHORTEST_BESIDE, LONGEST = 15, 8, 128
"""Code points. `SHORTEST_BESIDE`: of a password beside which a second factor is asked for."""

LEAST_GUESSES_LOG10 = 8.0
"""Below, a password is common, or made of what is common: words, names, dates, rows of keys, repetitions."""

_WORD = 3
"""Code points of a word that counts as known."""

_LOOKED_AT = 72
"""Code points that the estimate takes; more cannot make a password easier to guess."""

# The estimate keeps the words of its last caller in a place that all share.
_one_at_a_time = threading.Lock()


def normal(password: str) -> str:
    """The one spelling of what was typed, whatever the keyboard makes of accents (NFKC)."""
    return unicodedata.normalize("NFKC", password)


def check_length(password: str, pointer: str, *, alone: bool) -> None:
    """Raise PASSWORD_TOO_SHORT or PASSWORD_TOO_LONG. `alone`: nothing else is asked for at the sign-in."""
    least = SHORTEST if alone else SHORTEST_BESIDE
    if len(password) < least:
        detail = f"At least {least} characters."
        raise Refused(Code.PASSWORD_TOO_SHORT, detail, pointer, facts={"least": least})
    if len(password) > LONGEST:
        raise Refused(Code.PASSWORD_TOO_LONG, f"At most {LONGEST} characters.", pointer)


def check_choice(password: str, known: Iterable[str], pointer: str, *, alone: bool) -> None:
    """Raise what `check_length` raises, or PASSWORD_TOO_COMMON. `known`: what everybody knows of its owner,
    such as the address.
    """
    check_length(password, pointer, alone=alone)
    words = {part for text in known for part in (text, *text.replace("@", " ").replace(".", " ").split())}
    rest = password.casefold()
    for word in sorted((word for word in words if len(word) >= _WORD), key=len, reverse=True):
        rest = rest.replace(word.casefold(), "")
    if len(rest) < SHORTEST_BESIDE:
        raise Refused(Code.PASSWORD_TOO_COMMON, "It is made of what everybody knows of you.", pointer)
    with _one_at_a_time:
        found = zxcvbn.zxcvbn(password[:_LOOKED_AT], user_inputs=sorted(word for word in words if word))
    if found["guesses_log10"] < LEAST_GUESSES_LOG10:
        raise Refused(Code.PASSWORD_TOO_COMMON, "It is among the first that are tried.", pointer)
