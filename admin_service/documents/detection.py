"""What a file is, by its content alone: neither its name nor the type that was sent is asked."""

from __future__ import annotations

import re
from typing import BinaryIO

import puremagic

from admin_service.domain.media import Fault, FileRefused, MediaType

HEAD_BYTES = 4096
PIECE_BYTES = 1 << 20
# A ZIP archive is found from its end: the record that ends it and a comment of at most 65,535 bytes (APPNOTE
# 4.3.16).
ZIP_END_BYTES = 22 + 65_535
PDF_HEADER_BYTES = 1024
"""In these a reader looks for `%PDF-` (ISO 32000-1, annex H.3.4.1)."""

# What a browser or an interpreter would act on. Each is long enough that compressed data has it by chance
# less than once in 100,000 files of 10 MB.
_ACTIVE = re.compile(
    rb"<script[\s>/]|<!doctype\s|<html[\s>]|<iframe[\s>]|<svg[\s/]+[a-z:]+\s*=|<\?php\s|<body[\s>]|<object[\s>]",
    re.IGNORECASE,
)
_OVERLAP_BYTES = 64
_KNOWN = frozenset(MediaType)


def type_of(file: BinaryIO) -> MediaType:
    """The type of `file`. Raises FileRefused EMPTY, TYPE, and POLYGLOT for a file that is something else as
    well."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if not head:
        raise FileRefused(Fault.EMPTY, "The file is empty.")
    found = _named(head)
    if found is None:
        raise FileRefused(Fault.TYPE, "Pictures are JPEG, PNG, WebP, AVIF or GIF; documents are PDF.")
    _refuse_polyglot(file, head, found)
    file.seek(0)
    return found


def _named(head: bytes) -> MediaType | None:
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return None
    best = max(matches, key=lambda match: match.confidence, default=None)
    if best is None:
        return None
    # The surest match decides. Formats that share their first bytes are equally sure: one of ours among them
    # is tried, and its decoder has the last word.
    equals = [match.mime_type for match in matches if match.confidence == best.confidence]
    return next((MediaType(name) for name in equals if name in _KNOWN), None)


def _refuse_polyglot(file: BinaryIO, head: bytes, found: MediaType) -> None:
    pdf_at = head[:PDF_HEADER_BYTES].find(b"%PDF-")
    if pdf_at > 0 or (pdf_at == 0 and found is not MediaType.PDF):
        raise FileRefused(Fault.POLYGLOT, "The file can be read as PDF and as something else.")
    if _is_archive(file):
        raise FileRefused(Fault.POLYGLOT, "The file is an archive as well.")
    # In a PDF a text or a picture's metadata may have tags; nothing acts on them there, and it is sent as a
    # download. A picture has no reason to.
    if found.is_picture and _holds_active_content(file):
        raise FileRefused(Fault.POLYGLOT, "The file has markup or a program in it.")


def _is_archive(file: BinaryIO) -> bool:
    size = file.seek(0, 2)
    file.seek(max(0, size - ZIP_END_BYTES))
    if b"PK\x05\x06" not in file.read():
        return False
    return _search(file, re.compile(rb"PK\x01\x02"))


def _holds_active_content(file: BinaryIO) -> bool:
    return _search(file, _ACTIVE)


def _search(file: BinaryIO, pattern: re.Pattern[bytes]) -> bool:
    """Whether `pattern`, which matches at most _OVERLAP_BYTES, is in the file; in flat memory."""
    file.seek(0)
    kept = b""
    while piece := file.read(PIECE_BYTES):
        piece = kept + piece
        if pattern.search(piece) is not None:
            return True
        kept = piece[-_OVERLAP_BYTES:]
    return False
