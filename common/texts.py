"""Texts by language, with fallback."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("en", "es", "de", "nl", "fr")
Texts = Mapping[str, str]
"""Text by language code, for instance `{"en": "Tower", "nl": "Toren"}`."""


def text_in(texts: Texts, language: str) -> str:
    """The text in `language`, else in English, else in the first language there is; empty without any."""
    for wanted in (language, *LANGUAGES):
        if texts.get(wanted):
            return texts[wanted]
    return next(iter(texts.values()), "")
