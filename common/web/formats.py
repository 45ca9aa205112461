"""The form of an answer that can come in several: the first on offer, unless Accept names another one.

A header that names one of ours means it, whatever else is in the list and with whatever weight: the same rule
can be kept by a gateway that has to know which copy to hand out.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Request


def chosen_format(request: Request, offered: Sequence[str]) -> str | None:
    """One of `offered`, media types of which the first is the default; None where none are."""
    if not offered:
        return None
    accept = request.environ.get("HTTP_ACCEPT", "").lower()
    return next((media_type for media_type in offered[1:] if media_type in accept), offered[0])


def told_apart_by(accept: str) -> str:
    """What of an Accept header can make a difference: nothing, unless it names a type with a suffix (RFC
    6839), as all others than plain JSON are here; the XHTML of every browser is none of ours.
    """
    return accept if accept.count("+") > accept.count("+xml") else ""
