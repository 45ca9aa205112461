"""Texts that people write, made safe to show: rich ones are sanitised, plain ones have no markup at all.

`nh3` (ammonia) parses as a browser does, so that what it leaves is what a browser will see.
"""

from __future__ import annotations

import nh3

RICH_TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "a", "h3", "h4", "blockquote"}
_ATTRIBUTES = {"a": {"href"}}
_SCHEMES = {"https", "http", "mailto", "tel"}
_LINK = "noopener noreferrer nofollow"


def sanitised(text: str) -> str:
    """The HTML with the tags and attributes that a description may have; scripts go with their content."""
    return nh3.clean(
        text,
        tags=RICH_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel=_LINK,
        clean_content_tags={"script", "style"},
    ).strip()


def has_markup(text: str) -> bool:
    """Whether a browser would see a tag, a comment or the like in what is to be plain text."""
    return nh3.is_html(text)


def plain(text: str) -> str:
    """A rich text without its tags, for indexes and comparisons: entities stay as they are."""
    return nh3.clean(text.replace("<", " <"), tags=set(), clean_content_tags={"script", "style"})
