"""What people are written: subject, text and HTML of each letter in each language."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

from common.mail.letters import Letter, letter_with_link
from common.texts import LANGUAGES


def write_letter(purpose: str, language: str, name: str, link: str, lifetime: timedelta) -> Letter:
    """The letter of `purpose` (invite or reset) in the language of `name`. `link` is good for `lifetime`."""
    words = words_in(language if language in LANGUAGES else LANGUAGES[0])
    texts = words[purpose]
    days, hours = lifetime.days, lifetime.seconds // 3600
    time = words["days"].format(count=days) if days else words["hours"].format(count=hours)
    return letter_with_link(
        texts["subject"],
        (words["greeting"].format(name=name), *texts["lines"]),
        texts["open"],
        link,
        (words["care"].format(time=time), texts["ignore"]),
        language,
    )


@cache
def words_in(language: str) -> dict[str, Any]:
    """All our texts in a language of LANGUAGES."""
    content = files("admin_service.documents") / "texts" / f"{language}.json"
    words: dict[str, Any] = orjson.loads(content.read_bytes())
    return words
