"""Documents: a PDF is read, refused when it would do anything, and written anew."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any, BinaryIO

import pikepdf

from admin_service.domain.media import Fault, FileRefused, Made, MediaType, Rendition

log = logging.getLogger(__name__)

MAX_OBJECTS = 100_000
MAX_PAGES = 500
MAX_DEPTH = 100
_DECODED_BYTES = 64 * 1024 * 1024

# Actions by which a document does something by itself or reaches out (ISO 32000-1, 12.6.4); a link to a web
# page is none of them.
_ACTIONS = frozenset({
    "/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/ResetForm", "/GoToR", "/GoToE", "/Movie",
    "/Sound", "/Rendition", "/RichMediaExecute", "/SetOCGState", "/Hide", "/Trans", "/GoTo3DView",
})  # fmt: skip
_MEMBERS = frozenset(
    {"/JS", "/AA", "/XFA", "/EmbeddedFiles", "/EF", "/RichMediaContent", "/RichMediaSettings"}
)
_SUBTYPES = frozenset({"/FileAttachment", "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D"})
_LINKS = ("http://", "https://", "mailto:", "tel:")

# For the whole process, once: a few kilobytes can stand for gigabytes.
pikepdf.settings.set_qpdf_limits(
    doc_max_warnings=100,
    flate_max_memory=_DECODED_BYTES,
    png_max_memory=_DECODED_BYTES,
    run_length_max_memory=_DECODED_BYTES,
    tiff_max_memory=_DECODED_BYTES,
    dct_max_memory=_DECODED_BYTES,
    parser_max_container_size=1_000_000,
)


def make_attachment(file: BinaryIO) -> Made:
    """The document as it is stored: what it says, written anew, without what stood before, between or behind
    its objects. Raises FileRefused UNREADABLE, ACTIVE.
    """
    file.seek(0)
    try:
        with pikepdf.open(file, attempt_recovery=False) as document:
            _refuse_active(document)
            content = _rewritten(document)
    except FileRefused:
        raise
    except pikepdf.PasswordError as error:
        raise FileRefused(Fault.UNREADABLE, "The document is locked with a password.") from error
    # qpdf's complaints come as several types, and its objects raise what Python's do.
    except Exception as error:
        log.info("a document could not be read", extra={"fault": type(error).__name__})
        raise FileRefused(Fault.UNREADABLE, "This is no complete PDF document.") from error
    rendition = Rendition(name="document", media_type=MediaType.PDF.value, bytes=len(content))
    return Made(media_type=MediaType.PDF, renditions=((rendition, content),))


def _rewritten(document: pikepdf.Pdf) -> bytes:
    for private in ("/Metadata", "/PieceInfo", "/OpenAction"):
        if private in document.Root:
            del document.Root[private]
    del document.docinfo
    buffer = io.BytesIO()
    # Its old identity and dates go with its metadata; the same document gives the same bytes.
    document.save(buffer, deterministic_id=True, fix_metadata_version=False, linearize=False)
    return buffer.getvalue()


def _refuse_active(document: pikepdf.Pdf) -> None:
    if document.is_encrypted:
        raise FileRefused(Fault.UNREADABLE, "The document is encrypted.")
    if len(document.objects) > MAX_OBJECTS or not 0 < len(document.pages) <= MAX_PAGES:
        raise FileRefused(Fault.UNREADABLE, f"At most {MAX_PAGES} pages, at least one.")
    for thing in document.objects:
        for found in _dictionaries(thing, MAX_DEPTH):
            _refuse_if_active(found)


def _refuse_if_active(found: Any) -> None:
    names = set(found.keys())
    if not names.isdisjoint(_MEMBERS):
        raise FileRefused(Fault.ACTIVE, "The document has a script, a form program or a file inside.")
    if str(found.get("/S", "")) in _ACTIONS or str(found.get("/Subtype", "")) in _SUBTYPES:
        raise FileRefused(Fault.ACTIVE, "The document does something when it is opened or clicked.")
    if "/URI" in names and str(found.get("/S", "")) == "/URI":
        address = str(found["/URI"]).strip().lower()
        if not address.startswith(_LINKS):
            raise FileRefused(Fault.ACTIVE, "The document links to what is no web or mail address.")


def _dictionaries(thing: Any, depth: int) -> Iterator[Any]:
    """Every dictionary in an object, but for those that are objects of their own, and walked as such."""
    if depth == 0:
        raise FileRefused(Fault.UNREADABLE, "The document is nested too deeply.")
    if isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        yield thing
        children = [thing.get(name) for name in thing.keys()]  # noqa: SIM118 - pikepdf's objects iterate otherwise
    elif isinstance(thing, pikepdf.Array):
        children = list(thing)
    else:
        return
    for child in children:
        if isinstance(child, pikepdf.Object) and not child.is_indirect:
            yield from _dictionaries(child, depth - 1)
