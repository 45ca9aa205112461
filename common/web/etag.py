"""Versions as entity tags (RFC 9110 sections 8.8.3 and 13.1.1): a write names the version that it was made
from."""

from __future__ import annotations

import re
from collections.abc import Mapping

from werkzeug.datastructures import Headers

from common.web.problems import problem

# What a cached read sends has a digest of its bytes after the version.
_TAG = re.compile(r'"([0-9]{1,15})(?:-[0-9a-f]{32})?"')


def etag(version: int) -> str:
    """The header value for `version`, quotes included."""
    return f'"{version}"'


def require_if_match(headers: Mapping[str, str] | Headers) -> int:
    """The version in If-Match. Raises Problem 428 PRECONDITION_REQUIRED, or 400 IF_MATCH_MALFORMED."""
    text = headers.get("If-Match")
    if text is None:
        raise problem("PRECONDITION_REQUIRED", "Send the ETag of what you read as If-Match.")
    match = _TAG.fullmatch(text.strip())
    if match is None:
        raise problem("IF_MATCH_MALFORMED")
    return int(match[1])
