"""A letter as text and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

PAGE = (
    '<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width"></head>'
    '<body style="margin:0;background:#eef1f4;font:16px/1.5 Helvetica,Arial,sans-serif;color:#18202c">'
    '<div style="max-width:560px;margin:24px auto;padding:28px;background:#fff;border-radius:8px">'
)
BUTTON = (
    '<p><a href="{link}" style="display:inline-block;padding:12px 20px;border-radius:6px;'
    'background:#114d5c;color:#fff;text-decoration:none">{label}</a></p>'
)
PAGE_END = "</div></body></html>\n"


@dataclass(frozen=True, slots=True)
class Letter:
    """One message without its envelope."""

    subject: str
    text: str
    html: str


def letter_with_link(
    subject: str, before: Sequence[str], label: str, link: str, after: Sequence[str], language: str
) -> Letter:
    """Paragraphs, a link that `label` names, and paragraphs."""
    text = "\n\n".join((*before, f"{label}:\n{link}", *after)) + "\n"
    html = [PAGE.format(language=language)]
    html += [f"<p>{escape(paragraph)}</p>" for paragraph in before]
    html.append(BUTTON.format(link=escape(link), label=escape(label)))
    html += [f"<p>{escape(paragraph)}</p>" for paragraph in after]
    return Letter(subject, text, "".join((*html, PAGE_END)))
