"""The page on which a password is chosen, by the link of a mail: one document that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import BaseLoader, Environment
from markupsafe import Markup

from admin_service.documents.mail_texts import words_in
from admin_service.domain.passwords import LONGEST, SHORTEST, SHORTEST_BESIDE

MESSAGES = (
    "done", "ended", "nolink", "short", "long", "common", "differ", "missing", "many", "away",
)  # fmt: skip
"""What the page says, by what has happened."""


@cache
def write_page(language: str) -> tuple[str, str]:
    """The page in one of our languages, and the Content-Security-Policy under which it works: its own style,
    its own script, and requests to where it comes from."""
    style, script = _text("password.css"), _text("password.js")
    templates = Environment(loader=BaseLoader(), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = templates.from_string(_text("password.html")).render(
        language=language,
        words=words_in(language)["page"],
        messages=MESSAGES,
        least=SHORTEST,
        beside=SHORTEST_BESIDE,
        longest=LONGEST,
        # ours, and no text of anybody's
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
    )
    policy = (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; connect-src 'self'; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
    return page, policy


def _text(name: str) -> str:
    return (files("admin_service.documents") / "pages" / name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """The one inline text that a policy allows."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
